// The settings of a pool as plain values, each with its default: where its replicas come from,
// how they are balanced and queued for, how their health is judged.

extension Configuration {
    /// The interchangeable replicas of one model, and everything decided for them together.
    package struct Pool: Sendable, Equatable {
        /// Unique; 1…64 letters, digits, `.`, `_` and `-`; labels metrics and logs.
        package var name: String

        /// Where the replicas come from.
        package var source: ReplicaSource

        /// What is set, or inherited from `defaults`.
        package var settings: PoolSettings

        /// Makes a pool with default settings.
        package init(
            name: String,
            source: ReplicaSource,
            settings: PoolSettings = PoolSettings()
        ) {
            self.name = name
            self.source = source
            self.settings = settings
        }
    }

    /// The settings that `defaults` may set for every pool and a pool for itself.
    package struct PoolSettings: Sendable, Equatable {
        /// Most requests in flight on one replica, 1…10,000.
        package var concurrency = 1

        /// How a replica is picked.
        package var policy = Policy.leastConnections

        /// The waiting room.
        package var queue = Queue()

        /// The active probes.
        package var health = Health()

        /// What real traffic tells about a replica.
        package var outliers = Outliers()

        /// A new or readmitted replica grows to its full limit over this, 0…1 h; 0 is off.
        package var slowStart: Duration = .seconds(30)

        /// Ejects a replica without progress although requests are in flight, 1 s…24 h; nil: off.
        ///
        /// Long, since a model may think long before its first byte.
        package var stall: Duration? = .seconds(120)

        /// To open a connection to a replica, 1 ms…1 min.
        package var connectTimeout: Duration = .seconds(1)

        /// How long an idle connection to a replica is kept, 0…1 h.
        ///
        /// It must be shorter than the model server's own: gunicorn closes at 2 s.
        package var keepAlive: Duration = .milliseconds(1500)

        /// From arrival to the end, queue and retries included, 1 ms…24 h.
        package var timeout: Duration = .seconds(300)

        /// The longest silence of a replica inside an answer, 1 ms…24 h.
        package var streamIdle: Duration = .seconds(60)

        /// When a further attempt is made.
        package var retries = Retries()

        /// What happens upstream when the client leaves.
        package var onClientAbort = OnClientAbort.cancel

        /// How many replicas the pool would like to have.
        package var scaling = Scaling()

        /// How replicas are spoken to in TLS; nil: plain HTTP.
        package var tls: UpstreamTLS?

        /// Makes the defaults.
        package init() {}
    }

    /// Where the replicas of a pool come from.
    package enum ReplicaSource: Sendable, Equatable {
        /// Written in the file; at most 10,000, may be empty.
        case replicas([Replica])
        /// Every address a name has.
        case dns(DNS)
        /// Started, watched and stopped by the gateway itself.
        case processes(Processes)
        /// The endpoints of a Kubernetes Service.
        case kubernetes(Kubernetes)
    }

    /// A replica that is written in the file.
    package struct Replica: Sendable, Equatable {
        /// Its endpoint, unique in the pool: an IP address or a name, with a port.
        package var address: Address

        /// Its share of the work against the others, 1…1,000.
        package var weight: Int

        /// Its own limit, 1…10,000; nil: the pool's.
        package var concurrency: Int?

        /// Makes a replica like all others of its pool.
        package init(address: Address, weight: Int = 1, concurrency: Int? = nil) {
            self.address = address
            self.weight = weight
            self.concurrency = concurrency
        }
    }

    /// A name whose A and AAAA records are the replicas.
    package struct DNS: Sendable, Equatable {
        /// The host name.
        package var name: String

        /// The port of every replica, 1…65535.
        package var port: Int

        /// How often it is asked, 100 ms…1 h.
        package var every: Duration = .seconds(2)

        /// Makes it with the default interval.
        package init(name: String, port: Int) {
            self.name = name
            self.port = port
        }
    }

