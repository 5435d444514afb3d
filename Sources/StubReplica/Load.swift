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
            do throws(SystemError) {
                let load = try Load(self, loop: loop, on: context)
                context.attachment = load
                await load.run()
                exit(0)
            } catch {
                report("cannot start: \(error)")
                exit(3)
            }
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
    private let timer: ExactTimer
    private let startedAt: Instant
    private var figures = LoadFigures()
    private var notebook = LoadLog()
    private var idle: [Link] = []
    private var connections = 0
    private var pending = 0
    /// Nobody is to be sent anything more: the gateway takes no connections.
    private var isOver = false

    /// - Throws: when there is no descriptor left.
    init(_ plan: LoadPlan, loop: Loop, on context: LoopContext) throws(SystemError) {
        self.plan = plan
        self.loop = loop
        self.context = context
        request = plan.request
        parking = Parking(on: context)
        timer = try ExactTimer(resuming: parking, on: context)
        startedAt = context.exactNow
    }

    /// Sends all of it, waits for the last answer, prints the sum.
    func run() async {
        if plan.trace.isEmpty { await sendPhases() } else { await sendTrace() }
        while pending > 0 {
            await parking.park(until: context.now + .milliseconds(50))
            flush()
        }
        print(figures.summary)
        flush()
        guard let file = plan.logFile else { return }
        do throws(UsageError) {
            try notebook.write(to: file)
        } catch {
            report("stub-replica: \(error.text)")
            exit(3)
        }
    }

    private func sendPhases() async {
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
                await sleep(until: due)
                send(request, dueAt: due)
            }
            due = phaseEnd
        }
    }

    private func sendTrace() async {
        for entry in plan.trace {
            if isOver { return }
            let due = startedAt + entry.due
            await sleep(until: due)
            send(plan.request(to: entry.path), dueAt: due)
        }
    }

    private func sleep(until instant: Instant) async {
        guard context.now < instant else { return }
        timer.set(at: instant)
        while context.now < instant { await parking.park(until: nil) }
    }

    private func flush() { fflush(nil) }

    private func send(_ request: [UInt8], dueAt due: Instant) {
        figures.offered += 1
        pending += 1
        loop.spawn { context in
            guard let load = context.attachment as? Load else { return }
            await load.exchange(request, dueAt: due)
        }
        if figures.offered % 50 == 0 { flush() }
    }

    /// The time now; the loop's own is as old as its turn.
    private var clock: Instant { context.exactNow }

    private func exchange(_ request: [UInt8], dueAt due: Instant) async {
        let lag = clock - due
        var notes = LoadNotes()
        let outcome = await attempt(request, until: due + plan.timeout, &notes)
        let latency = clock - due
        figures.note(outcome, latency: latency, lag: lag)
        if plan.printsEach {
            let dueAt = (due - startedAt).milliseconds
            let times = [dueAt, latency.milliseconds, lag.milliseconds].map(\.tenths)
            print("\(times.joined(separator: " ")) \(outcome)")
        }
        if plan.logFile != nil {
            let first = notes.pieces.first.map { $0 - due }
            let dueAt = due - startedAt
            notebook.note(outcome, due: dueAt, lag: lag, latency: latency, first: first, notes)
        }
        pending -= 1
        if pending == 0 { parking.unpark() }
    }

    /// One request; once more on a new connection when a kept one turns out to be closed
    /// (RFC 9112 §9.3.1).
    private func attempt(
        _ request: [UInt8],
        until deadline: Instant,
        _ notes: inout LoadNotes
    ) async -> LoadOutcome {
        if isOver { return .elsewhere }
        if let link = takeIdle() {
            switch await answer(request, on: link, until: deadline, &notes) {
            case .fault(.ended, let begun) where !begun: figures.resent += 1
            case .fault(.broken, let begun) where !begun: figures.resent += 1
            case let outcome: return outcome
            }
        }
        guard connections < plan.connectionsMax else { return .noConnection }
        connections += 1
        do throws(LinkError) {
            let link = try await Link.connect(to: plan.address, until: deadline, on: context)
            return await answer(request, on: link, until: deadline, &notes)
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
    private func answer(
        _ request: [UInt8],
        on link: Link,
        until deadline: Instant,
        _ notes: inout LoadNotes
    ) async -> LoadOutcome {
        var begun = false
        do throws(LinkError) {
            try await link.send(request, until: deadline)
            let head = try await receiveHead(on: link, until: deadline, &begun)
            notes.worked = head.worked
            _ = try await link.readBody(head.framing, until: deadline, hashing: false) {
                notes.pieces.append(clock)
            }
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
        /// What the stand-in says it worked, in microseconds.
        var worked: Int64?
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
                    let answer = read(head, table, buffer.bytes)
                    buffer.consume(head.headLength)
                    guard head.isInformational else { return answer }
                    parser.reset()
                }
            } catch {
                throw .malformed
            }
        }
    }

    private func read(
        _ head: ResponseHead,
        _ table: borrowing FieldTable,
        _ bytes: Span<UInt8>
    ) -> AnswerHead {
        var reason = ""
        var worked: Int64?
        for index in 0..<table.count {
            let field = table[index]
            guard field.name == .xSluice || field.name == .other else { continue }
            switch String(bytes.part(field.nameRange)).lowercased() {
            case "x-sluice-reason": reason = String(bytes.part(field.valueRange))
            case "x-stub-work": worked = Int64(String(bytes.part(field.valueRange)))
            default: continue
            }
        }
        return AnswerHead(
            framing: head.framing,
            keepAlive: head.keepAlive,
            outcome: .status(head.status, reason: reason),
            worked: worked
        )
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
