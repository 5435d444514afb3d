// Access log lines: a golden one, hostile texts, bounds.
import Foundation
import Testing

@testable import Telemetry

@Suite struct `The access log` {
    @Test func `writes the golden line`() {
        let golden = """
            {"time":"2026-03-01T09:30:00.125Z","method":"POST","target":"/predict","status":200,\
            "bytesIn":40,"bytesOut":21,"pool":"sales","route":"predict",\
            "replica":"10.0.0.1:5000","attempts":1,"queueMs":0.250,"connectMs":null,\
            "ttfbMs":12.000,"totalMs":12.300,"reason":"ok","requestId":"r-1","traceId":"abc",\
            "client":"192.0.2.7"}

            """
        let line = Self.line(
            Self.record,
            method: "POST",
            target: "/predict",
            requestID: "r-1",
            traceID: "abc",
            client: "192.0.2.7"
        )
        #expect(String(decoding: line, as: UTF8.self) == golden)
    }

    @Test func `writes null for what there was not`() throws {
        let record = AccessLogRecord(time: 0, status: 400, reason: .badRequest, total: .zero)
        let fields = try Self.fields(Self.line(record))
        #expect(
            fields.filter { $1 is NSNull }.map(\.key).sorted() == [
                "client", "connectMs", "method", "pool", "queueMs", "replica", "requestId", "route",
                "target", "traceId", "ttfbMs",
            ]
        )
        #expect(fields.count == 18)
        #expect(fields["attempts"] as? Int == 0)
    }

    @Test(arguments: [
        "/a\"b", "/a\\", "/\u{0}\u{1F}\n\r", "/é", "/\u{2028}",
        String(repeating: "x", count: 2_048),
    ])
    func `gives every target back to a JSON reader`(target: String) throws {
        let line = Self.line(Self.record, target: target)
        #expect(line.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(try Self.fields(line)["target"] as? String == target)
    }

    @Test(arguments: [0, 1, 2, 3])
    func `cuts long targets between characters`(shift: Int) throws {
        let target = String(repeating: "/", count: shift) + String(repeating: "😀", count: 2_000)
        let cut = try #require(try Self.fields(Self.line(Self.record, target: target))["target"])
        let text = try #require(cut as? String)
        #expect(text.hasSuffix("😀…"))
        #expect(target.hasPrefix(text.dropLast()))
        #expect((2_045...2_051).contains(text.utf8.count))
    }

    @Test func `has room for the worst of texts`() throws {
        let hostile = String(repeating: "\u{1}", count: 20_000)
        var record = Self.record
        record.pool = hostile
        record.route = hostile
        record.replica = hostile
        record.bytesIn = .max
        record.bytesOut = .max
        record.attempts = .max
        record.status = .max
        record.time = .max
        record.total = .seconds(Int64.max)
        record.queue = record.total
        record.connect = record.total
        record.ttfb = record.total
        record.reason = .upstreamTimeout
        let line = Self.line(
            record,
            method: hostile,
            target: hostile,
            requestID: hostile,
            traceID: hostile,
            client: hostile
        )
        #expect(line.count < 30_000)
        #expect(try Self.fields(line).count == 18)
    }

    @Test func `cuts bytes that are no text at all`() throws {
        let noise = [UInt8](repeating: 0x80, count: 10_000)
        var line = AccessLogLine()
        line.write(
            Self.record,
            method: noise.span,
            target: noise.span,
            requestID: noise.span,
            traceID: noise.span,
            client: noise.span
        )
        let target = try #require(try Self.fields(line.bytes)["target"] as? String)
        #expect(target == String(repeating: "\u{FFFD}", count: 2_048) + "…")
    }

    @Test func `keeps its memory from line to line`() {
        var line = AccessLogLine()
        let text = Array("/predict".utf8)
        func write() {
            line.write(
                Self.record,
                method: text.span,
                target: text.span,
                requestID: text.span,
                traceID: text.span,
                client: text.span
            )
        }
        write()
        // Not the array itself: whoever shares its memory makes the next line take its own.
        let first = line.bytes.map { $0 }
        let capacity = line.bytes.capacity
        write()
        #expect(line.bytes == first)
        #expect(line.bytes.capacity == capacity)
    }

    static let record = AccessLogRecord(
        time: 1_772_357_400_125_000_000,
        status: 200,
        reason: .ok,
        total: .microseconds(12_300),
        bytesIn: 40,
        bytesOut: 21,
        pool: "sales",
        route: "predict",
        replica: "10.0.0.1:5000",
        attempts: 1,
        queue: .microseconds(250),
        connect: nil,
        ttfb: .milliseconds(12)
    )

    private static func line(
        _ record: AccessLogRecord,
        method: String = "",
        target: String = "",
        requestID: String = "",
        traceID: String = "",
        client: String = ""
    ) -> [UInt8] {
        var line = AccessLogLine()
        line.write(
            record,
            method: method.utf8.span,
            target: target.utf8.span,
            requestID: requestID.utf8.span,
            traceID: traceID.utf8.span,
            client: client.utf8.span
        )
        return line.bytes
    }

    private static func fields(_ line: [UInt8]) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(line))
        return try #require(object as? [String: Any])
    }
}
