// What one client intends to send, and how it behaves meanwhile.

/// How a client behaves while its request is under way.
package enum Manner: Equatable, Sendable {
    /// Sends at once, reads at once, waits as long as it takes.
    case honest
    /// Goes away after some time, with a reset or an orderly close.
    case leaves(after: Duration, resets: Bool)
    /// Sends in so many pieces, with a pause between them.
    case sendsSlowly(pieces: Int, pause: Duration)
    /// Reads so many bytes, then pauses.
    case readsSlowly(bytes: Int, pause: Duration)
    /// Sends this share of its bytes and then nothing more.
    case stops(share: Double, then: Stop)
    /// Sends what is not HTTP, or not safely framed.
    case sendsNonsense(Int)

    /// What a client does that has stopped sending.
    package enum Stop: CaseIterable, Sendable { case waits, resets, finishes }
}

/// One request.
package struct RequestPlan: Equatable, Sendable {
    package var number: Int
    package var method = "POST"
    package var path = "/predict"
    package var bodyBytes = 0
    package var isChunked = false
    /// The body that the replica is asked for.
    package var answerBytes = 64
    package var manner = Manner.honest
    package var isVersion10 = false
    package var expectsContinue = false
    package var closes = false
    /// Sent as `X-Request-Timeout`.
    package var timeout: Duration?
    /// Further field lines, each without its CRLF.
    package var fields: [String] = []

    package init(number: Int) { self.number = number }

    /// Whether RFC 9110 §9.2.2 lets it be sent again.
    package var isIdempotent: Bool { ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].contains(method) }
    package var isNonsense: Bool { if case .sendsNonsense = manner { true } else { false } }
    /// Sends all it announces, and stays until its answer has come.
    package var isPatient: Bool {
        switch manner {
        case .honest, .sendsSlowly, .readsSlowly: true
        case .leaves, .stops, .sendsNonsense: false
        }
    }

    /// The head on the wire.
    package var head: [UInt8] {
        if case .sendsNonsense(let kind) = manner { return nonsense(kind) }
        var lines = ["\(method) \(path) HTTP/1.\(isVersion10 ? 0 : 1)", "Host: model.example"]
        lines += ["X-Sim-Number: \(number)", "X-Sim-Body: \(bodyBytes)"]
        lines += ["X-Sim-Answer: \(answerBytes)"]
        if isChunked {
            lines.append("Transfer-Encoding: chunked")
        } else if bodyBytes > 0 || method == "POST" || method == "PUT" {
            lines.append("Content-Length: \(bodyBytes)")
        }
        if expectsContinue { lines.append("Expect: 100-continue") }
        if closes { lines.append("Connection: close") }
        if let timeout { lines.append("X-Request-Timeout: \(timeout.nanoseconds / 1_000_000)ms") }
        lines += fields
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// The framed body on the wire.
    package func body(using generator: inout SeededGenerator) -> [UInt8] {
        guard !isNonsense else { return [] }
        let pattern = BodyPattern.request(number)
        guard isChunked else { return pattern.bytes(from: 0, count: bodyBytes) }
        var framed: [UInt8] = []
        var offset = 0
        while offset < bodyBytes {
            let count = min(bodyBytes - offset, generator.number(in: 1...max(1, bodyBytes / 3)))
            framed += Array((String(count, radix: 16) + "\r\n").utf8)
            framed += pattern.bytes(from: offset, count: count) + [13, 10]
            offset += count
        }
        return framed + Array("0\r\n\r\n".utf8)
    }

    /// Messages that must be refused (RFC 9112 §6.3, §3.2, §5.1, §7.1), or that are none.
    private func nonsense(_ kind: Int) -> [UInt8] {
        let start = "POST \(path) HTTP/1.1\r\nX-Sim-Number: \(number)\r\nX-Sim-Body: 5\r\n"
        let texts = [
            start + "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            start + "Host: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
            start + "Host: a\r\nContent-Length: +5\r\n\r\nabcde",
            start + "Content-Length: 5\r\n\r\nabcde",
            start + "Host: a\r\nHost: b\r\nContent-Length: 5\r\n\r\nabcde",
            start + "Host: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
            start + "Host: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
            start + "Host: a\r\n folded: x\r\nContent-Length: 0\r\n\r\n",
            "\u{1}\u{2}\u{3}\u{4}\r\n\r\n",
            "HELLO\r\n\r\n",
            "GET http://\r\n\r\n",
            String(repeating: "x", count: 70_000) + "\r\n\r\n",
        ]
        return Array(texts[kind % texts.count].utf8)
    }

    /// Kinds of nonsense there are.
    package static let nonsenseKinds = 12
}