    /// A Kubernetes Service whose endpoints are the replicas.
    package struct Kubernetes: Sendable, Equatable {
        /// The Service.
        package var service: String

        /// Its namespace.
        package var namespace = "default"

        /// The port of every replica.
        package var port: Port

        /// Makes it in the namespace "default".
        package init(service: String, port: Port) {
            self.service = service
            self.port = port
        }

        /// How a port of the replicas is told.
        package enum Port: Sendable, Hashable {
            /// The port that every replica listens at, 1…65535.
            case number(Int)
            /// The name of a port of the Service; empty, which no file can say, for its only one.
            case name(String)
        }
    }

    /// A command that the gateway runs, once per replica.
    package struct Processes: Sendable, Equatable {
        /// The program and its arguments, 1…256.
        ///
        /// Each process finds its own port in the variable
        /// `PORT`; `$PORT` in an argument is replaced by it.
        package var command: [String]

        /// The fewest processes, 0…1,000.
        package var min = 1

        /// The most processes, max(1, min)…1,000; in a file `min` if left out.
        package var max = 1

        /// Added to the gateway's own environment, sorted by name; at most 256.
        package var environment: [Variable] = []

        /// How a process that ended is started again.
        package var restart = Restart()

        /// From SIGTERM to SIGKILL, 0…10 min.
        package var stopTimeout: Duration = .seconds(10)

        /// How long what is in flight may take before SIGTERM, 0…1 h.
        package var drainTimeout: Duration = .seconds(20)

        /// How much of what a process prints is passed on.
        package var log = ProcessLog()

        /// Makes one process of a command.
        package init(command: [String]) {
            self.command = command
        }
    }

    /// One variable of a process's environment.
    package struct Variable: Sendable, Equatable {
        /// Its name; never empty, without `=`.
        package var name: String

        /// Its value.
        package var value: String

        /// Makes it of name and value.
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// How a process that ended is started again: after `backoff`, twice that, up to `backoffMax`.
    package struct Restart: Sendable, Equatable {
        /// Before the first restart, 1 ms…1 h.
        package var backoff: Duration = .milliseconds(500)

        /// Between later restarts at most, `backoff`…1 h.
        package var backoffMax: Duration = .seconds(30)

        /// A process that ran this long starts over at `backoff`, 1 ms…24 h.
        package var resetAfter: Duration = .seconds(30)

        /// Makes the defaults.
        package init() {}
    }

    /// How much of what a process prints is passed on, each line tagged `[pool-number]`.
    package struct ProcessLog: Sendable, Equatable {
        /// A longer line is cut, 80 B…1 MiB.
        package var lineBytes = 8 << 10

        /// Of one process in a second, 1 KiB…1 GiB; what exceeds it is counted.
        package var bytesPerSecond = 256 << 10

        /// At once after a pause, `lineBytes`…1 GiB.
        package var burstBytes = 1 << 20

        /// Makes the defaults.
        package init() {}
    }
}

extension Configuration {
    /// How a replica is picked among those that have room.
    package enum Policy: Sendable, Equatable {
        /// The least in flight ÷ (limit × weight), by full scan.
        case leastConnections
        /// One after the other.
        case roundRobin
        /// The better of two that chance names.
        case powerOfTwo
        /// The lowest peak-sensitive average latency.
        case peakEWMA
        /// The same key goes to the same replica, until its load is `boundedLoad` × the mean
        /// (1…10; 1.25).
        case consistentHash(key: AffinityKey, boundedLoad: Double)
    }

    /// What keeps related requests on one replica.
    package enum AffinityKey: Sendable, Equatable {
        /// The value of this field.
        case header(String)
        /// The value of this cookie.
        case cookie(String)
        /// The path without its query.
        case path
        /// The client's IP address.
        case clientAddress
    }

    /// The waiting room of a pool.
    package struct Queue: Sendable, Equatable {
        /// Most waiters, 0…1,000,000; nil: clamp(10 × capacity, 64, 5000).
        package var limit: Int?

        /// Most body bytes that waiters hold, 0…1 TiB.
        package var bytes = 256 << 20

        /// Longest wait for a free slot, 0…24 h.
        package var timeout: Duration = .seconds(30)

        /// Longest wait while no replica is ready, 0…24 h.
        package var patience: Duration = .seconds(60)

        /// Makes the defaults.
        package init() {}
    }

