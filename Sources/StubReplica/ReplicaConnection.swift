// A connection to the stand-in: requests off it, and an answer to each.

internal import Glibc
internal import HTTPWire
internal import Transport

/// One request as far as its answer depends on it.
struct StubRequest {
    var method = ""
    var target = ""
    var path = ""
    var isHead = false
    var keepAlive = true
    var expectsContinue = false
    var framing = BodyFraming.none
    var fields: [(name: String, value: String)] = []
    var behaviour: Behaviour
    var body = BodyDigest()
}

/// Serves one connection.
struct ReplicaConnection {
    private let link: Link
    private let replica: Replica

    init(_ link: Link, of replica: Replica) {
        self.link = link
        self.replica = replica
    }

    /// Answers one request after the other until either side ends the connection.
    func run() async {
        do throws(LinkError) {
            while let request = try await nextRequest() {
                guard try await serve(request) else { return }
            }
        } catch {
            // The client has left or sends no HTTP: nothing to say to it.
            return
        }
    }

    private func nextRequest() async throws(LinkError) -> StubRequest? {
        var parser = RequestParser()
        var table = FieldTable(capacity: Limits().fieldsMax)
        while true {
            if let buffer = link.buffer, !buffer.isEmpty {
                do throws(WireError) {
                    if let head = try parser.parse(buffer.bytes, into: &table) {
                        let request = read(head, table, buffer.bytes)
                        buffer.consume(head.headLength)
                        return request
                    }
                } catch {
                    throw .malformed
                }
            }
            do throws(LinkError) {
                try await link.receive(until: nil)
            } catch {
                if error == .ended && !parser.hasStarted { return nil }
                throw error
            }
        }
    }

    private func read(
        _ head: RequestHead,
        _ table: borrowing FieldTable,
        _ bytes: Span<UInt8>
    ) -> StubRequest {
        var request = StubRequest(behaviour: replica.behaviour)
        request.method = String(bytes.part(head.methodRange))
        request.target = String(bytes.part(head.target))
        request.path = String(bytes.part(head.path))
        request.isHead = head.method == .head
        request.keepAlive = head.keepAlive
        request.expectsContinue = head.expectsContinue
        request.framing = head.framing
        for index in 0..<table.count {
            let field = table[index]
            let name = String(bytes.part(field.nameRange))
            request.fields.append((name, String(bytes.part(field.valueRange))))
        }
        if request.path == "/stream" && request.behaviour.tokens == 0 {
            request.behaviour.tokens = 5
        }
        if let query = head.query {
            // A setting that is none is left out: the query may mean something else.
            try? request.behaviour.take(query: String(bytes.part(query)))
        }
        return request
    }

    /// Answers; returns whether the connection serves another request.
    private func serve(_ received: StubRequest) async throws(LinkError) -> Bool {
        var request = received
        var writer = AnswerWriter(link, to: request)
        if let text = answerAboutItself(request) {
            request.body = try await link.readBody(request.framing, until: nil)
            try await writer.whole(text, status: 200)
            return request.keepAlive
        }
        replica.began(on: link)
        var isWhole = false
        defer { replica.ended(on: link, isWhole: isWhole) }
        if request.behaviour.fault == .early {
            try await writer.early()
            return false
        }
        if request.expectsContinue {
            try await link.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), until: nil)
        }
        request.body = try await link.readBody(
            request.framing,
            until: nil,
            hashing: request.behaviour.hashes
        )
        try await replica.gate.enter(link)
        defer { replica.gate.leave() }
        replica.started += 1
        writer.worked = try await work(as: request.behaviour)
        if request.behaviour.isHeld { try await replica.hold(link) }
        if let fault = request.behaviour.fault {
            return try await writer.faulty(fault)
        }
        if request.behaviour.tokens > 0 {
            try await writer.stream()
        } else {
            try await writer.whole(describe(request), status: request.behaviour.status)
        }
        isWhole = true
        return request.keepAlive
    }

    /// Takes the time that an answer takes; returns how long that was, or nil for none.
    private func work(as behaviour: Behaviour) async throws(LinkError) -> Duration? {
        let time = behaviour.latency.draw { link.context.network.random() }
        guard time > .zero else { return nil }
        let beginning = link.clock
        try await link.sleep(until: beginning + time, whoeverLeaves: behaviour.finishes)
        let worked = link.clock - beginning
        replica.worked += worked
        return worked
    }

    /// What is answered at once and not counted.
    private func answerAboutItself(_ request: StubRequest) -> String? {
        switch request.path {
        case "/health": return "ok\n"
        case "/stats": return replica.stats
        case "/release":
            replica.release()
            return "released\n"
        case "/behave":
            replica.behaviour = request.behaviour
            return "so be it\n"
        default: return nil
        }
    }

    /// What came, as JSON.
    private func describe(_ request: StubRequest) -> String {
        var text = """
            {"pid":\(getpid()),"method":"\(request.method)","target":\(quoted(request.target)),\
            "bodyBytes":\(request.body.bytes),"bodyHash":"\(String(request.body.hash, radix: 16))"
            """
        if request.behaviour.echoesFields {
            let fields = request.fields.map { "[\(quoted($0.name)),\(quoted($0.value))]" }
            text += ",\"fields\":[\(fields.joined(separator: ","))]"
        }
        return text + "}\n"
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case "\u{0}"..<" ": result += "?"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension String {
    /// Bytes as text; what is no UTF-8 is replaced.
    init(_ bytes: Span<UInt8>) {
        var copy: [UInt8] = []
        copy.replace(with: bytes)
        self.init(decoding: copy, as: UTF8.self)
    }
}
