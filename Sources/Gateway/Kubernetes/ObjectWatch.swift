// Follows the objects of one kind: does the steps of a `Reflector` over the network.

internal import Kubernetes
internal import Telemetry
internal import Transport

/// One task that keeps a copy of some of the API's objects.
///
/// Confined to its loop.
final class ObjectWatch<Object: APIObject> {
    /// A watch is renewed after such a time, and that again by chance at most: no sign of a
    /// connection that has silently died comes earlier.
    private static var watchSeconds: Int { 60 }
    /// How much longer than it was asked for a watch may go on.
    private static var overtime: Duration { .seconds(15) }
    /// For one page of a list.
    private static var listTimeout: Duration { .seconds(30) }
    /// A longer page is asked for in smaller pieces.
    private static var pageBytesMax: Int { 16 << 20 }

    private let selection: ObjectSelection
    private let gateway: Gateway
    private let loop: Loop
    private let context: LoopContext
    private let parking: Parking
    private let isOver: () -> Bool
    private let report: WatchReport
    private(set) var reflector: Reflector<Object>

    /// Waits in `parking`; whoever ends the watch, so that `isOver` says so, wakes it there.
    init(
        _ selection: ObjectSelection,
        for gateway: Gateway,
        on context: LoopContext,
        _ loop: Loop,
        at parking: Parking,
        objectsMax: Int = 10_000,
        isOver: @escaping () -> Bool
    ) {
        self.selection = selection
        self.gateway = gateway
        self.context = context
        self.loop = loop
        self.parking = parking
        self.isOver = isOver
        reflector = Reflector(objectsMax: objectsMax)
        report = gateway.kubernetes.begin(Object.resource, selection)
    }

    /// Follows until it is over; `changed` is called with every state of the copy, the first
    /// time when it is whole, `failed` with every failure.
    func run(
        _ changed: (Reflector<Object>) -> Void,
        failed noteFailure: (APIFailure) -> Void = { _ in }
    ) async {
        defer { gateway.kubernetes.end(report) }
        while !isOver() {
            let step = reflector.next
            do throws(APIFailure) {
                switch step {
                case .list(let limit, let token): try await list(limit, token, changed)
                case .watch(let version): try await watch(version, changed)
                }
            } catch {
                guard error != .abandoned else { return }
                noteFailure(error)
                await failed(error, at: step)
            }
        }
    }

    private func call() -> APICall {
        APICall(
            on: context,
            loop,
            at: parking,
            resolver: gateway.resolver,
            trust: gateway.apiTrust,
            isOver: isOver
        )
    }

    private func access() throws(APIFailure) -> KubernetesAccess {
        guard let access = gateway.kubernetesAccess else {
            throw .unreachable("not in a pod, and `kubernetes.api` is not set")
        }
        return access
    }

    // MARK: steps

    private func list(
        _ limit: Int,
        _ token: String?,
        _ changed: (Reflector<Object>) -> Void
    ) async throws(APIFailure) {
        let call = call()
        defer { call.close() }
        let deadline = context.now + Self.listTimeout
        let target = selection.listTarget(of: Object.resource, limit: limit, continuing: token)
        try await call.send(APIRequest(target: target), to: access(), until: deadline)
        let bytes = try await call.whole(bytesMax: Self.pageBytesMax, until: deadline)
        let page = try decode(ObjectPage<Object>.self, from: bytes)
        guard reflector.take(page) else {
            if page.continuing == nil { noteHealth() }
            return
        }
        noteHealth()
        changed(reflector)
    }

    private func watch(
        _ version: String,
        _ changed: (Reflector<Object>) -> Void
    ) async throws(APIFailure) {
        let call = call()
        defer { call.close() }
        let began = context.now
        let extra = Int(context.network.random() % UInt64(Self.watchSeconds))
        let seconds = Self.watchSeconds + extra
        let deadline = began + .seconds(seconds) + Self.overtime
        let target = selection.watchTarget(of: Object.resource, after: version, seconds: seconds)
        try await call.send(
            APIRequest(target: target),
            to: access(),
            until: began + Self.listTimeout
        )
        noteHealth()
        var lines = LineSplitter()
        var gaveEvents = false
        while let piece = try await call.next(until: deadline) {
            for line in try lines.take(piece) {
                gaveEvents = true
                try take(line, changed)
            }
        }
        let pause = reflector.watchEnded(
            after: context.now - began,
            gaveEvents: gaveEvents,
            random: context.network.random()
        )
        await sleep(pause)
    }

    private func take(
        _ line: [UInt8],
        _ changed: (Reflector<Object>) -> Void
    ) throws(APIFailure) {
        switch reflector.take(try decode(WatchEvent<Object>.self, from: line)) {
        case .changed:
            noteHealth()
            changed(reflector)
        case .unchanged: break
        case .over(let failure): throw failure
        }
    }

    // MARK: failures

    private func failed(_ failure: APIFailure, at step: Reflector<Object>.Step) async {
        let pause = reflector.failed(failure, random: context.network.random())
        if !isOrdinary(failure, at: step) {
            let verb: Verb = if case .list = step { .list } else { .watch }
            let words = failure.words(verb, Object.resource, in: selection.namespace)
            gateway.kubernetes.failed(report, words)
            if gateway.kubernetes.isNews(report) {
                gateway.log.warning(
                    "kubernetes",
                    words + (reflector.isSynced ? "; what was known last stays in force" : "")
                )
            }
        }
        await sleep(pause)
    }

    /// Whether it is part of how the API works: versions expire, tokens are replaced, and a watch
    /// is cut now and then.
    private func isOrdinary(_ failure: APIFailure, at step: Reflector<Object>.Step) -> Bool {
        guard case .watch = step else { return failure.isExpired && reflector.failures == 1 }
        if failure.isExpired { return true }
        guard reflector.failures == 1 else { return false }
        if case .unreachable = failure { return true }
        return failure.isUnauthorized
    }

    private func noteHealth() {
        let wasFailing = gateway.kubernetes.isFine(
            report,
            objects: reflector.objects.count,
            isSynced: reflector.isSynced,
            problems: reflector.problems + omissions
        )
        if wasFailing {
            gateway.log.info("kubernetes", "\(report.what): the API answers again")
        }
    }

    private var omissions: [String] {
        let count = reflector.omitted
        return count == 0 ? [] : ["\(count) \(Object.resource) are too many and left out"]
    }

    private func sleep(_ pause: Duration) async {
        let until = context.now + pause
        while context.now < until && !isOver() { await parking.park(until: until) }
    }
}
