// What one seed means: how many loops, pools and replicas, what goes wrong, and when.

import Simulation
import Transport

/// The plan of a whole gateway's world.
///
/// A value: the same seed gives the same plan.
struct WorldPlan {
    /// Kinds of trouble; each seed switches some of them off altogether.
    enum Trouble: CaseIterable {
        case network, replicaFaults, crashes, silence, sickness, reloads, drains
        case clients, deadlines, overload, fewConnections, scarcity, smallBodies, earlyStop
    }

    /// Something that happens to the world at its time.
    enum Event {
        case crash(Int), start(Int)
        case swallow(Int, Bool)
        case health(Int, Bool)
        case reload(Variant)
        case drain(Int, Bool)
    }

    /// What a reload may change.
    struct Variant {
        var concurrency: [Int]
        /// Which replicas are listed.
        var listed: [Bool]
    }

    struct Replica {
        var pool: Int
        var behaviour: ReplicaBehaviour
        var address: Address
        var name: String { address.description }
    }

    let seed: UInt64
    var troubles: Set<Trouble> = []
    var conditions = Conditions.kind
    var loops = 1
    var poolCount = 1
    var replicas: [Replica] = []
    var first = Variant(concurrency: [], listed: [])
    var policies: [String] = []
    var probes: [Bool] = []
    var isIdempotent = false
    var finishesWithoutClient = false
    /// When an attempt is given up for its replica's silence.
    var attemptTimeout = "auto"
    var connectionsMax = 10_000
    var queueLimit = 64
    /// Largest request body, in bytes.
    var bodyBytesMax = 1 << 30
    /// Slabs that each loop may use at once.
    var bufferLimit = 4_096
    /// Whether the gateway is told twice to stop, which cuts what is in flight.
    var stopsTwice = false
    var traffic: [(arrivals: Arrivals, mix: TrafficMix, requests: Int)] = []
    var events: [(at: Duration, event: Event)] = []
    /// How long clients come.
    var span = Duration.seconds(4)
    /// When the gateway is told to stop; nil: after the last request.
    var stopAt: Duration?

    static let listener = Address(bytes: [10, 0, 0, 1], port: 8_080)
    static let admin = Address(bytes: [127, 0, 0, 1], port: 9_900)
    static let paths = ["/predict", "/rank"]
    static let pools = ["sales", "ranking"]

    init(seed: UInt64) {
        self.seed = seed
        var chance = SeededGenerator(seed: seed ^ 0x5eed)
        for trouble in Trouble.allCases where chance.chance(0.5) { troubles.insert(trouble) }
        if troubles.contains(.network) { conditions = .random(using: &chance) }
        loops = chance.number(in: 1...3)
        poolCount = chance.number(in: 1...2)
        makePools(&chance)
        makeTraffic(&chance)
        makeEvents(&chance)
        // A draw of its own: what a seed means otherwise stays as it was.
        var another = SeededGenerator(seed: seed ^ 0x51_1e_4c_e0)
        attemptTimeout = another.pick(["auto", "off", "5ms", "40ms", "300ms"])
        if troubles.contains(.fewConnections) { connectionsMax = chance.number(in: 3...40) }
        if troubles.contains(.scarcity) {
            bufferLimit = chance.number(in: 4...30)
            conditions.descriptorLimit = chance.number(in: 10...80)
        }
        if troubles.contains(.smallBodies) { bodyBytesMax = chance.pick([1_024, 1_500, 100_000]) }
        if troubles.contains(.earlyStop) {
            stopAt = chance.duration(in: .milliseconds(200)...(.seconds(4)))
            stopsTwice = chance.chance(0.3)
        }
    }

    /// The loops, pools and traffic of a seed, in a world in which nothing goes wrong.
    static func untroubled(seed: UInt64) -> WorldPlan {
        var plan = WorldPlan(seed: seed)
        plan.troubles = []
        plan.conditions = .kind
        plan.connectionsMax = 10_000
        plan.bufferLimit = 4_096
        plan.bodyBytesMax = 1 << 30
        plan.queueLimit = 5_000
        plan.events = []
        plan.stopAt = nil
        plan.stopsTwice = false
        plan.attemptTimeout = "auto"
        for index in plan.replicas.indices { plan.replicas[index].behaviour.faults = [] }
        plan.traffic = [(.steady(perSecond: 30), TrafficMix(), 100)]
        return plan
    }

    private mutating func makePools(_ chance: inout SeededGenerator) {
        isIdempotent = chance.chance(0.2)
        finishesWithoutClient = chance.chance(0.2)
        queueLimit = chance.pick([1, 8, 64, 500])
        for pool in 0..<poolCount {
            first.concurrency.append(chance.number(in: 1...4))
            policies.append(
                chance.pick([
                    "least-connections", "least-connections", "round-robin", "power-of-two",
                    "peak-ewma", "consistent-hash",
                ])
            )
            probes.append(chance.chance(0.7))
            for number in 1...chance.number(in: 1...5) {
                var replica = Replica(
                    pool: pool,
                    behaviour: ReplicaBehaviour(),
                    address: Address(bytes: [10, 1, UInt8(pool), UInt8(number)], port: 5_000)
                )
                replica.behaviour = behaviour(&chance)
                replicas.append(replica)
                first.listed.append(true)
            }
        }
    }

