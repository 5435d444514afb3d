import Balancing
import Foundation
import HTTPWire
import Simulation
import Telemetry
import Testing

@testable import Gateway

/// The one table from error to status, and what the gateway's own answers look like.
@Suite struct `Answers` {
    private static func fault(_ kind: UpstreamFault.Kind) -> ExchangeError {
        .upstream(UpstreamFault(kind: kind, stage: .unanswered(onReusedConnection: false)))
    }

    /// Every error with what the client is told.
    static let table: [(ExchangeError, UInt16, Reason)] = [
        (.slowClient, 408, .badRequest),
        (.tooLarge, 413, .tooLarge),
        (.unknownExpectation, 417, .badRequest),
        (.methodRefused, 501, .badRequest),
        (.noRoute, 404, .noRoute),
        (.shed(Shed(.queueFull, retryAfter: .seconds(2))), 429, .queueFull),
        (.shed(Shed(.queueTimeout, retryAfter: .seconds(2))), 429, .queueTimeout),
        (.shed(Shed(.deadline, retryAfter: .seconds(2))), 429, .deadline),
        (.shed(Shed(.deadline)), 504, .deadline),
        (.shed(Shed(.noReplicas, retryAfter: .seconds(2))), 503, .noReplicas),
        (.shed(Shed(.stopping, retryAfter: .seconds(2))), 503, .stopping),
        (.deadline, 504, .deadline),
        (.outOfBuffers, 503, .queueFull),
        (.stopping, 503, .stopping),
        (fault(.connectFailed), 502, .connectFailed),
        (fault(.connectTimeout), 502, .connectFailed),
        (fault(.noConnectionLeft), 503, .connectFailed),
        (fault(.reset), 502, .upstreamReset),
        (fault(.timeout), 504, .upstreamTimeout),
        (fault(.invalid(.badStatusLine)), 502, .upstreamInvalid),
        (fault(.status(503)), 502, .upstreamInvalid),
        (fault(.full(retryAfter: .seconds(1))), 502, .upstreamInvalid),
        (fault(.stalled), 504, .streamStalled),
    ]

    /// Every fault of a request with its status; 400 for those not here.
    static let wireTable: [WireError: (UInt16, Reason)] = [
        .targetTooLong: (414, .tooLarge),
        .headTooLarge: (431, .tooLarge),
        .tooManyFields: (431, .tooLarge),
        .trailersTooLarge: (431, .tooLarge),
        .unsupportedVersion: (505, .badRequest),
        .unknownTransferCoding: (501, .badRequest),
    ]

    @Test(arguments: table.indices)
    func `every error has its status and its reason`(index: Int) throws {
        let (error, status, reason) = Self.table[index]
        let answer = try #require(OwnAnswer(error))
        #expect(answer.status == status)
        #expect(answer.reason == reason)
    }

    @Test(arguments: WireError.allCases)
    func `what cannot be framed is refused and the connection ends`(fault: WireError) throws {
        let answer = try #require(OwnAnswer(.malformed(fault)))
        let (status, reason) = Self.wireTable[fault] ?? (400, .badRequest)
        #expect(answer.status == status)
        #expect(answer.reason == reason)
        #expect(!answer.mayKeepConnection)
    }

    @Test func `nobody is told when the client has left`() {
        #expect(OwnAnswer(.clientGone) == nil)
    }

    @Test func `an attempt that may be repeated is told as its fault`() throws {
        let fault = UpstreamFault(kind: .reset, stage: .connecting)
        let one = try #require(OwnAnswer(.again(fault)))
        let other = try #require(OwnAnswer(.upstream(fault)))
        #expect(one.status == other.status && one.reason == other.reason)
    }

    @Test func `only a refusal by the queue says when to come back`() throws {
        for (error, _, _) in Self.table {
            let answer = try #require(OwnAnswer(error))
            switch error {
            case .shed(let shed): #expect(answer.retryAfter == shed.retryAfter)
            case .outOfBuffers: #expect(answer.retryAfter == .seconds(1))
            default: #expect(answer.retryAfter == nil)
            }
        }
    }

    // MARK: on the wire

