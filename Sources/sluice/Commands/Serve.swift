// `sluice serve FILE`: runs the gateway in the foreground until a signal.

internal import Configuration
internal import Dispatch
internal import FoundationEssentials
internal import Gateway
internal import Glibc
internal import Telemetry
internal import Transport

let serveCommand = Command(
    name: "serve",
    summary: "runs the gateway in the foreground",
    operands: ["FILE"],
    options: [
        CommandOption(name: "check", summary: "only say whether the file is in order"),
        CommandOption(
            name: "ingress-class",
            value: "NAME",
            summary: "serve Kubernetes' Ingresses of this class too; FILE may be left out"
        ),
    ],
    operandsMayLackWith: "ingress-class",
    details: """
        SIGTERM and SIGINT drain: /ready says 503, what is in flight finishes; a second one stops
        at once. SIGHUP takes the file over again, and so does its change with `watch: true`.
        Standard output has the access log and what processes print, standard error the
        operator's log.
        """
) { arguments throws(UsageError) in
    let ingressClass = try ingressClass(in: arguments)
    guard let file = arguments.operands.first else {
        var configuration = Configuration()
        configuration.listeners = [.init(address: .init(host: "0.0.0.0", port: 8080))]
        configuration.serveIngress(.init(className: ingressClass ?? ""))
        var serve = Serve(configuration)
        return serve.run()
    }
    if arguments.has("check") { return check(file) ? .fine : .wrongInput }
    do throws(LoadFailure) {
        let stamp = FileStamp(of: file)
        let configuration = try loadConfiguration(file, ingressClass: ingressClass) {
            complain($0 + "\n", raw: true)
        }
        var serve = Serve(configuration, file: file, ingressClass: ingressClass, stamp: stamp)
        return serve.run()
    } catch {
        complain(error.text + "\n", raw: true)
        return .wrongInput
    }
}

/// The class that was asked for.
private func ingressClass(in arguments: Arguments) throws(UsageError) -> String? {
    guard let name = arguments.options["ingress-class"] else { return nil }
    guard isIngressClass(name) else {
        throw UsageError(text: "--ingress-class takes the name of an IngressClass, found \(name)")
    }
    return name
}

/// Runs a gateway with a checked configuration.
struct Serve {
    private let configuration: Configuration
    /// The file to reload from; nil when there is none.
    private let file: String?
    /// The class of Ingresses that the command line asked for.
    private let ingressClass: String?
    /// The last good configuration without what Ingresses add.
    private var base: Configuration
    /// What Ingresses add; nil: they are not known, or none are served.
    private var overlay: IngressOverlay?
    private var watch: FileWatch<FileStamp>
    /// Of the files that TLS needs.
    private var materialWatch: FileWatch<[FileStamp]>
    private let tickets = TLSTickets()
    private let orders = Orders()
    private let output = LineWriter(to: StandardStreams.output)
    private let errors = LineWriter(to: StandardStreams.error)
    private let log: Log

    /// `stamp` is the state of the file that the configuration was read from.
    init(
        _ configuration: Configuration,
        file: String? = nil,
        ingressClass: String? = nil,
        stamp: FileStamp? = nil
    ) {
        self.configuration = configuration
        self.file = file
        self.ingressClass = ingressClass
        base = configuration
        watch = FileWatch(stamp)
        materialWatch = FileWatch(materialStamps(of: configuration))
        log = Log(
            now: { UInt64(max(0, wallClockNanoseconds())) },
            sink: { [errors] line in errors.write(line) }
        )
    }

    /// Serves until SIGTERM or SIGINT has drained the gateway; a second signal stops at once.
    mutating func run() -> ExitCode {
        // Before there is a second thread.
        let signals = Signals(taking: [SIGTERM, SIGINT, SIGHUP])
        let gateway: Gateway
        do throws(LoadFailure) {
            let material = try loadMaterial(for: configuration, tickets) { complain($0) }
            do throws(SystemError) {
                gateway = try makeGateway(material)
            } catch {
                throw LoadFailure(text: "\(error)")
            }
        } catch {
            complain("cannot start: \(error.text)")
            return .cannotStart
        }
        output.start(name: "output", taking: gateway.accessLog)
        errors.start(name: "log")
        handle(signals, for: gateway)
        gateway.start { [orders] result in orders.put(.started(result)) }
        let code = obey(gateway)
        withExtendedLifetime(signals) {}
        output.finish()
        errors.finish()
        return code
    }

    /// Each client may need a connection to a replica; listeners, logs and pipes need some too.
    private func connectionsMax(of descriptors: Int, loops: Int) -> Int {
        max(16, (descriptors - 64 - loops * PipePool.descriptorsMax) / 2)
    }

    private func makeGateway(_ material: TLSMaterial) throws(SystemError) -> Gateway {
        let descriptors = DescriptorLimit.raise()
        let loops = try makeLoops()
        let gateway = Gateway(
            configuration,
            material,
            in: Gateway.Surroundings(
                loops: loops,
                log: log,
                wakeLogWriter: { [output] in output.wake() },
                processOutput: { [output] line in output.write(line + "\n") },
                droppedOutputLines: { [output, errors] in output.dropped + errors.dropped },
                reload: { [orders] done in
                    if !orders.put(.reload(done)) { done(.unavailable("too many reloads wait")) }
                },
                connectionsMax: connectionsMax(of: descriptors, loops: loops.count),
                machine: Machine(
                    environment: ProcessInfo.processInfo.environment,
                    // `try?`: what cannot be read is not there.
                    readFile: { try? readSmallFile($0, bytesMax: $1) }
                ),
                takeOverlay: { [orders] in orders.put(.overlay($0)) }
            )
        )
        for (index, loop) in loops.enumerated() { loop.start(name: "loop-\(index)") }
        return gateway
    }

