// Configuration values into the options of the modules; nothing else.

internal import Balancing
internal import Configuration
internal import HTTPWire
internal import Kubernetes
internal import Processes
internal import Telemetry
internal import Transport

extension Configuration {
    /// Settings that hold for every client.
    var gatewaySettings: GatewaySettings {
        var settings = GatewaySettings()
        settings.timeouts.handshake = timeouts.handshake
        settings.timeouts.head = timeouts.head
        settings.timeouts.body = timeouts.body
        settings.timeouts.write = timeouts.write
        settings.timeouts.keepAlive = timeouts.keepAlive
        settings.timeouts.tunnelIdle = timeouts.tunnelIdle
        settings.limits.targetBytesMax = limits.targetBytes
        settings.limits.headBytesMax = min(limits.headBytes, GatewaySettings.headBytesMax)
        settings.limits.fieldsMax = limits.fields
        settings.limits.trailerBytesMax = limits.trailerBytes
        settings.handshakesMax = limits.handshakes
        settings.connectionsMax = limits.connections ?? Int.max
        settings.answerFields = AnswerFieldSwitches(responseHeaders)
        settings.trusted = trustedProxies.map {
            TrustedRange(bytes: $0.bytes, prefixLength: $0.prefixLength)
        }
        settings.logsAccess = accessLog.enabled
        settings.logsQuery = accessLog.query
        settings.drainDelay = shutdown.drainDelay
        settings.drainGrace = shutdown.grace
        return settings
    }
}

extension AnswerFieldSwitches {
    init(_ headers: Configuration.ResponseHeaders) {
        self.init(
            serverTiming: headers.serverTiming,
            replica: headers.replica,
            attempts: headers.attempts,
            reason: headers.reason
        )
    }
}

extension Configuration.Pool {
    /// What the pool's decisions go by.
    var poolOptions: PoolOptions {
        let health = settings.health
        let outliers = settings.outliers
        let retries = settings.retries
        return PoolOptions(
            concurrency: settings.concurrency,
            policy: PolicyKind(settings.policy),
            queue: QueueOptions(
                limit: settings.queue.limit,
                bytes: settings.queue.bytes,
                timeout: settings.queue.timeout,
                patience: settings.queue.patience
            ),
            slowStart: settings.slowStart,
            health: HealthOptions(
                rise: health.rise,
                fall: health.fall,
                interval: health.interval,
                changingInterval: health.changingInterval,
                timeout: health.timeout,
                busyWindow: health.busyWindow
            ),
            outliers: OutlierOptions(
                consecutive: outliers.consecutive ?? Int.max,
                base: outliers.ejectFor,
                max: outliers.ejectForMax,
                maxEjectedShare: outliers.ejectedShare,
                panicThreshold: outliers.panicThreshold,
                forgetAfter: outliers.forgetAfter
            ),
            stall: settings.stall ?? .seconds(10 * 365 * 86_400),
            retry: RetryOptions(
                budgetRatio: retries.budgetShare,
                perSecond: retries.budgetPerSecond,
                window: retries.budgetWindow,
                attemptsMax: retries.attempts,
                attemptTimeout: AttemptTimeout(retries.attemptTimeout)
            )
        )
    }

    /// What the request path needs; `client` is what was made of the pool's TLS.
    func pathSettings(_ client: TLSClient? = nil) -> PoolSettings {
        PoolSettings(
            connectTimeout: settings.connectTimeout,
            keepAlive: settings.keepAlive,
            streamIdle: settings.streamIdle,
            holdBytesMax: settings.retries.bodyBytes,
            finishesWithoutClient: settings.onClientAbort == .finish,
            affinity: AffinityKey(settings.policy),
            tls: replicaTLS(client)
        )
    }

    func probeSettings(_ client: TLSClient? = nil) -> ProbeSettings {
        ProbeSettings(
            path: settings.health.path,
            expect: settings.health.expect,
            timeout: settings.health.timeout,
            tls: replicaTLS(client)
        )
    }

    /// Replicas that are the addresses of one name must prove to have that name.
    private func replicaTLS(_ client: TLSClient?) -> ReplicaTLS? {
        guard let client else { return nil }
        var name = settings.tls?.serverName
        if name == nil, case .dns(let dns) = source { name = dns.name }
        return ReplicaTLS(client: client, serverName: name)
    }