    /// What a client gets when its exchange ends with an error.
    private func answer(
        to error: ExchangeError,
        _ request: String = head("GET /x HTTP/1.1", "Host: a", "X-Request-ID: i\"d\\"),
        _ settings: Stage.Settings = Stage.Settings()
    ) throws -> ClientAnswer {
        let stage = try Stage(settings)
        let address = stage.listen(port: 7000) { lane, exchange, client in
            _ = try lane.prepare(exchange, from: client)
            throw error
        }
        let client = stage.client(to: address)
        client.send(request)
        stage.run { !client.answers.isEmpty || client.hasEnded }
        return try #require(client.answers.first)
    }

    @Test func `an own answer is complete`() throws {
        let got = try answer(to: .shed(Shed(.queueFull, retryAfter: .milliseconds(2_001))))
        #expect(
            got.rawHead == """
                HTTP/1.1 429 Too Many Requests
                Content-Type: application/problem+json
                Content-Length: \(got.body.count)
                Cache-Control: no-store
                Date: Thu, 01 Jan 2026 00:00:01 GMT
                Retry-After: 3
                retry-after-ms: 2001
                X-Sluice-Reason: queue_full
                X-Request-ID: i"d\\
                """
        )
    }

    /// RFC 9457.
    @Test(arguments: table.indices)
    func `every own answer is a problem in valid JSON`(index: Int) throws {
        let (error, status, reason) = Self.table[index]
        let got = try answer(to: error)
        #expect(got.status == Int(status))
        #expect(got.reason == "\(reason.token)")
        #expect(got.head.value("Content-Type") == "application/problem+json")
        let object = try JSONSerialization.jsonObject(with: Data(got.body))
        let problem = try #require(object as? [String: Any])
        #expect(problem["type"] as? String == "about:blank")
        #expect(problem["title"] as? String == String(got.head.startLine.dropFirst(13)))
        #expect(problem["status"] as? Int == Int(status))
        #expect((problem["detail"] as? String)?.isEmpty == false)
        #expect(problem["requestId"] as? String == "i\"d\\")
        #expect(problem["reason"] as? String == "\(reason.token)")
        let wait = got.head.number("retry-after-ms")
        #expect(problem["retryAfterMs"] as? Int == wait)
        #expect((got.head.value("Retry-After") == nil) == (wait == nil))
    }

    @Test func `the answer to HEAD has the length and no body`() throws {
        let whole = try answer(to: .noRoute, head("GET /x HTTP/1.1", "Host: a"))
        let got = try answer(to: .noRoute, head("HEAD /x HTTP/1.1", "Host: a"))
        #expect(got.head.number("Content-Length") == whole.body.count)
        #expect(got.body.isEmpty)
    }

    @Test func `the reason can be switched off`() throws {
        let settings = Stage.Settings(top: "responseHeaders: { reason: false },")
        let got = try answer(to: .noRoute, head("GET /x HTTP/1.1", "Host: a"), settings)
        #expect(got.head.values("X-Sluice-Reason") == [])
    }

    @Test func `a request that could not be read gets an id all the same`() throws {
        let stage = try Stage()
        let got = try stage.ask(head("GET / HTTP/1.1", "Host: a b"))
        #expect(got.status == 400)
        #expect(got.head.value("X-Request-ID")?.count == 32)
    }

    @Test func `the connection goes on after an answer to a whole request`() throws {
        let stage = try Stage(Stage.Settings(route: #"path: "/here","#))
        let client = stage.client()
        client.send(head("POST /away HTTP/1.1", "Host: a", "Content-Length: 3") + "abc")
        client.send(head("GET /here HTTP/1.1", "Host: a"))
        stage.run { client.answers.count == 2 || client.hasEnded }
        #expect(client.answers.map(\.status) == [404, 200])
    }

    /// RFC 9112 §9.3: what is left of a body must not become another request.
    @Test func `the connection ends when the body of a refused request is missing`() throws {
        let stage = try Stage(Stage.Settings(route: #"path: "/here","#))
        let client = stage.client()
        client.send(head("POST /away HTTP/1.1", "Host: a", "Content-Length: 30") + "abc")
        stage.run { client.hasEnded }
        #expect(client.answers.map(\.status) == [404])
        #expect(client.answers.first?.head.value("Connection") == "close")
    }

    @Test(arguments: [
        (Duration.zero, UInt64(0)), (.microseconds(1_999), 1), (.seconds(-1), 0),
        (.seconds(3), 3_000),
    ])
    func `milliseconds are cut`(duration: Duration, expected: UInt64) {
        #expect(duration.wholeMilliseconds == expected)
    }
}
