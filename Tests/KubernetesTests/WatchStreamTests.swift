import Testing

@testable import Kubernetes

@Suite struct `Watch events` {
    private typealias Event = WatchEvent<EndpointSlice>

    private let object = """
        {"metadata":{"name":"a","namespace":"n","resourceVersion":"8"},"addressType":"IPv4"}
        """

    private func event(_ type: String, _ object: String) throws -> Event {
        try read(Event.self, #"{"type":"\#(type)","object":\#(object)}"#)
    }

    @Test func `an object is new, different, or gone`() throws {
        let slice = try read(EndpointSlice.self, object)
        #expect(try event("ADDED", object) == .changed(slice))
        #expect(try event("MODIFIED", object) == .changed(slice))
        #expect(try event("DELETED", object) == .deleted(slice))
    }

    @Test func `a bookmark has a version and nothing else`() throws {
        let bare = """
            {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1",
             "metadata":{"resourceVersion":"99","creationTimestamp":null},"endpoints":null}
            """
        #expect(try event("BOOKMARK", bare) == .bookmark("99"))
    }

    @Test func `an error is told as a status`() throws {
        let status = """
            {"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
             "message":"too old resource version: 1 (2)","reason":"Expired","code":410}
            """
        let event = try event("ERROR", status)
        let expected = APIStatus(
            message: "too old resource version: 1 (2)",
            reason: "Expired",
            code: 410
        )
        #expect(event == .failed(expected))
    }

    @Test func `what cannot be read still has a version`() throws {
        let strange = """
            {"metadata":{"name":"a","namespace":"n","resourceVersion":"9"},"addressType":[]}
            """
        guard case .unreadable(let why, let version) = try event("MODIFIED", strange) else {
            Issue.record("it was read")
            return
        }
        #expect(version == "9")
        #expect(why.hasPrefix("EndpointSlice n/a cannot be read: "))
        #expect(try event("SURPRISE", "{}") == .unknown("SURPRISE"))
    }
}

@Suite struct `Lines of a watch` {
    private let text = Array("one\n\ntwo\r\nthree\n".utf8)
    private let lines = ["one", "two", "three"]

    @Test func `are whole however they arrive`() throws {
        for size in 1...text.count {
            var splitter = LineSplitter()
            var found: [String] = []
            var rest = text[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(size))
                rest = rest.dropFirst(size)
                found += try splitter.take(piece).map { String(decoding: $0, as: UTF8.self) }
            }
            #expect(found == lines, "in pieces of \(size)")
            #expect(splitter.pendingBytes == 0)
        }
    }

    @Test func `without an end are kept for what follows`() throws {
        var splitter = LineSplitter()
        #expect(try splitter.take(Array("ab".utf8)) == [])
        #expect(splitter.pendingBytes == 2)
        #expect(try splitter.take(Array("c\nd".utf8)) == [Array("abc".utf8)])
        #expect(splitter.pendingBytes == 1)
    }

    @Test func `have a bound`() throws {
        var splitter = LineSplitter()
        let piece = [UInt8](repeating: 0x20, count: LineSplitter.lineBytesMax / 2)
        #expect(try splitter.take(piece) == [])
        #expect(try splitter.take(piece) == [])
        #expect(isTooLarge([0x20], &splitter))
        var other = LineSplitter()
        #expect(isTooLarge([0x20] + piece + piece + [0x0a], &other))
    }

    private func isTooLarge(_ bytes: [UInt8], _ splitter: inout LineSplitter) -> Bool {
        do throws(APIFailure) {
            _ = try splitter.take(bytes)
            return false
        } catch {
            return error == .tooLarge
        }
    }
}
