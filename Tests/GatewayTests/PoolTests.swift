import Balancing
import Configuration
import Glibc
import Simulation
import Synchronization
import Telemetry
import Testing
import Transport

@testable import Gateway

/// The lock, the waiters and the timer around the decisions: exact over all loops.
@Suite(.timeLimit(.minutes(2))) struct `A pool` {
    // MARK: real loops, real threads

    /// Loops with their threads, and a pool that their tasks lease from.
    private final class Crowd: Sendable {
        let loops: [Loop]
        let gateway: Gateway
        let pool: Pool
        let isOver = Atomic<Bool>(false)
        /// Leases per replica that stand now, as the tasks themselves count.
        let inFlight = Mutex<[ReplicaID: Int]>([:])
        let most = Atomic<Int>(0)
        let leased = Atomic<Int>(0)
        let gone = Atomic<Int>(0)
        let surprises = Mutex<[String]>([])

        init(loops count: Int, options: PoolOptions) throws {
            loops = try (0..<count).map { index in
                Loop(index: index, network: try SystemNetwork(), bufferLimit: 64)
            }
            gateway = Gateway(
                Configuration(),
                in: Gateway.Surroundings(loops: loops, log: Log(now: { 0 }, sink: { _ in }))
            )
            pool = Pool(
                name: "m",
                options: options,
                seed: 1,
                metrics: gateway.metrics.pool("m"),
                log: gateway.log,
                closeIdle: { _ in }
            )
            for loop in loops {
                loop.start(name: "test-loop")
                loop.spawn { context in
                    context.attachment = Lane(gateway: self.gateway, loop: loop, context: context)
                }
            }
            loops[0].spawn { context in
                await self.pool.keepTime(on: Lane.of(context)) {
                    self.isOver.load(ordering: .acquiring)
                }
            }
        }

        func list(_ count: Int) {
            let now = Instant.now
            let wanted = (0..<count).map { number in
                let address = Address(bytes: [10, 1, 0, UInt8(number)], port: 1)
                return (ReplicaSpec(endpoint: "\(address)"), address)
            }
            for endpoint in pool.setReplicas(wanted, now: now) {
                pool.probed(endpoint.id, .passed, now: now)
            }
        }

        func end() {
            isOver.store(true, ordering: .releasing)
            pool.wakeTimekeeper()
            for loop in loops { loop.stop() }
        }

        /// Leases so often, from one task of a loop; `leaves` breaks its client's connection.
        func lease(_ times: Int, on context: LoopContext, leaves: Bool) async {
            var ends: [Int32] = [0, 0]
            guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0,
                let socket = try? Socket(ends[0], on: context)
            else { return surprises.withLock { $0.append("no socket") } }
            let client = ClientConnection(
                socket,
                as: .client,
                from: nil,
                idleUntil: context.now + .seconds(60),
                on: Lane.of(context)
            )
            let exchange = Exchange(client: client, lane: Lane.of(context))
            for round in 0..<times {
                exchange.reset()
                exchange.setDeadline(route: .seconds(60), client: nil)
                if leaves && round == times / 2 { shutdown(ends[1], Int32(SHUT_RDWR)) }
                await leaseOnce(exchange, round)
            }
            close(ends[1])
            socket.close()
        }

        private func leaseOnce(_ exchange: Exchange, _ round: Int) async {
            do throws(ExchangeError) {
                let lease = try await pool.lease(for: exchange)
                let id = lease.endpoint.id
                let count = inFlight.withLock { counts in
                    counts[id, default: 0] += 1
                    return counts[id, default: 0]
                }
                note(count)
                for _ in 0..<(round % 4) { await exchange.lane.context.yield() }
                inFlight.withLock { $0[id, default: 0] -= 1 }
                leased.add(1, ordering: .relaxed)
                if round % 5 > 0 { lease.end(.success) }
            } catch {
                if case .clientGone = error {
                    gone.add(1, ordering: .relaxed)
                } else {
                    surprises.withLock { $0.append("\(error)") }
                }
            }
        }

        private func note(_ count: Int) {
            var known = most.load(ordering: .relaxed)
            while count > known {
                let exchange = most.compareExchange(
                    expected: known,
                    desired: count,
                    ordering: .relaxed
                )
                if exchange.exchanged { return }
                known = exchange.original
            }
        }

        /// Runs tasks on every loop and waits for the last one.
        func run(tasks: Int, times: Int, leaves: @escaping @Sendable (Int) -> Bool) async {
            let left = Atomic<Int>(tasks * loops.count)
            await withCheckedContinuation { continuation in
                for loop in loops {
                    for task in 0..<tasks {
                        loop.spawn { context in
                            await self.lease(times, on: context, leaves: leaves(task))
                            if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
                                continuation.resume()
                            }
                        }
                    }
                }
            }
        }
    }

    private static var options: PoolOptions {
        PoolOptions(
            concurrency: 2,
            queue: QueueOptions(limit: 1_000, timeout: .seconds(60)),
            slowStart: .zero
        )
    }

    @Test(arguments: [1, 2, 4])
    func `never lends more than its replicas have`(loops: Int) async throws {
        let crowd = try Crowd(loops: loops, options: Self.options)
        defer { crowd.end() }
        crowd.list(3)
        await crowd.run(tasks: 24 / loops, times: 120) { _ in false }
        #expect(crowd.surprises.withLock { $0 } == [])
        #expect(crowd.leased.load(ordering: .relaxed) == 24 * 120)
        #expect(crowd.most.load(ordering: .relaxed) == 2)
        let snapshot = crowd.pool.snapshot()
        #expect(snapshot.inFlight == 0 && snapshot.waiters == 0)
    }

    @Test func `loses no slot to clients that leave`() async throws {
        let crowd = try Crowd(loops: 3, options: Self.options)
        defer { crowd.end() }
        crowd.list(2)
        await crowd.run(tasks: 12, times: 100) { $0 % 2 == 0 }
        #expect(crowd.surprises.withLock { $0 } == [])
        #expect(crowd.most.load(ordering: .relaxed) <= 2)
        let snapshot = crowd.pool.snapshot()
        #expect(snapshot.inFlight == 0 && snapshot.waiters == 0)
    }

    @Test func `stays exact while replicas come, go and change`() async throws {
        let crowd = try Crowd(loops: 2, options: Self.options)
        defer { crowd.end() }
        crowd.list(2)
        let isDone = Atomic<Bool>(false)
        async let churn: Void = withCheckedContinuation { continuation in
            crowd.loops[1].spawn { context in
                var round = 0
                while !isDone.load(ordering: .acquiring) {
                    round += 1
                    crowd.list(1 + round % 4)
                    var options = Self.options
                    options.concurrency = 1 + round % 3
                    crowd.pool.configure(options, now: Instant.now)
                    await context.yield()
                }
                crowd.list(2)
                continuation.resume()
            }
        }
        await crowd.run(tasks: 10, times: 100) { _ in false }
        isDone.store(true, ordering: .releasing)
        await churn
        #expect(crowd.surprises.withLock { $0 } == [])
        #expect(crowd.leased.load(ordering: .relaxed) == 2 * 10 * 100)
        #expect(crowd.most.load(ordering: .relaxed) <= 3)
        let snapshot = crowd.pool.snapshot()
        #expect(snapshot.inFlight == 0 && snapshot.waiters == 0)
        #expect(snapshot.replicas.count == 2)
    }

    // MARK: one world

    @Test func `tells whom to probe once, and its prober when the replica is gone`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2))
        let gone = try #require(stage.pool.snapshot().replicas.last)
        #expect(stage.pool.nextProbe(of: gone.id) != nil)
        stage.gateway.apply(try Stage.configuration(Stage.Settings()))
        stage.pass(.milliseconds(100))
        #expect(stage.pool.nextProbe(of: gone.id) == nil)
    }

    @Test func `tells who is gone, once its work is done`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2, concurrency: 1))
        for replica in stage.replicas {
            replica.answer = { _, _ in [.wait(.seconds(2)), .send(ScriptedReplica.ok("ok"))] }
        }
        let told = Mutex<[String]>([])
        stage.pool.whenRemoved { endpoint in told.withLock { $0.append(endpoint) } }
        let clients = (0..<2).map { _ in stage.client() }
        for client in clients { client.send(head("GET / HTTP/1.1", "Host: a")) }
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 2 }
        stage.gateway.apply(try Stage.configuration(Stage.Settings(concurrency: 1)))
        stage.pass(.seconds(1))
        #expect(told.withLock { $0 } == [])
        stage.pass(.seconds(2))
        #expect(told.withLock { $0 } == ["10.1.0.2:5000"])
    }

    @Test func `drains a replica for an operator and takes it back`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2))
        let now = stage.world.now
        #expect(stage.pool.setDraining("10.1.0.1:5000", true, now: now))
        #expect(!stage.pool.setDraining("10.9.9.9:1", true, now: now))
        for _ in 0..<4 { try stage.ask(head("GET / HTTP/1.1", "Host: a")) }
        #expect(stage.replicas.map(\.requests.count) == [0, 4])
        #expect(stage.pool.setDraining("10.1.0.1:5000", false, now: stage.world.now))
        stage.pass(.seconds(2))
        for _ in 0..<4 { try stage.ask(head("GET / HTTP/1.1", "Host: a")) }
        #expect(stage.replicas.map(\.requests.count) == [2, 6])
    }

    @Test func `says in words what became of its replicas`() throws {
        let stage = try Stage()
        stage.replica.refuse()
        try stage.ask(head("GET / HTTP/1.1", "Host: a", "X-Request-Timeout: 1"))
        #expect(
            stage.log.contains {
                $0.contains("pool.m replica 10.1.0.1:5000 ready → down (connect refused)")
            }
        )
    }

    @Test func `knows no desired number before anybody decided`() throws {
        let stage = try Stage()
        #expect(stage.pool.desiredReplicas == -1)
        stage.pool.noteDesired(7)
        #expect(stage.pool.desiredReplicas == 7)
    }
}
