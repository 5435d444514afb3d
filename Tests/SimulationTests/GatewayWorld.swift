// A whole gateway in a simulated world: its real loops, pools and parsers, with clients on one
// side and replicas on the other.

import Configuration
import Simulation
import Telemetry
import Transport

@testable import Balancing
@testable import Gateway

/// One world with one gateway, run from start to after its stop.
final class GatewayWorld {
    let plan: WorldPlan
    let world: SimulatedWorld
    let journal: Journal
    let invariants: Invariants
    let gateway: Gateway
    private let loops: [Loop]
    private(set) var replicas: [SimulatedReplica] = []
    private var traffic: [Traffic] = []
    private var last: [String: [ReplicaSnapshot]] = [:]
    private var turnsChecked = 0
    private var stopCalledAt: Duration?
    private let notes = Notes()

    /// What the gateway reports, from its loops on the test's own thread.
    private final class Notes: @unchecked Sendable {
        var isStarted = false
        var isStopped = false
        var buffersInUse: [Int] = []
    }

    /// Why a world could not be built: the plan's configuration is wrong.
    struct Unbuildable: Error { let why: String }

    init(_ plan: WorldPlan) throws {
        self.plan = plan
        let world = SimulatedWorld(seed: plan.seed, conditions: plan.conditions)
        self.world = world
        journal = Journal(in: world)
        invariants = Invariants(of: journal)
        invariants.allAreIdempotent = plan.isIdempotent
        invariants.mayGiveUp = plan.attemptTimeout != "off"
        // A connection that nobody can accept waits in the kernel, and its requests with it.
        if plan.troubles.contains(.scarcity) { invariants.deadlineSlack = .seconds(3_600) }
        loops = (0..<plan.loops).map { _ in world.makeLoop(bufferLimit: plan.bufferLimit) }
        let log = Log(minimum: .debug, now: { 0 }) { [unowned world] line in
            if world.trace.isPrinted { print(world.elapsed, line, terminator: "") }
        }
        gateway = Gateway(
            try GatewayWorld.configuration(plan, plan.first),
            in: Gateway.Surroundings(
                loops: loops,
                log: log,
                resolver: { _, _, done in done(.notFound) },
                connectionsMax: plan.connectionsMax
            )
        )
        for replica in plan.replicas {
            replicas.append(
                SimulatedReplica(
                    replica.name,
                    at: replica.address,
                    limit: plan.first.concurrency[replica.pool],
                    behaviour: replica.behaviour,
                    journal: journal
                )
            )
        }
        world.afterStep.append { [unowned self] in checkCounts() }
    }

    private static func configuration(
        _ plan: WorldPlan,
        _ variant: WorldPlan.Variant
    ) throws -> Configuration {
        let text = plan.text(of: variant)
        do {
            return try Configuration.load(text: text, file: "world", environment: [:]).checked()
        } catch {
            throw Unbuildable(why: "\(error.diagnostics)\n\(text)")
        }
    }

    // MARK: running

    /// Runs the whole plan; the violations.
    func run() -> [String] {
        start()
        for (at, event) in plan.events {
            world.after(at) { [unowned self] in happen(event) }
        }
        if let stopAt = plan.stopAt { world.after(stopAt) { [unowned self] in stop() } }
        let isOver = world.run(within: .seconds(300)) { traffic.allSatisfy(\.isOver) }
        if !isOver { world.violate("\(journal.openRequests) requests go on for ever") }
        judgeMetrics()
        if stopCalledAt == nil { stop() }
        if !world.run(within: .seconds(60), until: { notes.isStopped }) {
            world.violate("the gateway did not stop")
        }
        finish()
        invariants.judge(
            answersAreExpected: plan.troubles.isDisjoint(with: [.fewConnections, .scarcity]),
            before: stopCalledAt ?? .zero
        )
        return world.violations
    }

    private func start() {
        gateway.start { [notes, world] result in
            notes.isStarted = true
            if case .failure(let error) = result { world.violate("cannot start: \(error)") }
        }
        _ = world.run(within: .seconds(5)) { notes.isStarted }
        // The replicas have been found and probed.
        _ = world.run(within: .milliseconds(100))
        for (arrivals, mix, requests) in plan.traffic {
            traffic.append(
                Traffic(
                    arrivals,
                    mix,
                    to: WorldPlan.listener,
                    for: plan.span,
                    requests: requests,
                    journal: journal
                )
            )
        }
    }