    /// The active probes of a pool.
    package struct Health: Sendable, Equatable {
        /// What a probe asks for, with GET; nil: a TCP connection is enough.
        package var path: String?

        /// The statuses that pass, each 100…599; at most 32 ranges.
        package var expect: [ClosedRange<Int>] = [200...299]

        /// Between probes while nothing changes, 10 ms…1 h, ± 10 %.
        package var interval: Duration = .seconds(5)

        /// For one probe, 1 ms…10 min.
        package var timeout: Duration = .seconds(2)

        /// Between probes while the state is changing, 10 ms…1 h, ± 10 %.
        package var changingInterval: Duration = .milliseconds(500)

        /// Passes in a row to be up again, 1…100.
        package var rise = 2

        /// Failures in a row to be down, 1…100.
        package var fall = 3

        /// A timed-out probe is no failure when the replica made progress this recently, 0…1 h.
        package var busyWindow: Duration = .seconds(10)

        /// Makes the defaults.
        package init() {}
    }

    /// When real traffic ejects a replica.
    package struct Outliers: Sendable, Equatable {
        /// Failures in a row, 1…1,000; nil: never.
        package var consecutive: Int? = 5

        /// The first time lasts this, the n-th n times as long, 1 ms…1 h.
        package var ejectFor: Duration = .seconds(10)

        /// The longest, `ejectFor`…24 h.
        package var ejectForMax: Duration = .seconds(300)

        /// Share of a pool that may be ejected at once, 0…1.
        package var ejectedShare = 0.5

        /// When less than this share of a pool is fit, ejections are ignored, 0…1.
        package var panicThreshold = 0.25

        /// An earlier ejection is forgotten for each such time since the last, 1 ms…24 h.
        package var forgetAfter: Duration = .seconds(60)

        /// Makes the defaults.
        package init() {}
    }

    /// When a further attempt is made, on another replica.
    package struct Retries: Sendable, Equatable {
        /// Attempts in all, the first included, 1…10.
        package var attempts = 3

        /// Retries per request over `budgetWindow`, 0…1.
        package var budgetShare = 0.2

        /// Retries a second that are always allowed, 0…10,000.
        package var budgetPerSecond = 3.0

        /// What the share is measured over, 1 s…10 min.
        package var budgetWindow: Duration = .seconds(10)

        /// The silence of a replica after which a request that may be sent again is tried on
        /// another that has room.
        package var attemptTimeout = AttemptTimeout.auto

        /// A body up to this size is held for a retry, 0…64 MiB.
        package var bodyBytes = 1 << 20

        /// Makes the defaults.
        package init() {}
    }

    /// When an attempt is given up for another replica.
    package enum AttemptTimeout: Sendable, Equatable {
        /// As the pool's own answers suggest.
        case auto
        /// After this, 1 ms…24 h.
        case after(Duration)
        /// Never.
        case off
    }

    /// What happens upstream when the client leaves.
    package enum OnClientAbort: String, Sendable, Equatable, CaseIterable {
        /// The request to the replica is cut at once.
        case cancel
        /// The replica may finish; its answer is thrown away.
        case finish
    }

    /// How many replicas a pool would like to have: what `processes` start, and the metric
    /// `sluice_pool_desired_replicas`.
    package struct Scaling: Sendable, Equatable {
        /// Outstanding requests per slot to aim at, 0.01…1,000; above 1, some queueing.
        package var target = 1.0

        /// No change within this share of the target, 0…1.
        package var tolerance = 0.1

        /// How often it is decided, 100 ms…1 h.
        package var interval: Duration = .seconds(2)

        /// Down only to the most that was wanted over this time, 0…24 h.
        package var stabilization: Duration = .seconds(300)

        /// Makes the defaults.
        package init() {}
    }
}