    private func makeLoops() throws(SystemError) -> [Loop] {
        let count = configuration.loops ?? ProcessInfo.processInfo.activeProcessorCount
        let slabs = max(16, configuration.limits.bufferBytes / ByteBuffer.slabBytes / count)
        var loops: [Loop] = []
        for index in 0..<count {
            loops.append(
                Loop(
                    index: index,
                    network: try SystemNetwork(),
                    bufferLimit: slabs
                )
            )
        }
        return loops
    }

    private func handle(_ signals: Signals, for gateway: Gateway) {
        for number in [SIGTERM, SIGINT] {
            signals.handle(number) { [orders] in gateway.stop { orders.put(.over) } }
        }
        signals.handle(SIGHUP) { [orders] in orders.put(.reload { _ in }) }
    }

    // MARK: while it runs

    /// Does what the main thread is told, until everything is over.
    private mutating func obey(_ gateway: Gateway) -> ExitCode {
        var code = ExitCode.fine
        while true {
            let isWatching = file != nil && gateway.configuration.watch
            let isSecure = !TLSMaterial.files(of: gateway.configuration).isEmpty
            let rest: DispatchTimeInterval = isWatching || isSecure ? .seconds(1) : .never
            guard let order = orders.next(within: rest) else {
                if isWatching, let file, watch.look(FileStamp(of: file)) {
                    _ = reload(gateway)
                } else if materialWatch.look(materialStamps(of: gateway.configuration)) {
                    reloadMaterial(gateway)
                }
                continue
            }
            switch order {
            case .started(.success(let bound)):
                for address in bound.listeners { log.info("listener", "listening at \(address)") }
                log.info("admin", "listening at \(bound.admin)")
                if let address = bound.externalMetrics {
                    log.info("metrics", "listening at \(address)")
                }
            case .started(.failure(let error)):
                complain("cannot start: \(error.address): \(error.why)")
                code = .cannotStart
                // Twice: there is nothing in flight to wait for.
                gateway.stop { [orders] in orders.put(.over) }
                gateway.stop {}
            case .reload(let done):
                done(reload(gateway))
            case .overlay(let overlay):
                take(overlay, gateway)
            case .over:
                return code
            }
        }
    }

    private func warn(_ text: String) {
        for line in text.split(separator: "\n") { log.warning("reload", "\(line)") }
    }

    /// Reads what the TLS of the next configuration needs, to replace what a gateway has.
    private func material(
        for next: Configuration,
        beside gateway: Gateway,
        warn: (String) -> Void
    ) throws(LoadFailure) -> TLSMaterial {
        try loadMaterial(
            for: next,
            tickets,
            adding: overlay?.certificates ?? [],
            inForce: gateway.certificatesInForce,
            warn: warn
        )
    }

    private mutating func reload(_ gateway: Gateway) -> ReloadOutcome {
        guard let file else {
            log.warning("reload", "there is no file to reload from")
            return .unavailable("this gateway was started without a file")
        }
        let outcome: ReloadOutcome
        do throws(LoadFailure) {
            watch.take(FileStamp(of: file))
            let read = try loadConfiguration(file, ingressClass: ingressClass) { warn($0) }
            let next = read.adding(overlay ?? .none)
            materialWatch.take(materialStamps(of: next))
            let material = try material(for: next, beside: gateway) { warn($0) }
            let changes = Plan(from: gateway.configuration, to: next).lines
            let needs = restartNeeds(from: configuration, to: read)
            gateway.apply(next, material)
            base = read
            if overlay != nil { gateway.noteOverlay() }
            log.info(
                "reload",
                changes.isEmpty ? "nothing has changed" : changes.joined(separator: "; ")
            )
            for need in needs { log.warning("reload", need) }
            outcome = .applied(changes + needs)
        } catch {
            log.error("reload", "the configuration in force stays:")
            for line in error.text.split(separator: "\n") { log.error("reload", "\(line)") }
            outcome = .refused(error.text)
        }
        gateway.noteReload(outcome, wallNanoseconds: wallClockNanoseconds())
        return outcome
    }

    /// Applies the configuration again, with what Ingresses add now.
    private mutating func take(_ overlay: IngressOverlay, _ gateway: Gateway) {
        // Also if the files are not in order now: then the next reload takes it.
        self.overlay = overlay
        do throws(LoadFailure) {
            let next = base.adding(overlay)
            let material = try material(for: next, beside: gateway) { _ in }
            let changes = Plan(from: gateway.configuration, to: next).lines
            gateway.apply(next, material)
            gateway.noteOverlay()
            let lines = changes.isEmpty ? "certificates" : changes.joined(separator: "; ")
            log.info("ingress", "changed: \(lines)")
        } catch {
            log.error("ingress", "the configuration in force stays:")
            for line in error.text.split(separator: "\n") { log.error("ingress", "\(line)") }
        }
    }

    /// Takes changed certificates, keys and authorities over; the configuration stays.
    private func reloadMaterial(_ gateway: Gateway) {
        let outcome: ReloadOutcome
        do throws(LoadFailure) {
            let configuration = gateway.configuration
            let material = try material(for: configuration, beside: gateway) { warn($0) }
            gateway.apply(configuration, material)
            let change = "certificates and keys were read again"
            log.info("reload", change)
            outcome = .applied([change])
        } catch {
            log.error("reload", "the certificates in force stay:")
            for line in error.text.split(separator: "\n") { log.error("reload", "\(line)") }
            outcome = .refused(error.text)
        }
        gateway.noteReload(outcome, wallNanoseconds: wallClockNanoseconds())
    }
}