    /// Where the replicas come from.
    var listing: ReplicaListing {
        switch source {
        case .replicas(let replicas):
            return .fixed(
                replicas.map { replica in
                    ReplicaListing.Item(
                        spec: ReplicaSpec(
                            endpoint: replica.address.description,
                            weight: replica.weight,
                            concurrency: replica.concurrency
                        ),
                        host: replica.address.host,
                        port: UInt16(clamping: replica.address.port)
                    )
                }
            )
        case .dns(let dns):
            return .dns(name: dns.name, port: UInt16(clamping: dns.port), every: dns.every)
        case .processes(let processes):
            let scaling = settings.scaling
            return .processes(
                ProcessOptions(name, processes),
                ScalingOptions(
                    target: scaling.target,
                    tolerance: scaling.tolerance,
                    interval: scaling.interval,
                    window: scaling.stabilization,
                    concurrency: settings.concurrency
                )
            )
        case .kubernetes(let kubernetes):
            return .kubernetes(
                ServiceSource(
                    service: kubernetes.service,
                    namespace: kubernetes.namespace,
                    port: PortChoice(kubernetes.port)
                )
            )
        }
    }
}

extension ProcessOptions {
    init(_ pool: String, _ processes: Configuration.Processes) {
        var environment: [String: String] = [:]
        for variable in processes.environment { environment[variable.name] = variable.value }
        self.init(
            name: pool,
            command: processes.command,
            environment: environment,
            min: processes.min,
            max: processes.max,
            stopTimeout: processes.stopTimeout,
            drainTimeout: processes.drainTimeout,
            backoffMin: processes.restart.backoff,
            backoffMax: processes.restart.backoffMax,
            backoffReset: processes.restart.resetAfter,
            lineBytesMax: processes.log.lineBytes,
            outputBytesPerSecond: processes.log.bytesPerSecond,
            outputBurstBytes: processes.log.burstBytes
        )
    }
}

extension PortChoice {
    init(_ port: Configuration.Kubernetes.Port) {
        switch port {
        case .number(let number): self = .number(number)
        case .name(let name): self = .named(name)
        }
    }
}

extension PolicyKind {
    init(_ policy: Configuration.Policy) {
        switch policy {
        case .leastConnections: self = .leastConnections
        case .roundRobin: self = .roundRobin
        case .powerOfTwo: self = .powerOfTwo
        case .peakEWMA: self = .peakEWMA
        case .consistentHash(_, let boundedLoad): self = .consistentHash(boundedLoad: boundedLoad)
        }
    }
}

extension AttemptTimeout {
    init(_ timeout: Configuration.AttemptTimeout) {
        switch timeout {
        case .auto: self = .automatic
        case .after(let duration): self = .fixed(duration)
        case .off: self = .off
        }
    }
}

extension AffinityKey {
    init?(_ policy: Configuration.Policy) {
        guard case .consistentHash(let key, _) = policy else { return nil }
        switch key {
        case .header(let name): self = .header(Array(name.lowercased().utf8))
        case .cookie(let name): self = .cookie(Array(name.utf8))
        case .path: self = .path
        case .clientAddress: self = .clientAddress
        }
    }
}

extension Route {
    /// A route of the configuration, leading to a pool that stands.
    convenience init(
        _ route: Configuration.Route,
        of configuration: Configuration,
        to pool: Pool,
        _ described: Configuration.Pool,
        tls client: TLSClient? = nil,
        metrics: RouteMetrics
    ) {
        self.init(
            name: route.name,
            pool: pool,
            match: RouteMatch(route),
            rewriting: PathRewriting(route.rewrite),
            timeout: route.timeout ?? described.settings.timeout,
            priority: route.priority,
            isIdempotent: route.idempotent,
            attemptsMax: route.attempts ?? described.settings.retries.attempts,
            bodyBytesMax: UInt64(route.bodyBytes ?? configuration.limits.bodyBytes),
            upgrades: route.upgrades.map { Array($0.utf8) },
            settings: described.pathSettings(client),
            answerFields: AnswerFieldSwitches(route.responseHeaders),
            metrics: metrics
        )
    }
}

extension RouteMatch {
    init(_ route: Configuration.Route) {
        self.init()
        switch route.host {
        case .any: host = .any
        case .exact(let name): host = .exact(Array(name.utf8))
        case .suffix(let suffix): host = .suffix(Array(("." + suffix).utf8))
        case .label(let suffix): host = .label(Array(("." + suffix).utf8))
        }
        switch route.path {
        case .prefix(let text): path = .prefix(Array(text.utf8))
        case .exact(let text): path = .exact(Array(text.utf8))
        case .startsWith(let text): path = .startsWith(Array(text.utf8))
        }
        methods = route.methods.map { Array($0.utf8) }
        fields = route.headers.map {
            Field(name: Array($0.name.utf8), value: $0.value.map { Array($0.utf8) })
        }
    }
}

extension PathRewriting {
    init(_ rewrite: Configuration.PathRewrite) {
        switch rewrite {
        case .keep: self = .keep
        case .strip: self = .strip
        case .replace(let text): self = .replace(Array(text.utf8))
        }
    }
}
