// An open load: requests leave when they are due, whether or not earlier ones were answered.
//
// Latency counts from when a request was due, so a gateway that falls behind, or a generator that
// does, cannot hide it (coordinated omission). `lag` says how late this generator itself was.

internal import Glibc
internal import HTTPWire
internal import Transport

extension LoadPlan {
    /// Puts the load on, prints what became of it, and ends the process.
    func start() throws(UsageError) {
        let loop = try makeLoop()
        loop.spawn { context in
            let load = Load(self, loop: loop, on: context)
            context.attachment = load
            await load.run()
            exit(0)
        }
        loop.start(name: "load")
    }
}

/// A running load.
///
/// Confined to its loop.
final class Load {
    private let plan: LoadPlan
    private let loop: Loop
    private let context: LoopContext
    private let request: [UInt8]
    private let parking: Parking
    private let startedAt: Instant
    private var figures = LoadFigures()
    private var idle: [Link] = []
    private var connections = 0
    private var pending = 0
    /// Nobody is to be sent anything more: the gateway takes no connections.
    private var isOver = false

    init(_ plan: LoadPlan, loop: Loop, on context: LoopContext) {
        self.plan = plan
        self.loop = loop
        self.context = context
        request = plan.request
        parking = Parking(on: context)
        startedAt = context.now
    }

    /// Sends all of it, waits for the last answer, prints the sum.
    func run() async {
        var random = SplitMix(state: plan.seed)
        var due = startedAt
        var phaseEnd = startedAt
        for phase in plan.phases {
            phaseEnd += phase.time
            while !isOver {
                let gap = plan.isPoisson ? -log(random.unit()) : 1
                let next = due + .seconds(gap / phase.rate)
                guard next <= phaseEnd else { break }
                due = next
                await parking.sleep(until: due)
                send(dueAt: due)
            }
            due = phaseEnd
        }
        while pending > 0 {
            await parking.park(until: context.now + .milliseconds(50))
            flush()
        }
        print(figures.summary)
        flush()
    }

    private func flush() { fflush(nil) }

    private func send(dueAt due: Instant) {
        figures.offered += 1
        pending += 1
        loop.spawn { context in
            guard let load = context.attachment as? Load else { return }
            await load.exchange(dueAt: due)
        }
        if figures.offered % 50 == 0 { flush() }
    }

    /// The time now; the loop's own is as old as its turn.
    private var clock: Instant {
        let behind = context.network.monotonicNanoseconds - epochNanoseconds
        return startedAt + .nanoseconds(behind)
    }
    private lazy var epochNanoseconds: Int64 = {
        let behind = (context.now - startedAt).milliseconds
        return context.network.monotonicNanoseconds - Int64(behind * 1e6)
    }()

    private func exchange(dueAt due: Instant) async {
        let lag = clock - due
        let outcome = await attempt(until: due + plan.timeout)
        let latency = clock - due
        figures.note(outcome, latency: latency, lag: lag)
        if plan.printsEach {
            let dueAt = (due - startedAt).milliseconds
            let times = [dueAt, latency.milliseconds, lag.milliseconds].map(\.tenths)
            print("\(times.joined(separator: " ")) \(outcome)")
        }
        pending -= 1
        if pending == 0 { parking.unpark() }
    }

    /// One request; once more on a new connection when a kept one turns out to be closed
    /// (RFC 9112 §9.3.1).
    private func attempt(until deadline: Instant) async -> LoadOutcome {
        if isOver { return .elsewhere }
        if let link = takeIdle() {
            switch await answer(on: link, until: deadline) {
            case .fault(.ended, let begun) where !begun: figures.resent += 1
            case .fault(.broken, let begun) where !begun: figures.resent += 1
            case let outcome: return outcome
            }
        }
        guard connections < plan.connectionsMax else { return .noConnection }
        connections += 1
        do throws(LinkError) {
            let link = try await Link.connect(to: plan.address, until: deadline, on: context)
            return await answer(on: link, until: deadline)
        } catch {
            connections -= 1
            guard error == .refused, plan.endsWhenRefused else {
                return .fault(error, begun: false)
            }
            isOver = true
            return .elsewhere
        }
    }

    private func takeIdle() -> Link? {
        while let link = idle.popLast() {
            if link.isFresh { return link }
            forget(link)
        }
        return nil
    }

    private func forget(_ link: Link) {
        connections -= 1
        link.close()
    }

    /// Sends the request and receives the whole answer.
    private func answer(on link: Link, until deadline: Instant) async -> LoadOutcome {
        var begun = false
        do throws(LinkError) {
            try await link.send(request, until: deadline)
            let head = try await receiveHead(on: link, until: deadline, &begun)
            _ = try await link.readBody(head.framing, until: deadline)
            if head.keepAlive, link.buffer == nil, link.socket.isOpen {
                link.isReused = true
                idle.append(link)
            } else {
                forget(link)
            }
            return head.outcome
        } catch {
            forget(link)
            return .fault(error, begun: begun)
        }
    }

    private struct AnswerHead {
        var framing: BodyFraming
        var keepAlive: Bool
        var outcome: LoadOutcome
    }

    private func receiveHead(
        on link: Link,
        until deadline: Instant,
        _ begun: inout Bool
    ) async throws(LinkError) -> AnswerHead {
        var parser = ResponseParser()
        var table = FieldTable(capacity: Limits().fieldsMax)
        while true {
            try await link.receive(until: deadline)
            begun = true
            guard let buffer = link.buffer else { continue }
            do throws(WireError) {
                while let head = try parser.parse(buffer.bytes, answering: .post, into: &table) {
                    let outcome = outcome(of: head, table, buffer.bytes)
                    buffer.consume(head.headLength)
                    guard head.isInformational else {
                        return AnswerHead(
                            framing: head.framing,
                            keepAlive: head.keepAlive,
                            outcome: outcome
                        )
                    }
                    parser.reset()
                }
            } catch {
                throw .malformed
            }
        }
    }

    private func outcome(
        of head: ResponseHead,
        _ table: borrowing FieldTable,
        _ bytes: Span<UInt8>
    ) -> LoadOutcome {
        var reason = ""
        for index in 0..<table.count where table[index].name == .xSluice {
            let name = String(bytes.part(table[index].nameRange))
            guard name == "X-Sluice-Reason" else { continue }
            reason = String(bytes.part(table[index].valueRange))
        }
        return .status(head.status, reason: reason)
    }
}

/// A small generator of reproducible chance (SplitMix64).
struct SplitMix {
    var state: UInt64

    /// A number in (0, 1].
    mutating func unit() -> Double {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        mixed ^= mixed >> 31
        return (Double(mixed >> 11) + 1) / 9_007_199_254_740_992
    }
}
