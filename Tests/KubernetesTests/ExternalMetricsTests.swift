import Testing

@testable import Kubernetes

@Suite struct `External metrics` {
    private let base = "/apis/external.metrics.k8s.io/v1beta1"

    @Test func `are asked for by namespace, name and selector`() throws {
        let path = "\(base)/namespaces/shop/sluice_pool_saturation"
        let selector = try #require(LabelSelector("pool=a"))
        #expect(
            MetricsQuestion(path: path, selector: "pool=a")
                == .values(metric: "sluice_pool_saturation", selector)
        )
        let all = try #require(LabelSelector(""))
        #expect(
            MetricsQuestion(path: path, selector: nil)
                == .values(metric: "sluice_pool_saturation", all)
        )
        #expect(MetricsQuestion(path: path, selector: "a in b") == .badSelector("a in b"))
    }

    @Test func `have a place where they are listed`() {
        #expect(MetricsQuestion(path: base, selector: nil) == .resources)
        let group = "/apis/external.metrics.k8s.io"
        #expect(MetricsQuestion(path: group, selector: nil) == .group)
        for path in ["/healthz", "/livez", "/readyz"] {
            #expect(MetricsQuestion(path: path, selector: nil) == .health)
        }
    }

    @Test(arguments: [
        "/", "", "/apis", "/apis/apps", "/apis/external.metrics.k8s.io/v1",
        "/apis/external.metrics.k8s.io/v1beta1/pods", "/openapi/v2", "/metrics",
        "/apis/external.metrics.k8s.io/v1beta1/namespaces/a",
        "/apis/external.metrics.k8s.io/v1beta1/namespaces/a/b/c",
    ])
    func `are nowhere else`(path: String) {
        #expect(MetricsQuestion(path: path, selector: nil) == .unknown)
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func `values stand in a list, one for each pool`() {
        let list = ExternalMetrics.values(
            of: "m",
            [(pool: "a", value: 3), (pool: "b", value: 0.25)],
            at: "2026-01-01T00:00:00Z"
        )
        let time = #""timestamp":"2026-01-01T00:00:00Z""#
        #expect(
            text(list)
                == #"{"apiVersion":"external.metrics.k8s.io/v1beta1","items":["#
                + #"{"metricLabels":{"pool":"a"},"metricName":"m",\#(time),"value":"3"},"#
                + #"{"metricLabels":{"pool":"b"},"metricName":"m",\#(time),"value":"250m"}],"#
                + #""kind":"ExternalMetricValueList","metadata":{}}"#
        )
        let empty = text(ExternalMetrics.values(of: "m", [], at: ""))
        #expect(empty.contains(#""items":[]"#))
    }

    @Test(
        arguments: [
            (0.0, "0"), (1, "1"), (12, "12"), (0.5, "500m"), (1.0 / 3, "333m"), (0.0001, "0"),
            (2.5, "2500m"), (Double.nan, "0"), (Double.infinity, "0"),
        ] as [(Double, String)]
    )
    func `a number is a quantity`(value: Double, quantity: String) {
        #expect(ExternalMetrics.quantity(value) == quantity)
    }

    @Test func `discovery names group, version and metrics`() {
        let resources = text(ExternalMetrics.resources(["one"]))
        #expect(resources.contains(#""groupVersion":"external.metrics.k8s.io/v1beta1""#))
        #expect(resources.contains(#""name":"one","namespaced":true"#))
        #expect(text(ExternalMetrics.groupDocument()).contains(#""kind":"APIGroup""#))
        let refusal = text(ExternalMetrics.refusal(404, "NotFound", "no"))
        #expect(refusal.contains(#""code":404"#) && refusal.contains(#""status":"Failure""#))
    }
}
