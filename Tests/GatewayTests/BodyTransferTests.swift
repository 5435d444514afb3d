import HTTPWire
import Simulation
import Testing

@testable import Gateway
@testable import Transport

/// One body on its way: where it ends, and how it is framed anew.
@Suite struct `Body transfer` {
    /// What came out of a transfer.
    struct Outcome: Equatable {
        var bytes: [UInt8] = []
        var leftover: [UInt8] = []
        var isComplete = false
        var taken: UInt64 = 0
    }

    /// How the buffer is used between two pieces.
    enum Use: CaseIterable {
        /// As the relay does: what was taken has been sent, and the buffer begins anew.
        case clearing
        /// As a held request does: what was taken stays, new bytes are received behind it.
        case holding
    }

    /// Runs a body through, piece by piece.
    private func run(
        _ framing: BodyFraming,
        sendsChunked: Bool,
        _ pieces: [ArraySlice<UInt8>],
        ends: Bool = false,
        use: Use = .clearing,
        limits: Limits = Limits()
    ) throws -> Outcome {
        let buffer = ByteBuffer()
        var transfer = BodyTransfer(framing, sendsChunked: sendsChunked, limits: limits)
        var outcome = Outcome()
        var held: [Region] = []
        for piece in pieces {
            switch use {
            case .clearing where buffer.isEmpty: buffer.clear()
            case .holding where !transfer.isComplete && buffer.isEmpty:
                let start = buffer.end + BodyTransfer.gapBytes
                buffer.setRun(from: start, to: start)
            default: break
            }
            #expect(buffer.put(Array(piece)))
            let region = try transfer.take(from: buffer)
            held.append(region)
            if use == .clearing { outcome.bytes += buffer.copy(region) }
        }
        if ends {
            // Only once all before has been sent: a stream that ends has nothing behind it.
            buffer.clear()
            let region = try transfer.end(in: buffer)
            held.append(region)
            if use == .clearing { outcome.bytes += buffer.copy(region) }
        }
        // What was taken first must still stand when the last piece has come.
        if use == .holding { outcome.bytes = held.flatMap { buffer.copy($0) } }
        outcome.leftover = buffer.copy(Region(start: buffer.start, end: buffer.end))
        outcome.isComplete = transfer.isComplete
        outcome.taken = transfer.bytesTaken
        return outcome
    }

    /// Every way to cut bytes into two pieces, and byte by byte.
    private func splits(_ bytes: [UInt8]) -> [[ArraySlice<UInt8>]] {
        (1..<bytes.count).map { [bytes[..<$0], bytes[$0...]] } + [
            bytes.indices.map { bytes[$0...$0] }
        ]
            + [[bytes[...]]]
    }

    /// The data of chunks, by another decoder.
    private func decoded(_ chunks: [UInt8]) throws -> [UInt8] {
        var reader = MessageReader(readsResponses: false)
        reader.feed("POST / HTTP/1.1\nTransfer-Encoding: chunked\n\n".wire.bytes + chunks)
        var data: [UInt8] = []
        while let part = reader.next() {
            switch part {
            case .head: break
            case .body(let bytes): data += bytes
            case .end:
                #expect(reader.pendingBytes == 0)
                return data
            case .invalid(let why):
                Issue.record("\(why): \(String(decoding: chunks, as: UTF8.self))")
                return []
            }
        }
        Issue.record("no last chunk: \(String(decoding: chunks, as: UTF8.self))")
        return []
    }

    private static let next = "GET /next HTTP/1.1"

    @Test(arguments: Use.allCases)
    func `a length ends where it says, however the bytes are cut`(use: Use) throws {
        for pieces in splits(("hello world" + Self.next).bytes) {
            let outcome = try run(.length(11), sendsChunked: false, pieces, use: use)
            #expect(outcome.bytes == "hello world".bytes)
            #expect(outcome.leftover == Self.next.bytes)
            #expect(outcome.isComplete && outcome.taken == 11)
        }
    }

    @Test(arguments: Use.allCases)
    func `a length becomes chunks for who wants them`(use: Use) throws {
        for pieces in splits("hello world".bytes) {
            let outcome = try run(.length(11), sendsChunked: true, pieces, use: use)
            #expect(try decoded(outcome.bytes) == "hello world".bytes)
            #expect(outcome.isComplete)
        }
    }

