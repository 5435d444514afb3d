// Whether a replica may have stopped: it is passed over until it gives a sign of life.
//
//             an attempt was given up            a connection came about, a while later
//   trusted ──────────────────────────▶ doubted ─────────────────────────────────▶ on approval
//      ▲ ▲                                 │  ▲                                        │   │
//      │ └────────── sign of life ─────────┘  └─────── an attempt was given up ────────┘   │
//      └──────────────────────────────────── sign of life ─────────────────────────────────┘
//
// A byte is a sign of life, on any connection, the answer to a probe among them. A connection
// alone is none: the kernel of a stopped process makes it. After it one request at a time may try.

/// The doubt about one replica.
struct Doubt: Sendable {
    private(set) var phase = Phase.trusted
    /// Doubts in a row without a sign of life between them.
    private var rounds = 0
    /// When an attempt was given up last.
    private var gaveUpAt: Moment?

    enum Phase: Sendable, Equatable {
        case trusted
        case doubted(since: Moment)
        case onApproval
        /// It has given a sign of life; shown as before until that is told.
        case heard(wasOnApproval: Bool)
    }

    /// How long the first doubt lasts when connections are all there is to see; then twice as
    /// long each time.
    private static let first = Duration.seconds(1)
    private static let longest = Duration.seconds(60)

    var isDoubted: Bool { if case .doubted = phase { true } else { false } }
    var isOnApproval: Bool { phase == .onApproval }
    /// Whether nothing speaks against it.
    var isTrusted: Bool { !isDoubted && !isOnApproval }
    /// What its state is to say until the next transition is told.
    var isShownInDoubt: Bool { isDoubted || phase == .heard(wasOnApproval: false) }
    var isShownOnApproval: Bool { isOnApproval || phase == .heard(wasOnApproval: true) }

    /// Notes that an attempt was given up that had heard nothing since `quietSince`; `true` for the
    /// first of one silence, which counts as a failure however many requests were caught in it.
    mutating func gaveUp(quietSince: Moment, now: Moment) -> Bool {
        defer { gaveUpAt = now }
        return gaveUpAt.map { $0 < quietSince } ?? true
    }

    /// Doubts from `now` on.
    mutating func begin(now: Moment) {
        guard !isDoubted else { return }
        phase = .doubted(since: now)
        rounds += 1
    }

    /// Bytes came; `true` if that ends a doubt.
    mutating func heard() -> Bool {
        guard !isTrusted else { return false }
        phase = .heard(wasOnApproval: isOnApproval)
        rounds = 0
        return true
    }

    /// A connection came about; `true` if one request may try now.
    mutating func connected(now: Moment) -> Bool {
        guard case .doubted(let since) = phase else { return false }
        let wait = min(Self.first * (1 << min(rounds - 1, 6)), Self.longest)
        guard since + wait <= now else { return false }
        phase = .onApproval
        return true
    }

    /// Draws the conclusion from a sign of life; `true` if there was one.
    mutating func settle() -> Bool {
        guard case .heard = phase else { return false }
        phase = .trusted
        return true
    }

    /// Other evidence has taken over.
    mutating func end() {
        phase = .trusted
        rounds = 0
    }
}
