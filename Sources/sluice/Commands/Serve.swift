// `sluice serve FILE`: runs the gateway in the foreground until a signal.

internal import Configuration
internal import Dispatch
internal import Foundation
internal import Gateway
internal import Telemetry
internal import Transport

/// Runs a gateway with a checked configuration.
struct Serve {
    let configuration: Configuration
    /// The file to reload from; nil when there is none.
    let file: String?

    /// Serves until SIGTERM or SIGINT has drained the gateway; a second signal stops at once.
    func run() -> ExitCode {
        let descriptors = DescriptorLimit.raise()
        let loops: [Loop]
        do throws(SystemError) {
            loops = try makeLoops()
        } catch {
            complain("cannot start: \(error)")
            return .cannotStart
        }
        let output = OutputWriter()
        let log = Log(now: { UInt64(max(0, wallClockNanoseconds())) }, sink: { complain($0, raw: true) })
        let gateway = Gateway(
            configuration,
            in: Gateway.Surroundings(
                loops: loops, log: log,
                wakeLogWriter: { output.wake() },
                processOutput: { line in output.write(line) },
                connectionsMax: max(16, (descriptors - 64) / 2)))
        output.start(taking: gateway.accessLog)
        for (index, loop) in loops.enumerated() { loop.start(name: "loop-\(index)") }

        let over = DispatchSemaphore(value: 0)
        let started = StartOutcome()
        gateway.start { result in
            started.set(result)
            over.signal()
        }
        over.wait()
        switch started.value {
        case .failure(let error):
            complain("cannot start: \(error.address): \(error.why)")
            return .cannotStart
        case .success(let bound):
            for address in bound.listeners { log.info("listener", "listening at \(address)") }
            log.info("admin", "listening at \(bound.admin)")
        case nil:
            return .cannotStart
        }
        let signals = Signals(gateway: gateway, reload: { self.reload(gateway, log) }) {
            over.signal()
        }
        over.wait()
        withExtendedLifetime(signals) {}
        output.finish()
        return .fine
    }

    private func makeLoops() throws(SystemError) -> [Loop] {
        let count = configuration.loops ?? ProcessInfo.processInfo.activeProcessorCount
        let slabs = max(16, configuration.limits.bufferBytes / ByteBuffer.slabBytes / count)
        let epoch = ContinuousClock.now
        var loops: [Loop] = []
        for index in 0..<count {
            loops.append(
                Loop(
                    index: index, network: try SystemNetwork(), bufferLimit: slabs, epoch: epoch))
        }
        return loops
    }

    private func reload(_ gateway: Gateway, _ log: Log) {
        guard let file else { return }
        do throws(LoadFailure) {
            let next = try loadConfiguration(file)
            let plan = Plan(from: gateway.configuration, to: next)
            gateway.apply(next)
            gateway.noteReload(.applied(plan.lines), wallNanoseconds: wallClockNanoseconds())
            log.info("reload", plan.isEmpty ? "nothing has changed" : plan.lines.joined(separator: "; "))
        } catch {
            gateway.noteReload(.refused(error.text), wallNanoseconds: wallClockNanoseconds())
            log.error("reload", "the old configuration stays: \(error.text)")
        }
    }
}

/// The result of `Gateway.start`, from the loop that reports it.
private final class StartOutcome: @unchecked Sendable {
    private let lock = NSLock()
    private var outcome: Result<Bound, StartError>?
    func set(_ result: Result<Bound, StartError>) { lock.withLock { outcome = result } }
    var value: Result<Bound, StartError>? { lock.withLock { outcome } }
}
