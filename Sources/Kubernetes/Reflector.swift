// Keeps a copy of the API's objects of one kind: lists them, then follows what changes.
//
//        ┌───────────── 410, ERROR ──────────────┐
//        ▼                                       │
//     listing ───── last page ──────────────▶ watching ──┐
//      │   ▲                                     ▲       │ its time is over, or cut:
//      └───┘ next page; any failure: a pause     └───────┘ on from the last version
//
// Nothing here waits or sends: the owner asks for the next step, does it, and tells how it went.
// Until a new list is whole, the objects of the old one stand.

/// A copy of the objects of one kind, kept in step with the API.
package struct Reflector<Object: APIObject>: Sendable {
    /// What is to be done next.
    package enum Step: Sendable, Equatable {
        /// Asks for a page of the list.
        case list(limit: Int, continuing: String?)
        /// Watches from a version on.
        case watch(after: String)
    }

    /// Objects a page is asked for with at first.
    package static var pageLimit: Int { 250 }

    /// The objects in force.
    package private(set) var objects: [ObjectKey: Object] = [:]
    /// Whether a list has been whole at least once.
    package private(set) var isSynced = false
    /// Objects beyond the bound, which are left out.
    package private(set) var omitted = 0
    /// Why objects could not be read; those of the last list and since, at most a few.
    package private(set) var problems: [String] = []
    /// What is to be done next.
    package private(set) var next = Step.list(limit: Self.pageLimit, continuing: nil)

    private let objectsMax: Int
    private var backoff = Backoff()
    private var incoming: [ObjectKey: Object] = [:]
    private var incomingProblems: [String] = []
    private var incomingOmitted = 0
    private var pageLimit = Self.pageLimit
    private static var problemsMax: Int { 20 }

    /// A copy without any object yet; more than `objectsMax` are not kept.
    package init(objectsMax: Int = 10_000) {
        self.objectsMax = objectsMax
    }

    /// The objects by namespace and name: an order that repeats.
    package var sorted: [Object] {
        objects.sorted { $0.key < $1.key }.map(\.value)
    }

    /// Failures in a row.
    package var failures: Int { backoff.failures }

    // MARK: listing

    /// Takes in a page; whether the objects in force have changed.
    package mutating func take(_ page: ObjectPage<Object>) -> Bool {
        for object in page.objects {
            if incoming[object.key] == nil, incoming.count >= objectsMax {
                incomingOmitted += 1
                continue
            }
            incoming[object.key] = object
        }
        incomingProblems += page.problems.prefix(Self.problemsMax - incomingProblems.count)
        if let token = page.continuing {
            next = .list(limit: pageLimit, continuing: token)
            return false
        }
        let hasChanged = !isSynced || incoming != objects || incomingProblems != problems
        objects = incoming
        problems = incomingProblems
        omitted = incomingOmitted
        isSynced = true
        forgetIncoming()
        next = .watch(after: page.resourceVersion)
        return hasChanged
    }

    // MARK: watching

    /// What an event means for the watch.
    package enum Reaction: Sendable, Equatable {
        /// The objects in force have changed.
        case changed
        /// They have not.
        case unchanged
        /// The watch is over; the next step follows after the pause of `failed`.
        case over(APIFailure)
    }

    /// Takes in an event.
    package mutating func take(_ event: WatchEvent<Object>) -> Reaction {
        switch event {
        case .changed(let object):
            backoff.succeeded()
            moveOn(to: object.metadata.resourceVersion)
            return put(object)
        case .deleted(let object):
            backoff.succeeded()
            moveOn(to: object.metadata.resourceVersion)
            if omitted > 0, objects[object.key] == nil {
                omitted -= 1
                return .changed
            }
            return objects.removeValue(forKey: object.key) == nil ? .unchanged : .changed
        case .bookmark(let version):
            backoff.succeeded()
            moveOn(to: version)
            return .unchanged
        case .unreadable(let why, let version):
            // What was known of it stands.
            moveOn(to: version)
            if problems.contains(why) || problems.count >= Self.problemsMax { return .unchanged }
            problems.append(why)
            return .changed
        case .failed(let status):
            return .over(.refused(code: status.code ?? 500, status, retryAfter: nil))
        case .unknown:
            return .unchanged
        }
    }

    private mutating func put(_ object: Object) -> Reaction {
        if objects[object.key] == nil, objects.count >= objectsMax {
            omitted += 1
            return .changed
        }
        return objects.updateValue(object, forKey: object.key) == object ? .unchanged : .changed
    }

    private mutating func moveOn(to version: String?) {
        if let version, !version.isEmpty { next = .watch(after: version) }
    }

    /// The watch has ended as it may, after so long; a pause if it was suspiciously short.
    package mutating func watchEnded(
        after duration: Duration,
        gaveEvents: Bool,
        random: UInt64
    ) -> Duration {
        if gaveEvents || duration >= .seconds(10) {
            backoff.succeeded()
            return .zero
        }
        return backoff.failed(random: random)
    }

    // MARK: failures

    /// A step has failed; returns how long to wait before the next one.
    package mutating func failed(_ failure: APIFailure, random: UInt64) -> Duration {
        let pause = backoff.failed(random: random)
        switch next {
        case .list(_, let token):
            if failure == .tooLarge, pageLimit > 1 {
                pageLimit = max(1, pageLimit / 8)
                restart()
                return .zero
            }
            // A page that has expired, or that broke off: the list is begun again.
            if token != nil { restart() }
        case .watch:
            if isOver(failure) { restart() }
        }
        // A new list helps, or a token that was replaced meanwhile: once, without waiting.
        if failures == 1, failure.isExpired || failure.isUnauthorized { return .zero }
        return max(pause, failure.pause ?? .zero)
    }

    /// A watch is not taken up again where it was after so many refusals in a row: the API may
    /// have been set back, and never come to that version.
    private static var refusalsMax: Int { 3 }

    private func isOver(_ failure: APIFailure) -> Bool {
        switch failure {
        case .refused(let code, _, _):
            failure.isExpired || code == 400 || failures >= Self.refusalsMax
        case .malformed, .tooLarge: true
        case .unreachable, .timedOut, .abandoned: false
        }
    }

    private mutating func restart() {
        forgetIncoming()
        next = .list(limit: pageLimit, continuing: nil)
    }

    private mutating func forgetIncoming() {
        incoming = [:]
        incomingProblems = []
        incomingOmitted = 0
    }
}
