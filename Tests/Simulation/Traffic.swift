// The clients of a world: what they send, and when they come.

import Transport

/// When clients come.
package enum Arrivals: Sendable {
    /// So many clients a second, at random instants.
    case steady(perSecond: Double)
    /// So many clients at once, again and again.
    case burst(count: Int, every: Duration)
    /// So many clients that each send their next request after their last was answered.
    case closedLoop(clients: Int, think: Duration)
}

/// How often each kind of request and client occurs, 0 to 1.
package struct TrafficMix: Sendable {
    package var methods = ["POST"]
    package var path = "/predict"
    /// Requests of one client.
    package var requestsPerClient = 1...1
    package var bodyBytes = 0...2_000
    package var answerBytes = 0...2_000
    /// How often a body is 64 to 400 KiB.
    package var bigRequests = 0.0
    package var bigAnswers = 0.0
    package var chunked = 0.0
    package var leaving = 0.0
    package var slowSenders = 0.0
    package var slowReaders = 0.0
    package var stopping = 0.0
    package var nonsense = 0.0
    package var pipelining = 0.0
    package var version10 = 0.0
    package var expecting = 0.0
    package var closing = 0.0
    /// How often a deadline is asked for, and which.
    package var timeouts = 0.0
    package var timeout = Duration.milliseconds(20)...(.seconds(3))

    package init() {}

    /// Each kind on or off by chance.
    package static func random(using generator: inout SeededGenerator) -> TrafficMix {
        var mix = TrafficMix()
        func sometimes(_ share: Double) -> Double { generator.chance(0.4) ? share : 0 }
        if generator.chance(0.5) { mix.methods = ["POST", "POST", "GET", "PUT", "HEAD", "DELETE"] }
        mix.requestsPerClient = 1...generator.number(in: 1...6)
        mix.bigRequests = sometimes(0.05)
        mix.bigAnswers = sometimes(0.05)
        mix.chunked = sometimes(0.3)
        mix.leaving = sometimes(0.15)
        mix.slowSenders = sometimes(0.1)
        mix.slowReaders = sometimes(0.1)
        mix.stopping = sometimes(0.08)
        mix.nonsense = sometimes(0.08)
        mix.pipelining = sometimes(0.2)
        mix.version10 = sometimes(0.1)
        mix.expecting = sometimes(0.1)
        mix.closing = sometimes(0.2)
        mix.timeouts = sometimes(0.2)
        return mix
    }

    /// A request of this mix.
    package func plan(
        _ number: Int,
        using generator: inout SeededGenerator
    ) -> RequestPlan {
        var plan = RequestPlan(number: number)
        plan.path = path
        plan.method = generator.pick(methods)
        if plan.method == "POST" || plan.method == "PUT" {
            let isBig = generator.chance(bigRequests)
            plan.bodyBytes = generator.number(in: isBig ? 65_536...409_600 : bodyBytes)
        }
        plan.answerBytes = generator.number(
            in: generator.chance(bigAnswers) ? 65_536...409_600 : answerBytes
        )
        plan.isVersion10 = generator.chance(version10)
        plan.isChunked = plan.bodyBytes > 0 && !plan.isVersion10 && generator.chance(chunked)
        plan.closes = generator.chance(closing)
        plan.manner = manner(using: &generator)
        plan.expectsContinue =
            plan.bodyBytes > 0 && !plan.isVersion10 && plan.manner == .honest
            && generator.chance(expecting)
        if generator.chance(timeouts) {
            let asked = generator.duration(in: timeout).nanoseconds / 1_000_000
            plan.timeout = .milliseconds(asked)
        }
        return plan
    }

    private func manner(using generator: inout SeededGenerator) -> Manner {
        if generator.chance(nonsense) {
            return .sendsNonsense(generator.number(in: 0...RequestPlan.nonsenseKinds - 1))
        }
        if generator.chance(leaving) {
            let after = generator.exponential(mean: .milliseconds(30))
            return .leaves(after: after, resets: generator.chance(0.5))
        }
        if generator.chance(stopping) {
            return .stops(
                share: generator.unit(),
                then: generator.pick(Manner.Stop.allCases)
            )
        }
        if generator.chance(slowSenders) {
            let pause = generator.duration(in: .milliseconds(1)...(.milliseconds(300)))
            return .sendsSlowly(pieces: generator.number(in: 2...8), pause: pause)
        }
        if generator.chance(slowReaders) {
            let bytes = generator.number(in: 500...20_000)
            return .readsSlowly(
                bytes: bytes,
                pause: generator.duration(in: .zero...(.milliseconds(50)))
            )
        }
        return .honest
    }
}