    /// RFC 9112 §7.1; what follows the last chunk is another message.
    @Test(arguments: Use.allCases, [false, true])
    func `chunks are taken apart, however the bytes are cut`(
        use: Use,
        sendsChunked: Bool
    ) throws {
        let wire = "5;a=b\nhello\n1\n \n05\nworld\n0\n\n".wire.bytes + Self.next.bytes
        for pieces in splits(wire) {
            let outcome = try run(.chunked, sendsChunked: sendsChunked, pieces, use: use)
            let data = sendsChunked ? try decoded(outcome.bytes) : outcome.bytes
            #expect(data == "hello world".bytes)
            #expect(outcome.leftover == Self.next.bytes)
            #expect(outcome.isComplete && outcome.taken == 11)
        }
    }

    @Test(arguments: [false, true])
    func `a body until the close ends with it`(sendsChunked: Bool) throws {
        for pieces in splits("hello".bytes) {
            let outcome = try run(.untilClose, sendsChunked: sendsChunked, pieces, ends: true)
            let data = sendsChunked ? try decoded(outcome.bytes) : outcome.bytes
            #expect(data == "hello".bytes)
            #expect(outcome.isComplete)
        }
    }

    @Test(arguments: [BodyFraming.chunked, .untilClose])
    func `an empty body is one last chunk`(framing: BodyFraming) throws {
        let wire = framing == .chunked ? "0\n\n".wire.bytes : []
        for pieces in framing == .chunked ? splits(wire) : [[]] {
            let outcome = try run(
                framing,
                sendsChunked: true,
                pieces,
                ends: framing == .untilClose
            )
            #expect(outcome.bytes == "0\n\n".wire.bytes)
        }
    }

    @Test func `no body takes nothing`() throws {
        let outcome = try run(.none, sendsChunked: false, [Self.next.bytes[...]])
        #expect(outcome.bytes.isEmpty)
        #expect(outcome.leftover == Self.next.bytes)
        #expect(outcome.isComplete)
    }

    @Test func `nothing more is taken after the end`() throws {
        let buffer = ByteBuffer()
        #expect(buffer.put("abcdef".bytes))
        var transfer = BodyTransfer(.length(3), sendsChunked: false, limits: Limits())
        _ = try transfer.take(from: buffer)
        let region = try transfer.take(from: buffer)
        #expect(region.count == 0 && buffer.count == 3)
    }

