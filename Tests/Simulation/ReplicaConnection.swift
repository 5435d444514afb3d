// One connection of a simulated replica: reads a request, works, answers, and fails as told.

import Transport

/// The replica's end of one connection.
final class ReplicaConnection {
    private enum State { case reading, working, answering, closing, done }

    let peer: PeerSocket
    private unowned let replica: SimulatedReplica
    private var reader = MessageReader(readsResponses: false)
    private var state = State.reading
    private var head: MessageHead?
    private var number = 0
    private var deliveryPlace = 0
    private var pattern = BodyPattern.request(0)
    private var bodyBytes = 0
    private var requestsRead = 0
    private var fault: ReplicaFault?
    /// What is still to be sent, each after a pause.
    private var script: [(pause: Duration, bytes: [UInt8])] = []
    private var status = 200
    private var closesAfterAnswer = false
    private var hasSurplus = false
    private var hasAnswerBegun = false
    /// When an answer that nobody asked for was sent.
    private var strayAt: Duration?
    /// Raised whenever the connection's work changes; actions of older work do nothing.
    private var generation = 0

    /// Unasked bytes that were sent so long ago must have been noticed.
    private static let noticeable = Duration.milliseconds(100)

    init(_ peer: PeerSocket, of replica: SimulatedReplica) {
        self.peer = peer
        self.replica = replica
        peer.changed = { [unowned self] _ in look() }
        watchIdleness()
    }

    /// A request (not a probe) has begun to arrive and has not been answered.
    private(set) var isWorking = false

    private var world: SimulatedWorld { replica.world }

    private func look() {
        if peer.isBroken { return abandon() }
        reader.feed(peer.read())
        readOn()
        if state == .answering, script.isEmpty, peer.unsentBytes == 0 { finishAnswer() }
        guard state != .done, peer.atEnd else { return }
        abandon()
    }

    private func readOn() {
        while state != .done, let part = reader.next() {
            switch part {
            case .head(let head): begin(head)
            case .body(let bytes): check(bytes)
            case .end: endOfRequest()
            case .invalid(let reason):
                world.violate("\(replica.name) got no HTTP: \(reason)")
                return breakOff(resets: true)
            }
        }
    }

