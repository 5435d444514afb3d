// What an operator may set about one pool's decisions, with the defaults of the design.

/// The settings of one pool.
///
/// A change takes effect through `PoolState.configure`.
package struct PoolOptions: Sendable, Equatable {
    /// Most requests in flight on a replica that sets none of its own; at least 1.
    package var concurrency: Int
    /// How a replica is chosen among those with room.
    package var policy: PolicyKind
    /// Bounds of the waiting room.
    package var queue: QueueOptions
    /// How long a new or readmitted replica's limit ramps up; zero switches it off.
    package var slowStart: Duration
    /// Active probes.
    package var health: HealthOptions
    /// Ejection after misbehaviour in real traffic.
    package var outliers: OutlierOptions
    /// Silence with requests in flight after which a replica is ejected.
    package var stall: Duration
    /// What pays for further attempts.
    package var retry: RetryOptions

    /// All settings, each with its default.
    package init(
        concurrency: Int = 1,
        policy: PolicyKind = .leastConnections,
        queue: QueueOptions = QueueOptions(),
        slowStart: Duration = .seconds(30),
        health: HealthOptions = HealthOptions(),
        outliers: OutlierOptions = OutlierOptions(),
        stall: Duration = .seconds(120),
        retry: RetryOptions = RetryOptions()
    ) {
        self.concurrency = concurrency
        self.policy = policy
        self.queue = queue
        self.slowStart = slowStart
        self.health = health
        self.outliers = outliers
        self.stall = stall
        self.retry = retry
    }
}

/// Bounds of a pool's queue.
package struct QueueOptions: Sendable, Equatable {
    /// Most waiters; `nil` means ten for each slot of the pool, at least 64, at most 5000.
    package var limit: Int?
    /// Most request bytes held for waiters.
    package var bytes: Int
    /// Longest wait while some replica is usable.
    package var timeout: Duration
    /// Longest wait while no replica is usable.
    package var patience: Duration

    /// All bounds, each with its default.
    package init(
        limit: Int? = nil,
        bytes: Int = 256 << 20,
        timeout: Duration = .seconds(30),
        patience: Duration = .seconds(60)
    ) {
        self.limit = limit
        self.bytes = bytes
        self.timeout = timeout
        self.patience = patience
    }

    /// Most waiters for a pool whose replicas have `slots` slots together.
    func limit(slots: Int) -> Int {
        limit ?? max(min(slots, 500) * 10, 64)
    }
}

/// When probes are sent and what they change.
package struct HealthOptions: Sendable, Equatable {
    /// Passes in a row that bring a `down` replica back.
    ///
    /// A new replica needs one.
    package var rise: Int
    /// Failures in a row that take a replica down.
    package var fall: Int
    /// Time between probes of a settled replica, ± 10 %.
    package var interval: Duration
    /// Time between probes while a replica's state is changing, ± 10 %.
    package var changingInterval: Duration
    /// How long one probe may take; enforced by the prober.
    package var timeout: Duration
    /// A probe may time out without blame when requests made progress this recently.
    package var busyWindow: Duration

    /// All settings, each with its default.
    package init(
        rise: Int = 2,
        fall: Int = 3,
        interval: Duration = .seconds(5),
        changingInterval: Duration = .milliseconds(500),
        timeout: Duration = .seconds(2),
        busyWindow: Duration = .seconds(10)
    ) {
        self.rise = rise
        self.fall = fall
        self.interval = interval
        self.changingInterval = changingInterval
        self.timeout = timeout
        self.busyWindow = busyWindow
    }
}

/// When misbehaviour in real traffic ejects a replica, and for how long.
package struct OutlierOptions: Sendable, Equatable {
    /// Failures in a row that eject.
    package var consecutive: Int
    /// The n-th ejection in short order lasts n times this.
    package var base: Duration
    /// The longest ejection.
    package var max: Duration
    /// Largest share of the pool that may be ejected, 0…1.
    package var maxEjectedShare: Double
    /// When less than this share of the pool is fit, ejections are ignored, 0…1.
    package var panicThreshold: Double
    /// One earlier ejection is forgotten for each of these since the last one ended.
    package var forgetAfter: Duration

    /// All settings, each with its default.
    package init(
        consecutive: Int = 5,
        base: Duration = .seconds(10),
        max: Duration = .seconds(300),
        maxEjectedShare: Double = 0.5,
        panicThreshold: Double = 0.25,
        forgetAfter: Duration = .seconds(60)
    ) {
        self.consecutive = consecutive
        self.base = base
        self.max = max
        self.maxEjectedShare = maxEjectedShare
        self.panicThreshold = panicThreshold
        self.forgetAfter = forgetAfter
    }
}

/// What pays for further attempts, and how many a request may have.
package struct RetryOptions: Sendable, Equatable {
    /// Retries allowed per request of the window, 0…1.
    package var budgetRatio: Double
    /// Retries allowed per second on top, so that quiet pools may retry too.
    package var perSecond: Double
    /// The time over which requests and retries are counted.
    package var window: Duration
    /// Most attempts of one request, the first included; enforced by the caller.
    package var attemptsMax: Int
    /// How long a replica may be silent before a request goes to another.
    package var attemptTimeout: AttemptTimeout

    /// All settings, each with its default.
    package init(
        budgetRatio: Double = 0.2,
        perSecond: Double = 3,
        window: Duration = .seconds(10),
        attemptsMax: Int = 3,
        attemptTimeout: AttemptTimeout = .automatic
    ) {
        self.budgetRatio = budgetRatio
        self.perSecond = perSecond
        self.window = window
        self.attemptsMax = attemptsMax
        self.attemptTimeout = attemptTimeout
    }
}

/// The silence after which an attempt is given up for another replica that has room.
package enum AttemptTimeout: Sendable, Equatable {
    /// Learned from what the pool's answers take.
    case automatic
    /// Always this.
    case fixed(Duration)
    /// None is ever given up.
    case off
}
