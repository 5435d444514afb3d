// Heads and chunks as they leave: framed anew, nothing lost, nothing added.

import HTTPWire
import Testing

@Suite struct `Serializer` {
    // RFC 9112 §3.2: wire rules 10 and 13.
    @Test(arguments: [
        ("GET /a?b HTTP/1.1", "GET /a?b HTTP/1.1"),
        ("GET /a//../%2e;x=y? HTTP/1.0", "GET /a//../%2e;x=y? HTTP/1.1"),
        ("POST http://b.example/c?d HTTP/1.1", "POST /c?d HTTP/1.1"),
        ("POST http://b.example HTTP/1.1", "POST / HTTP/1.1"),
        ("POST http://b.example?d HTTP/1.1", "POST /?d HTTP/1.1"),
        ("OPTIONS http://b.example HTTP/1.1", "OPTIONS * HTTP/1.1"),
        ("OPTIONS http://b.example/ HTTP/1.1", "OPTIONS / HTTP/1.1"),
        ("OPTIONS http://b.example?d HTTP/1.1", "OPTIONS /?d HTTP/1.1"),
        ("OPTIONS * HTTP/1.1", "OPTIONS * HTTP/1.1"),
        ("BREW /pot HTTP/1.9", "BREW /pot HTTP/1.1"),
    ])
    func `asks in origin form and its own version`(line: String, sent: String) throws {
        let bytes = head(line, "Host: a")
        let head = try #require(request(bytes).head)
        #expect(written { $0.writeRequestLine(head, of: bytes.span) } == sent + "\r\n")
    }

    @Test func `asks for a target of its own making`() {
        let method = Array("GET".utf8)
        let target = Array("/rewritten".utf8)
        let line = written { $0.writeRequestLine(method: method.span, target: target.span) }
        #expect(line == "GET /rewritten HTTP/1.1\r\n")
    }

    @Test func `writes a status line with either reason`() {
        #expect(written { $0.writeStatusLine(404) } == "HTTP/1.1 404 Not Found\r\n")
        #expect(written { $0.writeStatusLine(299) } == "HTTP/1.1 299 \r\n")
        let reason = Array("As It Came".utf8)
        let line = written { $0.writeStatusLine(200, reason: reason.span) }
        #expect(line == "HTTP/1.1 200 As It Came\r\n")
    }

    // RFC 9110 §5.3: wire rule 15.
    @Test func `forwards fields in order, repeated and in plain form`() {
        let sent = forwarded([
            "B: 1", "b:2", "A: \t3 ", "B: 1", "Empty:", "Empty: ", "Tab:\tx", "C: 4",
        ])
        #expect(
            sent == [
                "B: 1", "b: 2", "A: 3", "B: 1", "Empty: ", "Empty: ", "Tab: x", "C: 4",
            ]
        )
    }

    @Test func `forwards neither hop-by-hop nor excepted fields`() {
        let sent = forwarded(
            [
                "Via: x", "A: 1", "Connection: b", "B: 2", "C: 3", "X-Forwarded-For: y", "D: 4",
                "X-Sluice-Any: z", "Keep-Alive: 5",
            ],
            except: [.via, .xForwardedFor, .xSluice]
        )
        #expect(sent == ["A: 1", "C: 3", "D: 4"])
    }

    @Test func `forwards no field when there is none to forward`() {
        #expect(forwarded(["Connection: close"]) == [])
    }

    // Every combination of eight lines, two of them hop-by-hop, two of them not plain.
    @Test func `forwards the same lines however they are grouped`() {
        let kinds = ["A: 1", "B:2", "Keep-Alive: 3", "Via: 4", "C: 5", "D: 6 ", "TE: 7", "E: 8"]
        let plain = ["A: 1", "B: 2", nil, nil, "C: 5", "D: 6", nil, "E: 8"]
        for mask in 0..<256 {
            let chosen = kinds.indices.filter { mask & (1 << $0) != 0 }
            let sent = forwarded(chosen.map { kinds[$0] }, except: [.via])
            #expect(sent == chosen.compactMap { plain[$0] })
        }
    }

    @Test func `writes fields of its own`() {
        let value = Array("x".utf8)
        let lines = written { writer in
            writer.writeField(.via, "1.1 sluice")
            writer.writeField(.xRequestID, value.span)
            writer.writeField(.contentLength, decimal: 42)
            writer.writeFieldStart(.host)
            writer.write(string: "a")
            writer.writeLineEnd()
        }
        #expect(
            lines == "Via: 1.1 sluice\r\nX-Request-ID: x\r\nContent-Length: 42\r\nHost: a\r\n"
        )
    }

    // RFC 9112 §7.1: what is written is what the decoder reads.
    @Test func `writes chunks that decode again`() {
        let trailers = Array("A: 1\r\n".utf8)
        let body = written { writer in
            writer.writeChunkHeader(26)
            writer.write("abcdefghijklmnopqrstuvwxyz")
            writer.writeLineEnd()
            writer.writeLastChunk(trailers: trailers)
        }
        #expect(body == "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nA: 1\r\n\r\n")
        let decoded = unchunk(body)
        #expect(decoded.data.count == 26)
        #expect(decoded.trailers == "A: 1\r\n")
    }

    @Test func `ends a body without trailers`() {
        #expect(written { $0.writeLastChunk() } == "0\r\n\r\n")
    }

    /// The lines that are forwarded of a request with these and no Host.
    private func forwarded(_ lines: [String], except: FieldNameSet = []) -> [String] {
        let all = ["GET / HTTP/1.0"] + lines + ["", ""]
        let bytes = Array(all.joined(separator: "\r\n").utf8)
        var parser = RequestParser()
        var table = FieldTable(capacity: 32)
        do throws(WireError) {
            let head = try parser.parse(bytes.span, into: &table)
            #expect(head != nil)
        } catch {
            Issue.record("\(error)")
        }
        var memory = [UInt8](repeating: 0, count: 1_024)
        var span = memory.mutableSpan
        let count = span.withWriter { writer in
            writer.forwardFields(of: bytes.span, table, except: except)
            return writer.count
        }
        let text = String(decoding: memory[..<count], as: UTF8.self)
        // A CRLF is one `Character`.
        return text.split(separator: "\r\n").map(String.init)
    }
}
