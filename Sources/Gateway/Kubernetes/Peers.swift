// Other gateways in front of the same replicas: each sees only its own requests, all of them
// together know how much work there is.

internal import Configuration
internal import Kubernetes
internal import Synchronization
internal import Telemetry
internal import Transport

/// What several gateways see together.
struct FiguresSum: Sendable {
    /// Gateways that were counted.
    var gateways: Int
    /// By name.
    var pools: [PoolFigures]
}

/// Asks the other gateways.
final class Peers: Sendable {
    private let number = Atomic<UInt64>(0)
    private let state = Mutex(State())

    /// For an answer; all are asked at once.
    private static let timeout = Duration.seconds(1)
    /// Answers are good for this long: several autoscalers ask at about the same time.
    private static let freshness = Duration.seconds(1)
    /// A peer that does not answer counts with what it said last for this long: fewer requests than
    /// there are would take replicas away.
    private static let memory = Duration.seconds(60)
    /// Peers beyond this are not asked.
    private static let countMax = 64
    /// An answer has some hundred bytes a pool.
    private static let answerBytesMax = 1 << 20

    private struct Known {
        var figures: GatewayFigures
        var at: Instant
    }

    private struct State {
        var known: [Transport.Address: Known] = [:]
        /// The last round of questions.
        var round: Round?
        /// Who has not answered last time, so that it is told once.
        var silent: Set<Transport.Address> = []
        /// Whether the name meant no address last time.
        var isNameless = false
    }

    /// Tells this gateway from others.
    var id: String { String(number.load(ordering: .relaxed), radix: 16) }

    /// Takes 64 random bits as its name.
    func takeName(_ random: UInt64) { number.store(random, ordering: .relaxed) }

    /// What all gateways see together; those that do not answer are left out in the end.
    func sum(
        for client: ClientConnection,
        _ gateway: Gateway
    ) async throws(ExchangeError) -> FiguresSum {
        let now = client.lane.now
        if let name = gateway.configuration.peers {
            try await ask(name, for: client, gateway)
        }
        let own = gateway.ownFigures
        let others = state.withLock { state in
            state.known.filter { now - $0.value.at < Peers.memory }
                .sorted { "\($0.key)" < "\($1.key)" }.map(\.value.figures)
        }
        let all = [own] + others
        return FiguresSum(
            gateways: Set(all.map(\.gateway)).count,
            // A pool that only others have is none of ours.
            pools: GatewayFigures.sum(all).filter { pool in
                own.pools.contains { $0.pool == pool.pool }
            }
        )
    }

    /// Waits for a round of questions, one that others wait for too if it is young enough.
    private func ask(
        _ name: String,
        for client: ClientConnection,
        _ gateway: Gateway
    ) async throws(ExchangeError) {
        let now = client.lane.now
        let (round, isNew) = state.withLock { state -> (Round, Bool) in
            if let round = state.round, now - round.begunAt < Peers.freshness {
                return (round, false)
            }
            let round = Round(at: now)
            state.round = round
            return (round, true)
        }
        let deadline = round.begunAt + Peers.timeout
        round.add(client.parking)
        if isNew {
            let loop = client.lane.loop
            let port = gateway.facts.bound?.admin.port ?? 0
            gateway.resolver(name, port) { resolution in
                loop.spawn { context in
                    self.begin(round, resolution, deadline, gateway, loop, context)
                }
            }
        }
        while !round.isOver, client.lane.now < deadline {
            try await client.waitForOwner(until: deadline)
        }
    }

    /// Asks everyone the name means.
    private func begin(
        _ round: Round,
        _ resolution: Resolution,
        _ deadline: Instant,
        _ gateway: Gateway,
        _ loop: Loop,
        _ context: LoopContext
    ) {
        guard case .addresses(let found) = resolution else {
            let isNews = state.withLock { state in
                defer { state.isNameless = true }
                return !state.isNameless
            }
            let name = gateway.configuration.peers ?? ""
            if isNews { gateway.log.warning("peers", "\(name) has no address") }
            return round.begin(0)
        }
        let addresses = Array(found.prefix(Peers.countMax))
        state.withLock { state in
            state.isNameless = false
            state.known = state.known.filter { addresses.contains($0.key) }
            state.silent.formIntersection(addresses)
        }
        round.begin(addresses.count)
        for address in addresses {
            loop.spawn { context in
                await self.ask(address, deadline, gateway, loop, context)
                round.end()
            }
        }
    }

    private func ask(
        _ address: Transport.Address,
        _ deadline: Instant,
        _ gateway: Gateway,
        _ loop: Loop,
        _ context: LoopContext
    ) async {
        guard let place = APIAddress(url: "http://\(address)") else { return }
        let token = gateway.configuration.admin.token
        let call = APICall(
            on: context,
            loop,
            at: Parking(on: context),
            resolver: gateway.resolver,
            trust: gateway.apiTrust,
            isOver: { gateway.isOver }
        )
        defer { call.close() }
        do throws(APIFailure) {
            let access = KubernetesAccess(address: place, token: { token })
            let request = APIRequest(target: "/autoscale?own=true")
            try await call.send(request, to: access, until: deadline)
            let bytes = try await call.whole(bytesMax: Peers.answerBytesMax, until: deadline)
            let figures = try GatewayFigures.read(bytes)
            state.withLock { state in
                state.known[address] = Known(figures: figures, at: context.now)
                state.silent.remove(address)
            }
        } catch {
            guard state.withLock({ $0.silent.insert(address).inserted }) else { return }
            gateway.log.warning("peers", "\(address) does not answer: \(error)")
        }
    }

    /// One round of questions.
    ///
    /// All that ask and wait are on the loop of the admin's listener.
    private final class Round: Sendable {
        private struct State {
            /// Answers that are missing; nil: who is to be asked is not known yet.
            var left: Int?
            var waiting: [Parking] = []
        }

        /// When it began.
        let begunAt: Instant
        private let state = Mutex(State())

        init(at now: Instant) { begunAt = now }

        var isOver: Bool { state.withLock { $0.left == 0 } }

        /// Someone who waits for its end.
        func add(_ parking: Parking) { state.withLock { $0.waiting.append(parking) } }

        func begin(_ count: Int) {
            state.withLock { $0.left = count }
            wakeIfOver()
        }

        func end() {
            state.withLock { $0.left = ($0.left ?? 1) - 1 }
            wakeIfOver()
        }

        private func wakeIfOver() {
            let woken = state.withLock { state -> [Parking] in
                guard state.left == 0 else { return [] }
                defer { state.waiting = [] }
                return state.waiting
            }
            for parking in woken { parking.unpark() }
        }
    }
}