    /// RFC 9112 §8: a body that is cut must not look whole.
    @Test(arguments: [
        (BodyFraming.length(4), "abc"), (.chunked, ""), (.chunked, "3\nabc\n"),
        (.chunked, "3\nab"), (.chunked, "0\n"), (.chunked, "0\nA: b\n"),
    ])
    func `a body that ends too early is an error`(framing: BodyFraming, wire: String) {
        let pieces = wire.isEmpty ? [] : [wire.wire.bytes[...]]
        #expect(throws: WireError.self) {
            _ = try run(framing, sendsChunked: true, pieces, ends: true)
        }
    }

    @Test(arguments: [
        "x\n", "3\nabcd\n", "3\nabc0\n\n", "ffffffffffffffffff\n", "-1\n", "3 \nabc\n",
    ])
    func `malformed chunks are an error at every split`(wire: String) {
        for pieces in splits(wire.wire.bytes) {
            #expect(throws: WireError.self) {
                _ = try run(.chunked, sendsChunked: true, pieces)
            }
        }
    }

    @Test func `what is announced counts down`() throws {
        let buffer = ByteBuffer()
        var transfer = BodyTransfer(.length(5), sendsChunked: false, limits: Limits())
        #expect(transfer.bytesAnnounced == 5)
        #expect(buffer.put("abc".bytes))
        _ = try transfer.take(from: buffer)
        #expect(transfer.bytesAnnounced == 2)
        #expect(!transfer.isComplete)
        let chunked = BodyTransfer(.chunked, sendsChunked: true, limits: Limits())
        #expect(chunked.bytesAnnounced == nil)
    }

    // MARK: trailers

    /// RFC 9110 §6.5.1.
    @Test func `trailers that may go on do`() throws {
        let wire = "3\nabc\n0\nX-Sum: 1\nContent-Length: 9\nServer-Timing: a\n\n".wire.bytes
        let outcome = try run(.chunked, sendsChunked: true, [wire[...]])
        #expect(
            outcome.bytes == "3\nabc\n0\nX-Sum: 1\nServer-Timing: a\n\n".wire.bytes
        )
    }

    @Test func `trailers are taken out for who gets no chunks`() throws {
        let wire = "3\nabc\n0\nX-Sum: 1\n\n".wire.bytes
        for pieces in splits(wire) {
            let outcome = try run(.chunked, sendsChunked: false, pieces)
            #expect(outcome.bytes == "abc".bytes)
        }
    }

    @Test func `trailers never cost what follows them`() throws {
        let trailers = (0..<20).map { "X-Field-\($0): \(String(repeating: "v", count: 40))\n" }
        let wire = ("1\na\n0\n" + trailers.joined() + "\n").wire.bytes + Self.next.bytes
        for cut in stride(from: 1, to: wire.count, by: 7) {
            let pieces = [wire[..<cut], wire[cut...]]
            let outcome = try run(.chunked, sendsChunked: true, pieces)
            #expect(try decoded(outcome.bytes) == ["a".bytes[0]])
            #expect(outcome.leftover == Self.next.bytes)
        }
    }

    // MARK: sizes

    @Test(arguments: [1, 9, 10, 15, 16, 17, 255, 256, 4_095, 4_096, 65_535, 65_536, 123_000])
    func `the size of a chunk is written in hexadecimal`(size: Int) throws {
        let body = (0..<size).map { UInt8($0 & 0xff) }
        let outcome = try run(.length(UInt64(size)), sendsChunked: true, [body[...]])
        #expect(outcome.bytes.starts(with: (String(size, radix: 16) + "\r\n").utf8))
        #expect(try decoded(outcome.bytes) == body)
    }

    @Test func `a slab filled to its last byte has room for the framing`() throws {
        let buffer = ByteBuffer()
        var transfer = BodyTransfer(.untilClose, sendsChunked: true, limits: Limits())
        let body = [UInt8](repeating: 7, count: buffer.room)
        #expect(buffer.put(body))
        #expect(buffer.room == 0)
        let chunk = buffer.copy(try transfer.take(from: buffer))
        buffer.clear()
        let last = buffer.copy(try transfer.end(in: buffer))
        #expect(try decoded(chunk + last) == body)
    }

    @Test(arguments: 1...60)
    func `any chunks in any pieces carry the same bytes`(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        var body: [UInt8] = []
        var wire: [UInt8] = []
        for _ in 0..<chance.number(in: 1...12) {
            let size = chance.number(in: 1...(chance.chance(0.2) ? 3_000 : 20))
            let data = (0..<size).map { _ in UInt8(chance.number(in: 0...255)) }
            let padding = String(repeating: "0", count: chance.number(in: 0...3))
            wire +=
                (padding + String(size, radix: 16) + (chance.chance(0.3) ? ";x=\"y\"" : "")).utf8
            wire += [13, 10] + data + [13, 10]
            body += data
        }
        wire += "0\r\n\r\n".utf8
        var pieces: [ArraySlice<UInt8>] = []
        var place = 0
        while place < wire.count {
            let end = min(wire.count, place + chance.number(in: 1...(chance.chance(0.5) ? 9 : 900)))
            pieces.append(wire[place..<end])
            place = end
        }
        for use in Use.allCases {
            let chunked = try run(.chunked, sendsChunked: true, pieces, use: use)
            #expect(try decoded(chunked.bytes) == body)
            let plain = try run(.chunked, sendsChunked: false, pieces, use: use)
            #expect(plain.bytes == body && plain.isComplete)
        }
    }
}

extension ByteBuffer {
    /// `append` of an array: a span cannot stand inside an expectation.
    fileprivate func put(_ bytes: [UInt8]) -> Bool { append(bytes.span) }

    /// The bytes of a region, as they will be sent.
    fileprivate func copy(_ region: Region) -> [UInt8] {
        Array(memory(from: region.start, to: region.end))
    }
}
