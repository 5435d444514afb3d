// A client of the gateway: sends its requests over one connection after another, checks each
// answer byte by byte, and writes down how each request ended.

import Transport

/// One client and its requests, in order.
package final class SimulatedClient {
    private unowned let journal: Journal
    private unowned let world: SimulatedWorld
    private let address: Address
    private let target: Address
    private var chance: SeededGenerator
    private var plans: [RequestPlan]
    private let think: Duration
    /// Sends the next request before the last was answered.
    private let pipelines: Bool
    private var peer: PeerSocket?
    private var reader = MessageReader(readsResponses: true)
    /// Sent and not yet ended, oldest first.
    private var outstanding: [RequestPlan] = []
    private var answer: Answer?
    private var isSending = false
    private var isThinking = false
    private var isReadingSlowly = false
    private var answersOnConnection = 0
    private var generation = 0
    /// Called once all requests have ended.
    package var finished: (() -> Void)?
    package private(set) var isFinished = false

    /// The response in hand.
    private struct Answer {
        var head: MessageHead
        var pattern: BodyPattern
        var bytes = 0
    }

    package init(
        _ plans: [RequestPlan],
        from address: Address,
        to target: Address,
        pipelines: Bool = false,
        think: Duration = .zero,
        journal: Journal
    ) {
        self.plans = plans
        self.address = address
        self.target = target
        self.pipelines = pipelines
        self.think = think
        self.journal = journal
        world = journal.world
        chance = journal.world.chance.split()
        world.keep(self)
        sendNext()
    }

    // MARK: Sending

    private func sendNext() {
        guard !plans.isEmpty else { return finish() }
        let plan = plans.removeFirst()
        if peer == nil { connect() }
        journal.begin(
            plan,
            isOnKeptConnection: answersOnConnection > 0,
            isPipelined: pipelines
        )
        outstanding.append(plan)
        reader.expectedMethods.append(plan.method)
        isSending = true
        send(plan)
        if case .leaves(let after, let resets) = plan.manner {
            later(after) { $0.goAway(resets: resets) }
        }
        if pipelines, !plans.isEmpty, plan.isPatient, !plan.closes, !isSending { sendNext() }
    }

    private func connect() {
        generation += 1
        answersOnConnection = 0
        reader = MessageReader(readsResponses: true)
        let from = Address(bytes: address.bytes, port: world.freePort())
        peer = world.connect(from: from, to: target) { [unowned self] _ in look() }
    }

    private func send(_ plan: RequestPlan) {
        let body = plan.body(using: &chance)
        if plan.expectsContinue {
            peer?.write(plan.head)
            // Waits for the 100, but not for ever (RFC 9110 §10.1.1).
            return later(.seconds(1)) { $0.continueBody(of: plan) }
        }
        let bytes = plan.head + body
        switch plan.manner {
        case .honest, .leaves, .readsSlowly, .sendsNonsense:
            peer?.write(bytes)
            isSending = false
        case .sendsSlowly(let pieces, let pause):
            sendSlowly(bytes, pieceBytes: max(1, bytes.count / pieces), pause: pause)
        case .stops(let share, let stop):
            peer?.write(Array(bytes.prefix(Int(Double(bytes.count - 1) * share))))
            // Nothing more comes: but the request never counts as sent.
            if stop == .finishes { peer?.finish() }
            if stop == .resets { later(.milliseconds(5)) { $0.goAway(resets: true) } }
        }
    }

    private func sendSlowly(_ bytes: [UInt8], pieceBytes: Int, pause: Duration) {
        peer?.write(Array(bytes.prefix(pieceBytes)))
        let rest = Array(bytes.dropFirst(pieceBytes))
        guard !rest.isEmpty else {
            isSending = false
            return
        }
        later(pause) { $0.sendSlowly(rest, pieceBytes: pieceBytes, pause: pause) }
    }

    private func continueBody(of plan: RequestPlan) {
        guard isSending, outstanding.last?.number == plan.number else { return }
        isSending = false
        peer?.write(plan.body(using: &chance))
    }

    private func later(_ delay: Duration, _ action: @escaping (SimulatedClient) -> Void) {
        let planned = generation
        world.after(delay) { [weak self] in
            guard let self, generation == planned, !isFinished else { return }
            action(self)
        }
    }

    // MARK: Receiving

    private func look() {
        guard let peer else { return }
        if case .readsSlowly(let bytes, let pause) = outstanding.first?.manner, !peer.isBroken {
            return readSlowly(bytes, pause: pause)
        }
        take(.max)
    }

    private func readSlowly(_ bytes: Int, pause: Duration) {
        guard !isReadingSlowly else { return }
        isReadingSlowly = true
        later(pause) { client in
            client.isReadingSlowly = false
            guard let peer = client.peer else { return }
            let before = peer.received
            client.take(bytes)
            if client.peer === peer, peer.received > before { client.look() }
        }
    }

    private func take(_ count: Int) {
        guard let peer else { return }
        reader.feed(peer.read(atMost: count))
        let connection = generation
        while generation == connection, let part = reader.next() { understand(part) }
        guard generation == connection else { return }
        if outstanding.isEmpty, reader.pendingBytes > 0 {
            world.violate("a client got bytes that nobody asked for")
        }
        guard peer.atEnd || peer.isBroken else { return }
        if !peer.isBroken, let part = reader.endOfStream() { understand(part) }
        if generation == connection { connectionEnded() }
    }

    private func understand(_ part: MessagePart) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes): check(bytes)
        case .end: complete()
        case .invalid(let reason):
            world.violate("a client got no HTTP: \(reason)")
            dropConnection(resets: true)
            for plan in outstanding { journal.end(plan.number, .unanswered) }
            outstanding = []
            goOn()
        }
    }

    private func begin(_ head: MessageHead) {
        guard let plan = outstanding.first else { return }
        if head.status < 200 {
            if plan.isVersion10 { world.violate("request \(plan.number): 1xx to a 1.0 client") }
            if head.status == 100 { continueBody(of: plan) }
            return
        }
        let number = head.number("X-Sim-Number")
        if let number, number != plan.number {
            world.violate("request \(plan.number) got the answer of request \(number)")
        }
        if plan.isNonsense, (200..<400).contains(head.status) {
            world.violate("request \(plan.number): nonsense was answered \(head.status)")
        }
        if plan.isVersion10, head.values("Transfer-Encoding") != [] {
            world.violate("request \(plan.number): chunked to a 1.0 client")
        }
        journal.sawHead(plan.number, fromReplica: number != nil)
        answer = Answer(head: head, pattern: .answer(plan.number))
    }

    private func check(_ bytes: [UInt8]) {
        guard let plan = outstanding.first, let answer else { return }
        if answer.head.value("X-Sim-Number") != nil, answer.head.status == 200,
            !answer.pattern.matches(bytes, at: answer.bytes)
        {
            world.violate("request \(plan.number): the body of the answer is not its own")
        }
        self.answer?.bytes += bytes.count
    }

    private func complete() {
        guard let plan = outstanding.first, let answer else { return }
        self.answer = nil
        outstanding.removeFirst()
        if let length = answer.head.number("X-Sim-Length"), plan.method != "HEAD",
            length != answer.bytes
        {
            world.violate(
                "request \(plan.number) looks whole with \(answer.bytes) of \(length) bytes"
            )
        }
        journal.end(
            plan.number,
            .answered(status: answer.head.status, reason: answer.head.value("X-Sluice-Reason"))
        )
        answersOnConnection += 1
        isReadingSlowly = false
        // An answer that comes before all was sent ends the connection too.
        let closes =
            answer.head.closes || plan.closes || plan.isVersion10
            || isSending && outstanding.isEmpty
        if closes || !plan.isPatient { return dropAndGoOn() }
        guard outstanding.isEmpty else { return }
        goOn()
    }

    /// The connection is not used again; what was sent on it and not answered has ended.
    private func dropAndGoOn() {
        for plan in outstanding { journal.end(plan.number, .unanswered) }
        outstanding = []
        dropConnection(resets: false)
        goOn()
    }

    private func connectionEnded() {
        let wasRefused = peer?.isRefused == true
        for (place, plan) in outstanding.enumerated() {
            if place == 0, let answer {
                journal.end(plan.number, .cut(status: answer.head.status))
            } else {
                journal.end(plan.number, wasRefused ? .refused : .unanswered)
            }
        }
        outstanding = []
        dropConnection(resets: false)
        goOn()
    }

    private func goAway(resets: Bool) {
        guard !outstanding.isEmpty else { return }
        for plan in outstanding { journal.end(plan.number, .left) }
        outstanding = []
        dropConnection(resets: resets)
        goOn()
    }

    private func dropConnection(resets: Bool) {
        generation += 1
        answer = nil
        isSending = false
        isReadingSlowly = false
        if resets { peer?.reset() } else { peer?.close() }
        peer = nil
    }

    private func goOn() {
        guard outstanding.isEmpty, !isThinking, !isFinished else { return }
        isThinking = true
        var pause = chance.exponential(mean: think)
        // Before it leaves, a client waits for bytes that nobody asked for.
        if plans.isEmpty { pause += chance.duration(in: .zero...(.milliseconds(50))) }
        world.after(pause) { [weak self] in
            self?.isThinking = false
            self?.sendNext()
        }
    }

    private func finish() {
        guard !isFinished else { return }
        isFinished = true
        peer?.close()
        peer = nil
        finished?()
    }
}