    private func behaviour(_ chance: inout SeededGenerator) -> ReplicaBehaviour {
        var behaviour = ReplicaBehaviour()
        let mean = chance.duration(in: .milliseconds(1)...(.milliseconds(40)))
        behaviour.service = chance.pick([
            .constant(mean), .exponential(mean: mean), .heavyTail(least: mean / 3),
            .tokens(1...8, every: mean / 4),
        ])
        if chance.chance(0.6) { behaviour.framings = AnswerFraming.allCases }
        if chance.chance(0.3) { behaviour.interim = 0.1 }
        if chance.chance(0.5) {
            behaviour.idleTimeout = chance.duration(in: .milliseconds(200)...(.seconds(3)))
        }
        if troubles.contains(.replicaFaults), chance.chance(0.7) {
            for fault in ReplicaFault.allCases where chance.chance(0.35) {
                behaviour.faults.append((fault, chance.unit() * 0.06))
            }
        }
        return behaviour
    }

    private mutating func makeTraffic(_ chance: inout SeededGenerator) {
        for pool in 0..<poolCount {
            var mix = TrafficMix()
            if troubles.contains(.clients) { mix = .random(using: &chance) }
            mix.timeouts = troubles.contains(.deadlines) ? 0.3 : 0
            mix.path = WorldPlan.paths[pool]
            if chance.chance(0.5) { mix.requestsPerClient = 1...5 }
            let isMuch = troubles.contains(.overload)
            let arrivals: Arrivals = chance.pick([
                .steady(perSecond: isMuch ? 300 : 40),
                .burst(
                    count: isMuch ? 60 : 5,
                    every: .milliseconds(chance.number(in: 100...900))
                ),
                .closedLoop(clients: isMuch ? 40 : 3, think: .milliseconds(10)),
            ])
            traffic.append((arrivals, mix, isMuch ? 250 : 100))
        }
        var lost = TrafficMix()
        lost.path = "/nowhere"
        traffic.append((.steady(perSecond: 2), lost, 5))
    }

    private mutating func makeEvents(_ chance: inout SeededGenerator) {
        func some(_ trouble: Trouble, _ make: (inout SeededGenerator, Int) -> (Event, Event)) {
            guard troubles.contains(trouble) else { return }
            for replica in replicas.indices where chance.chance(0.5) {
                let at = chance.duration(in: .milliseconds(100)...span)
                let (begin, end) = make(&chance, replica)
                events.append((at, begin))
                events.append((at + chance.duration(in: .milliseconds(50)...(.seconds(6))), end))
            }
        }
        some(.crashes) { _, replica in (.crash(replica), .start(replica)) }
        some(.silence) { _, replica in (.swallow(replica, true), .swallow(replica, false)) }
        some(.sickness) { _, replica in (.health(replica, false), .health(replica, true)) }
        some(.drains) { _, replica in (.drain(replica, true), .drain(replica, false)) }
        guard troubles.contains(.reloads) else { return }
        for _ in 0..<chance.number(in: 1...4) {
            let variant = Variant(
                concurrency: first.concurrency.map { _ in chance.number(in: 1...5) },
                listed: first.listed.map { _ in chance.chance(0.7) }
            )
            events.append(
                (chance.duration(in: .milliseconds(100)...span), .reload(variant))
            )
        }
    }

    private func policyText(_ name: String) -> String {
        guard name == "consistent-hash" else { return "\"\(name)\"" }
        return "{ name: \"consistent-hash\", key: { header: \"X-Sim-Number\" } }"
    }

    /// The configuration file of a variant.
    func text(of variant: Variant) -> String {
        var pools: [String] = []
        var routes: [String] = []
        for pool in 0..<poolCount {
            let listed = replicas.indices.filter { replicas[$0].pool == pool && variant.listed[$0] }
            // A pool without replicas is no valid file: the first stays.
            let kept = listed.isEmpty ? [replicas.firstIndex { $0.pool == pool } ?? 0] : listed
            let addresses = kept.map { "\"\(replicas[$0].name)\"" }.joined(separator: ", ")
            pools.append(
                """
                    \(WorldPlan.pools[pool]): {
                      replicas: [\(addresses)],
                      concurrency: \(variant.concurrency[pool]),
                      policy: \(policyText(policies[pool])),
                      health: { path: \(probes[pool] ? "\"/health\"" : "\"none\"") },
                    },
                """
            )
            routes.append(
                """
                    { path: "\(WorldPlan.paths[pool])", pool: "\(WorldPlan.pools[pool])", \
                idempotent: \(isIdempotent) },
                """
            )
        }
        return """
            {
              listeners: [{ address: "0.0.0.0:8080" }],
              timeouts: { head: "2s", body: "2s", write: "3s", keepAlive: "4s" },
              limits: { bodyBytes: "\(bodyBytesMax)B" },
              shutdown: { drainDelay: "500ms", grace: "8s" },
              defaults: {
                queue: { limit: \(queueLimit), timeout: "5s", patience: "3s" },
                health: { interval: "1s", timeout: "500ms", changingInterval: "200ms" },
                outliers: { ejectFor: "1s" },
                slowStart: "2s", stall: "6s", connectTimeout: "500ms", keepAlive: "1s",
                timeout: "20s", streamIdle: "3s",
                onClientAbort: "\(finishesWithoutClient ? "finish" : "cancel")",
                retries: { attemptTimeout: "\(attemptTimeout)" },
              },
              pools: {
            \(pools.joined(separator: "\n"))
              },
              routes: [
            \(routes.joined(separator: "\n"))
              ],
            }
            """
    }
}