/// Clients that come and go.
package final class Traffic {
    package let arrivals: Arrivals
    package let mix: TrafficMix
    private let journal: Journal
    private let target: Address
    private var chance: SeededGenerator
    private var clientsHere = 0
    private let end: Duration
    /// Requests that may still be sent.
    private var requestsLeft: Int
    private var arrivalsPlanned = 0

    /// Plans the arrivals: for `span` new clients come, until `requests` were sent in all.
    package init(
        _ arrivals: Arrivals,
        _ mix: TrafficMix,
        to target: Address,
        for span: Duration,
        requests: Int,
        journal: Journal
    ) {
        self.arrivals = arrivals
        self.mix = mix
        self.journal = journal
        self.target = target
        chance = journal.world.chance.split()
        end = journal.world.elapsed + span
        requestsLeft = requests
        journal.world.keep(self)
        start()
    }

    private var world: SimulatedWorld { journal.world }

    /// Whether no client comes any more and all have ended.
    package var isOver: Bool {
        (requestsLeft == 0 || arrivalsPlanned == 0) && clientsHere == 0
    }

    private func start() {
        switch arrivals {
        case .steady(let rate): plan(after: .zero) { $0.arriveSteadily(rate) }
        case .burst(let count, let pause): plan(after: .zero) { $0.arriveInBurst(count, pause) }
        case .closedLoop(let count, let think):
            for _ in 0..<count {
                plan(after: chance.duration(in: .zero...(.milliseconds(5)))) { $0.arrive(think) }
            }
        }
    }

    private func plan(after delay: Duration, _ action: @escaping (Traffic) -> Void) {
        guard world.elapsed + delay <= end, requestsLeft > 0 else { return }
        arrivalsPlanned += 1
        world.after(delay) { [weak self] in
            guard let self else { return }
            arrivalsPlanned -= 1
            action(self)
        }
    }

    private func arriveSteadily(_ rate: Double) {
        arrive(.zero)
        let pause = chance.exponential(mean: .nanoseconds(Int64(1e9 / rate)))
        plan(after: pause) { $0.arriveSteadily(rate) }
    }

    private func arriveInBurst(_ count: Int, _ pause: Duration) {
        for _ in 0..<count { arrive(.zero) }
        plan(after: pause) { $0.arriveInBurst(count, pause) }
    }

    private func arrive(_ think: Duration) {
        let count = min(requestsLeft, chance.number(in: mix.requestsPerClient))
        guard count > 0 else { return }
        requestsLeft -= count
        let plans = (0..<count).map { _ in mix.plan(journal.takeNumber(), using: &chance) }
        let host = Address(
            bytes: [10, 9, UInt8(chance.number(in: 0...3)), UInt8(chance.number(in: 1...250))],
            port: 0
        )
        let client = SimulatedClient(
            plans,
            from: host,
            to: target,
            pipelines: chance.chance(mix.pipelining),
            think: think,
            journal: journal
        )
        clientsHere += 1
        client.finished = { [weak self] in
            guard let self else { return }
            clientsHere -= 1
            if case .closedLoop = arrivals { plan(after: .zero) { $0.arrive(think) } }
        }
    }
}