    private func begin(_ head: MessageHead) {
        guard state == .reading else {
            world.violate("\(replica.name) got a request before it had answered the last")
            return breakOff(resets: true)
        }
        generation += 1
        self.head = head
        bodyBytes = 0
        fault = nil
        hasAnswerBegun = false
        guard head.target != "/health" else { return replica.beginProbe() }
        guard let number = head.number("X-Sim-Number") else {
            world.violate("\(replica.name) got a request without a number")
            return breakOff(resets: true)
        }
        if let strayAt {
            replica.journal.excuse(number)
            if world.elapsed - strayAt > ReplicaConnection.noticeable {
                world.violate(
                    "\(replica.name) got request \(number) on a connection with unasked bytes"
                )
            }
            return breakOff(resets: true)
        }
        self.number = number
        pattern = .request(number)
        isWorking = true
        deliveryPlace = replica.begin(number, isFresh: requestsRead == 0)
        requestsRead += 1
        fault = replica.behaviour.fault(using: &replica.chance)
        world.say(
            "\(replica.name) \(peer.number) begins \(head.startLine) \(number)"
                + ", fault \(fault as Any)"
        )
        if head.values("Expect") != [] { peer.write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)) }
        if fault == .answersEarly { answer() }
    }

    private func check(_ bytes: [UInt8]) {
        if isWorking, !pattern.matches(bytes, at: bodyBytes) {
            world.violate("\(replica.name): request \(number) has a body that is not its own")
        }
        bodyBytes += bytes.count
    }

    private func endOfRequest() {
        guard let head else { return }
        if head.target == "/health" { return answerProbe() }
        if isWorking, let expected = head.number("X-Sim-Body"), expected != bodyBytes {
            world.violate(
                "\(replica.name): request \(number) looks whole with \(bodyBytes) of \(expected)"
            )
        }
        guard state == .reading else { return }
        state = .working
        if fault != .answersEarly { answer() }
    }

    private func answerProbe() {
        let isHealthy = replica.isHealthy
        let line = isHealthy ? "200 OK" : "503 Service Unavailable"
        peer.write(Array("HTTP/1.1 \(line)\r\nContent-Length: 0\r\n\r\n".utf8))
        requestsRead += 1
        watchIdleness()
    }

    /// Plans the answer and begins it after the service time.
    private func answer() {
        guard let head else { return }
        let answer = ReplicaAnswer(
            to: head,
            fault: fault,
            behaviour: replica.behaviour,
            using: &replica.chance
        )
        if answer.isNever { return }
        script = answer.script
        status = answer.status
        closesAfterAnswer = answer.closes
        hasSurplus = answer.hasSurplus
        let resets = answer.resets
        if script.isEmpty {
            return later(answer.delay) { $0.breakOff(resets: resets) }
        }
        later(answer.delay) { connection in
            connection.state = .answering
            connection.hasAnswerBegun = true
            connection.play(breaks: answer.breaks, resets: resets)
        }
    }

    /// Sends the next piece of the script, and the following ones after their pauses.
    private func play(breaks: Bool, resets: Bool) {
        guard state == .answering, !script.isEmpty else { return }
        let piece = script.removeFirst()
        let isLast = script.isEmpty
        // While pieces are left, `look` must not take the answer for finished.
        if isLast && breaks {
            state = .closing
            peer.write(piece.bytes)
            return breakWhenSent(resets: resets)
        }
        peer.write(piece.bytes)
        if let next = script.first {
            later(next.pause) { $0.play(breaks: breaks, resets: resets) }
        } else if peer.unsentBytes == 0 {
            finishAnswer()
        }
    }

    /// Breaks off once the pieces have left; a replica that stalls just stays.
    private func breakWhenSent(resets: Bool) {
        guard fault != .stallInBody else { return }
        later(.milliseconds(1)) { connection in
            if connection.peer.unsentBytes > 0 && !connection.peer.isBroken {
                return connection.breakWhenSent(resets: resets)
            }
            connection.breakOff(resets: resets)
        }
    }

    private func finishAnswer() {
        guard state == .answering else { return }
        generation += 1
        world.say("\(replica.name) \(peer.number) has answered \(number): \(status)")
        let isFull = status == 503 && fault == .full
        isWorking = false
        replica.journal.endDelivery(
            number,
            deliveryPlace,
            .answered(status: status, isFull: isFull)
        )
        // Unread request body: an honest server ends the connection.
        if closesAfterAnswer || head?.closes == true || !reader.isIdle { return leave() }
        if fault == .answersTwice || hasSurplus { strayAt = world.elapsed }
        if fault == .answersTwice {
            peer.write(Array("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nunseen".utf8))
        }
        if fault == .closesAfterAnswer { return leave() }
        state = .reading
        watchIdleness()
    }

    private func watchIdleness() {
        guard let timeout = replica.behaviour.idleTimeout else { return }
        later(timeout) { connection in
            if connection.state == .reading, connection.reader.isIdle, !connection.isWorking {
                connection.leave()
            }
        }
    }

    private func later(_ delay: Duration, _ action: @escaping (ReplicaConnection) -> Void) {
        let planned = generation
        world.after(delay) { [weak self] in
            guard let self, generation == planned, state != .done else { return }
            action(self)
        }
    }

    /// Ends the connection in the replica's own time, orderly or with a reset.
    func breakOff(resets: Bool) {
        guard state != .done else { return }
        if isWorking {
            replica.journal.endDelivery(
                number,
                deliveryPlace,
                .broken(hasAnswered: hasAnswerBegun)
            )
        }
        if resets {
            state = .done
            isWorking = false
            peer.reset()
            replica.forget(self)
        } else {
            leave()
        }
    }

    private func abandon() {
        guard state != .done else { return }
        if isWorking { replica.journal.endDelivery(number, deliveryPlace, .abandoned) }
        leave()
    }

    private func leave() {
        world.say("\(replica.name) \(peer.number) leaves")
        state = .done
        isWorking = false
        generation += 1
        peer.close()
        replica.forget(self)
    }
}
