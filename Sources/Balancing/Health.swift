// What probes (and refused connections) say about one replica.
//
//              1 pass                    fall failures, or refused
//   unproven ─────────▶ up ◀──────────────────────────▶ down
//       │                     rise passes                ▲
//       └────────── fall failures, or refused ───────────┘  (then 1 pass while unproven)
//
// Invariant: passes and failures are never both above zero.

/// How a probe ended.
package enum ProbeOutcome: Sendable, Equatable {
    /// The expected answer in time.
    case passed
    /// A connection, when nothing more was asked for: it passes, but the kernel alone makes it.
    case connected
    /// An unexpected status, or a broken connection (`nil`).
    case failed(status: Int?)
    /// No answer in time.
    case timedOut
    /// Nothing listens there.
    case refused
}

/// The counters of one replica's probes and the time of the next.
struct Health: Sendable {
    /// Whether it has ever passed.
    private(set) var isProven = false
    /// Whether it is judged unable to serve.
    private(set) var isDown = false
    private(set) var passes = 0
    private(set) var failures = 0
    /// The last outcome and when it came.
    private(set) var last: (outcome: ProbeOutcome, at: Moment)?
    /// When the next probe is due.
    var nextProbe: Moment

    /// Passes and failures before a verdict are "changing", and so is the time after one.
    private static let changingFor = Duration.seconds(30)
    /// No setting makes probes come faster than this.
    private static let shortest = Duration.milliseconds(10)

    init(now: Moment) {
        nextProbe = now
    }

    /// Whether the counters stand between two verdicts.
    private var isUndecided: Bool { passes > 0 || failures > 0 }

    /// Notes what a probe said, for display.
    mutating func note(_ outcome: ProbeOutcome, now: Moment) {
        last = (outcome, now)
    }

    /// Counts a pass; `true` when the replica came up by it.
    mutating func passed(rise: Int) -> Bool {
        failures = 0
        guard isDown || !isProven else { return false }
        passes += 1
        guard passes >= (isProven ? rise : 1) else { return false }
        isProven = true
        isDown = false
        passes = 0
        return true
    }

    /// Counts a failure; `true` when the replica went down by it.
    mutating func failed(fall: Int) -> Bool {
        passes = 0
        guard !isDown else { return false }
        failures += 1
        return failures >= fall ? goDown() : false
    }

    /// A connection was refused; `true` when the replica went down by it.
    mutating func refused() -> Bool {
        passes = 0
        return isDown ? false : goDown()
    }

    private mutating func goDown() -> Bool {
        isDown = true
        failures = 0
        return true
    }

    /// Plans the next probe: soon while something is changing, else at the usual interval, both
    /// ± 10 % so that replicas and gateways do not fall into step.
    mutating func plan(
        _ options: HealthOptions,
        stateSince: Moment,
        isInDoubt: Bool = false,
        now: Moment,
        using random: inout SeededRandom
    ) {
        let isFresh = (isDown || !isProven) && now < stateSince + Self.changingFor
        let isChanging = isUndecided || isFresh || isInDoubt
        let base = isChanging ? options.changingInterval : options.interval
        nextProbe = now + max(base, Self.shortest) * Double.random(in: 0.9...1.1, using: &random)
    }
}
