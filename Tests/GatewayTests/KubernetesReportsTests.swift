import Kubernetes
import Testing

@testable import Gateway

@Suite struct `Reports on Kubernetes` {
    private func begin(_ reports: KubernetesReports, _ namespace: String?) -> WatchReport {
        let selection = ObjectSelection(namespace: namespace, labels: "a=b")
        return reports.begin(EndpointSlice.resource, selection)
    }

    @Test func `name each watch`() {
        let reports = KubernetesReports()
        let report = begin(reports, "shop")
        #expect(report.what == "endpointslices.discovery.k8s.io in namespace shop, a=b")
        #expect(begin(reports, nil).what.contains("in all namespaces"))
        #expect(reports.watches.map(\.isSynced) == [false, false])
        reports.end(report)
        #expect(reports.watches.count == 1)
    }

    @Test func `tell a failure once, and when it is over`() {
        let reports = KubernetesReports()
        let report = begin(reports, "shop")
        reports.failed(report, "no")
        #expect(reports.isNews(report))
        reports.failed(report, "no")
        #expect(!reports.isNews(report))
        reports.failed(report, "other")
        #expect(reports.isNews(report))
        #expect(reports.watches.first?.failures == 3)
        let wasFailing = reports.isFine(report, objects: 2, isSynced: true, problems: ["odd"])
        #expect(wasFailing)
        #expect(!reports.isFine(report, objects: 2, isSynced: true, problems: []))
        #expect(reports.watches.first?.problem == nil)
    }

    @Test func `of a watch that has ended are nobody's`() {
        let reports = KubernetesReports()
        let report = begin(reports, "shop")
        reports.end(report)
        reports.failed(report, "no")
        #expect(!reports.isNews(report))
        #expect(!reports.isFine(report, objects: 0, isSynced: false, problems: []))
        #expect(reports.watches.isEmpty)
    }
}
