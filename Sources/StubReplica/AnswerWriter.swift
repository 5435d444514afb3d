// The stand-in's answers, right ones and wrong ones.

internal import HTTPWire
internal import Transport

/// Writes the answer to one request.
struct AnswerWriter {
    private let link: Link
    private let request: StubRequest
    private var behaviour: Behaviour { request.behaviour }
    /// How long it was worked on; told to the client, who may want to know what the rest took.
    var worked: Duration?

    init(_ link: Link, to request: StubRequest) {
        self.link = link
        self.request = request
    }

    private func send(_ text: String) async throws(LinkError) {
        try await link.send(Array(text.utf8), until: nil)
    }

    private func pause(_ time: Duration) async throws(LinkError) {
        try await link.sleep(until: link.context.now + time)
    }

    private func head(_ status: UInt16, _ fields: String) -> String {
        let connection = request.keepAlive ? "" : "Connection: close\r\n"
        return "HTTP/1.1 \(status) Stub\r\n\(fields)\(connection)\r\n"
    }

    /// Sends one whole answer; a short body is filled up to the wanted size.
    func whole(_ text: String, status: UInt16) async throws(LinkError) {
        let missing = max(0, behaviour.bytes - text.utf8.count)
        let hasBody = status != 204 && status != 304
        let length = hasBody ? "Content-Length: \(text.utf8.count + missing)\r\n" : ""
        let work = worked.map { "X-Stub-Work: \($0.microseconds)\r\n" } ?? ""
        let fields = "Content-Type: application/json\r\n\(length)\(work)"
        var bytes = Array(head(status, fields).utf8)
        if hasBody && !request.isHead { bytes.append(contentsOf: text.utf8) }
        try await link.send(bytes, until: nil)
        if hasBody && !request.isHead && missing > 0 { try await fill(missing) }
    }

    /// Sends so many spaces.
    private func fill(_ count: Int) async throws(LinkError) {
        let run = [UInt8](repeating: 0x20, count: min(count, 65_536))
        var left = count
        while left > run.count {
            try await link.send(run, until: nil)
            left -= run.count
        }
        try await link.send(Array(run.prefix(left)), until: nil)
    }

    /// Sends a stream of events, one chunk each.
    func stream() async throws(LinkError) {
        try await send(
            head(200, "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n")
        )
        if request.isHead { return }
        for token in 0..<behaviour.tokens {
            if token > 0 { try await pause(behaviour.interval) }
            try await send(chunk("data: {\"token\":\(token)}\n\n"))
        }
        try await send(chunk("data: [DONE]\n\n") + "0\r\n\r\n")
    }

    private func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }

    /// Answers before the body was read, and ends so that the answer arrives.
    func early() async throws(LinkError) {
        try await send(
            "HTTP/1.1 409 Early\r\nContent-Length: 6\r\nConnection: close\r\n\r\nearly\n"
        )
        link.socket.shutdownWrite()
        let deadline = link.context.now + .seconds(2)
        while true {
            try await link.receive(until: deadline)
            link.buffer?.clear()
        }
    }

    /// Goes wrong as told; returns whether the connection serves another request.
    func faulty(_ fault: Fault) async throws(LinkError) -> Bool {
        switch fault {
        case .early:
            return false
        case .reset:
            link.reset()
            return false
        case .hang:
            while true { try await pause(.seconds(3600)) }
        case .short:
            try await send(head(200, "Content-Length: 1000\r\n") + "too short\n")
        case .long:
            try await send(head(200, "Content-Length: 5\r\n") + "12345and more\n")
            return true
        case .cut:
            try await send(head(200, "Transfer-Encoding: chunked\r\n") + chunk("the first part\n"))
        case .garbage:
            try await send("\u{1}\u{2}this is no HTTP\r\n\r\n")
        case .half:
            try await send("HTTP/1.1 200 OK\r\nContent-Le")
        case .status503:
            try await send(head(503, "Content-Length: 0\r\n"))
            return request.keepAlive
        case .retryAfter:
            try await send(head(503, "Retry-After: 1\r\nContent-Length: 0\r\n"))
            return request.keepAlive
        case .slowDrip:
            try await drip()
            return request.keepAlive
        case .twice:
            let answer = head(200, "Content-Length: 6\r\n")
            try await send(answer + "first\n" + answer + "again\n")
            return true
        }
        return false
    }

    private func drip() async throws(LinkError) {
        let body = Array("drop by drop\n".utf8)
        try await send(head(200, "Content-Length: \(body.count)\r\n"))
        for byte in body {
            try await pause(behaviour.interval)
            try await link.send([byte], until: nil)
        }
    }
}
