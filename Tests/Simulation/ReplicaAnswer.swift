// What a simulated replica sends for one request, faults included.

/// The plan of one answer: pieces with pauses, and how it ends.
struct ReplicaAnswer {
    var delay: Duration
    var script: [(pause: Duration, bytes: [UInt8])] = []
    var status = 200
    /// The connection ends after the last piece.
    var closes = false
    /// The answer is broken off after the last piece.
    var breaks = false
    var resets = false
    /// More follows than was announced.
    var hasSurplus = false
    /// No answer comes, and the connection stays.
    var isNever = false

    init(
        to head: MessageHead,
        fault: ReplicaFault?,
        behaviour: ReplicaBehaviour,
        using chance: inout SeededGenerator
    ) {
        let pace = behaviour.pace(using: &chance)
        delay = pace.0
        let framing = chance.pick(behaviour.framings)
        let hasInterim = chance.chance(behaviour.interim)
        let share = chance.unit()
        switch fault {
        case .stall:
            isNever = true
            return
        case .resetBeforeHead, .closesBeforeHead:
            resets = fault == .resetBeforeHead
            return
        case .garbage:
            script = [(.zero, Array("\u{2}\u{3}nonsense, not HTTP\r\n\r\n".utf8))]
            breaks = true
            return
        case .full:
            plain(503, "Retry-After: 1\r\n", of: head)
            return
        case .error:
            plain(500, "", of: head)
            return
        default: break
        }
        build(head, fault, framing, pieces: pace.pieces, pause: pace.pause, cutAt: share)
        if hasInterim, !head.startLine.hasSuffix("1.0"), !script.isEmpty {
            script[0].bytes =
                Array("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n".utf8)
                + script[0].bytes
        }
    }

    /// A short answer without a body of the request's own.
    private mutating func plain(_ status: Int, _ fields: String, of head: MessageHead) {
        self.status = status
        let number = head.value("X-Sim-Number") ?? ""
        let text = "HTTP/1.1 \(status) Trouble\r\nX-Sim-Number: \(number)\r\n\(fields)"
        script = [(.zero, Array((text + "Content-Length: 0\r\n\r\n").utf8))]
    }

    private mutating func build(
        _ head: MessageHead,
        _ fault: ReplicaFault?,
        _ framing: AnswerFraming,
        pieces: Int,
        pause: Duration,
        cutAt share: Double
    ) {
        let number = head.number("X-Sim-Number") ?? 0
        let length = head.number("X-Sim-Answer") ?? 0
        var text = "HTTP/1.1 200 OK\r\nX-Sim-Number: \(number)\r\nX-Sim-Length: \(length)\r\n"
        switch framing {
        case .length: text += "Content-Length: \(length)\r\n"
        case .chunked: text += "Transfer-Encoding: chunked\r\n"
        case .close:
            text += "Connection: close\r\n"
            closes = true
        }
        if fault == .answersEarly { closes = true }
        var parts =
            head.method == "HEAD"
            ? [] : split(BodyPattern.answer(number), length, pieces, fault, framing)
        parts.insert(Array((text + "\r\n").utf8), at: 0)
        cut(&parts, fault, framing, share)
        let gap = fault == .drip ? .milliseconds(40) : pause
        script = parts.map { (gap, $0) }
        // Without a pause all leaves in one go.
        if gap == .zero { script = [(.zero, parts.flatMap { $0 })] }
    }

    private func split(
        _ pattern: BodyPattern,
        _ length: Int,
        _ pieces: Int,
        _ fault: ReplicaFault?,
        _ framing: AnswerFraming
    ) -> [[UInt8]] {
        let count = max(1, min(fault == .drip ? 20 : pieces, length))
        var parts: [[UInt8]] = []
        var offset = 0
        for piece in 1...count {
            let end = length * piece / count
            let bytes = pattern.bytes(from: offset, count: end - offset)
            offset = end
            guard !bytes.isEmpty else { continue }
            guard framing == .chunked else {
                parts.append(bytes)
                continue
            }
            parts.append(Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + [13, 10])
        }
        if framing == .chunked { parts.append(Array("0\r\n\r\n".utf8)) }
        return parts
    }

    /// Cuts the answer short, or makes it too long, as the fault wants.
    private mutating func cut(
        _ parts: inout [[UInt8]],
        _ fault: ReplicaFault?,
        _ framing: AnswerFraming,
        _ share: Double
    ) {
        switch fault {
        case .resetAfterHead, .stallInBody, .shortBody:
            breaks = true
            // An orderly end is the end of a body that is framed by the close: reset instead.
            resets = fault == .resetAfterHead || framing == .close
            let head = parts[0]
            let body = parts.dropFirst().flatMap { $0 }
            parts = [head, Array(body.prefix(Int(Double(max(0, body.count - 1)) * share)))]
            if body.isEmpty { parts = [Array(head.dropLast(2))] }
        case .longBody where framing == .length:
            parts[parts.count - 1] += Array("surplus bytes".utf8)
            hasSurplus = true
        default: break
        }
    }
}
