// What the gateway's dealings with the API of Kubernetes have come to, for those who look.

internal import Kubernetes
internal import Synchronization

/// One watch among others.
struct WatchReport: Sendable, Hashable {
    let number: Int
    /// `endpointslices.discovery.k8s.io of sluice/model`.
    let what: String
}

/// How a watch fares, in a word.
enum WatchState: String, CaseIterable, Sendable { case starting, synced, failing }

/// What is known of every watch.
final class KubernetesReports: Sendable {
    /// How a watch fares.
    struct Watch: Sendable {
        var what: String
        var isSynced = false
        var objects = 0
        /// Failures since the start.
        var failures: UInt64 = 0
        /// Why it does not work now; nil: it does.
        var problem: String?
        /// `failing` also while what was known last stays in force.
        var state: WatchState {
            if problem != nil { return .failing }
            return isSynced ? .synced : .starting
        }

        /// Whether the problem has not been told yet.
        var isNews = false
        /// What is wrong with single objects.
        var objectProblems: [String] = []
    }

    private struct State {
        var watches: [Int: Watch] = [:]
        var given = 0
        var failures: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Every watch in the order of its beginning.
    var watches: [Watch] {
        state.withLock { $0.watches.sorted { $0.key < $1.key }.map(\.value) }
    }

    /// Failures since the start, of watches that have ended too.
    var failures: UInt64 { state.withLock { $0.failures } }

    func begin(_ resource: APIResource, _ selection: ObjectSelection) -> WatchReport {
        let place = selection.namespace.map { "in namespace \($0)" } ?? "in all namespaces"
        let which = [selection.labels, selection.fields].compactMap { $0 }
        let what = ([("\(resource) \(place)")] + which).joined(separator: ", ")
        return state.withLock { state in
            state.given += 1
            state.watches[state.given] = Watch(what: what)
            return WatchReport(number: state.given, what: what)
        }
    }

    func end(_ report: WatchReport) {
        state.withLock { $0.watches[report.number] = nil }
    }

    /// Notes a failure.
    func failed(_ report: WatchReport, _ words: String) {
        state.withLock { state in
            guard var watch = state.watches[report.number] else { return }
            watch.failures += 1
            state.failures += 1
            watch.isNews = watch.problem != words
            watch.problem = words
            state.watches[report.number] = watch
        }
    }

    /// Whether the last failure differs from the one before.
    func isNews(_ report: WatchReport) -> Bool {
        state.withLock { $0.watches[report.number]?.isNews ?? false }
    }

    /// Notes that it works; whether it had not.
    func isFine(
        _ report: WatchReport,
        objects: Int,
        isSynced: Bool,
        problems: [String]
    ) -> Bool {
        state.withLock { state in
            guard var watch = state.watches[report.number] else { return false }
            let wasFailing = watch.problem != nil
            watch.problem = nil
            watch.objects = objects
            watch.isSynced = isSynced
            watch.objectProblems = problems
            state.watches[report.number] = watch
            return wasFailing
        }
    }
}