    private func stop() {
        guard stopCalledAt == nil else { return }
        stopCalledAt = world.elapsed
        gateway.stop { [notes] in notes.isStopped = true }
        guard plan.stopsTwice else { return }
        world.after(world.chance.duration(in: .zero...(.seconds(4)))) { [gateway] in
            gateway.stop {}
        }
    }

    /// After the stop nothing may be left: no connection, no buffer, no lease, no waiter.
    private func finish() {
        _ = world.run(within: .seconds(30)) { world.openDescriptors == 0 }
        invariants.judgeEmptiness()
        let notes = notes
        for loop in loops {
            loop.spawn { context in notes.buffersInUse.append(context.buffers.inUse) }
        }
        _ = world.run(within: .seconds(1)) { notes.buffersInUse.count == loops.count }
        if notes.buffersInUse != loops.map({ _ in 0 }) {
            world.violate("buffers in use after the end: \(notes.buffersInUse)")
        }
        for pool in gateway.snapshot.pools {
            let counts = pool.snapshot()
            if counts.inFlight != 0 || counts.waiters != 0 {
                world.violate(
                    "\(pool.name) after the end: \(counts.inFlight) in flight, "
                        + "\(counts.waiters) wait"
                )
            }
        }
        if gateway.openConnections != 0 {
            world.violate("\(gateway.openConnections) connections counted after the end")
        }
    }

    private func happen(_ event: WorldPlan.Event) {
        switch event {
        case .crash(let number): replicas[number].crash()
        case .start(let number): replicas[number].start()
        case .swallow(let number, let isSwallowed):
            world.swallow(replicas[number].address, isSwallowed)
        case .health(let number, let isHealthy): replicas[number].isHealthy = isHealthy
        case .drain(let number, let isDraining):
            let replica = plan.replicas[number]
            _ = gateway.snapshot.pool(named: WorldPlan.pools[replica.pool])?
                .setDraining(replica.name, isDraining, now: world.now)
        case .reload(let variant): reload(variant)
        }
    }

    private func reload(_ variant: WorldPlan.Variant) {
        guard stopCalledAt == nil else { return }
        // What is in flight under an old limit may stay above a new one.
        for (number, replica) in plan.replicas.enumerated() {
            let limit = variant.concurrency[replica.pool]
            replicas[number].limit = max(replicas[number].limit, limit)
        }
        do {
            gateway.apply(try GatewayWorld.configuration(plan, variant))
        } catch {
            world.violate("a reload failed: \(error)")
        }
    }

    /// In worlds where every client stays, each answer is counted once, under its status.
    private func judgeMetrics() {
        let quiet: Set<WorldPlan.Trouble> = [.clients, .fewConnections, .scarcity, .earlyStop]
        guard plan.troubles.isDisjoint(with: quiet) else { return }
        var expected: [Int: Int] = [:]
        for record in journal.records {
            switch record.end {
            case .answered(let status, _), .cut(let status): expected[status, default: 0] += 1
            default: continue
            }
        }
        // What was accounted for after the client had its answer has been counted by now.
        _ = world.run(within: .seconds(1))
        let page = MetricsReader(in: world, at: WorldPlan.admin)
        _ = world.run(within: .seconds(5)) { page.isComplete }
        let counted = page.sum("sluice_requests_total", by: "code")
        if counted != expected {
            world.violate(
                "answers by status: \(expected.sorted { $0.key < $1.key })"
                    + ", counted: \(counted.sorted { $0.key < $1.key })"
            )
        }
    }

    // MARK: what must always hold

    private func checkCounts() {
        guard world.busyTurns != turnsChecked else { return }
        turnsChecked = world.busyTurns
        for pool in gateway.snapshot.pools {
            let counts = pool.snapshot()
            if counts.waiters > counts.queueLimit, plan.troubles.isDisjoint(with: [.reloads]) {
                world.violate("\(pool.name): \(counts.waiters) wait of \(counts.queueLimit)")
            }
            check(counts.replicas, of: pool.name)
        }
    }

    /// A step may change a limit or a state after it has leased: what held before it counts too.
    private func check(_ now: [ReplicaSnapshot], of pool: String) {
        for replica in now {
            guard let before = last[pool]?.first(where: { $0.id == replica.id }),
                replica.inFlight > before.inFlight
            else { continue }
            let limit = max(before.concurrencyLimit, replica.concurrencyLimit)
            if replica.inFlight > limit {
                world.violate("\(replica.endpoint): \(replica.inFlight) leases of \(limit)")
            }
            if before.state == .draining && replica.state == .draining {
                world.violate("\(replica.endpoint): leased while draining")
            }
        }
        last[pool] = now
    }
}
