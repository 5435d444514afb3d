// Mutated messages by seed: nothing traps, pieces agree with the whole, and what is accepted is
// sound by a second, plainer look at it.

import HTTPWire
import Testing

@Suite struct `Mutated messages` {
    private static let seeds: [UInt64] = [1, 2, 3, 4]
    private static let mutationsPerSeed = 1_700

    @Test(arguments: seeds)
    func `of requests are read alike in pieces, and soundly`(seed: UInt64) {
        var mutator = Mutator(seed: seed, corpus: requestCorpus)
        for number in 0..<Self.mutationsPerSeed {
            let bytes = mutator.next()
            let whole = parseRequest(bytes, prefixes: [bytes.count])
            let pieces = parseRequest(bytes, prefixes: mutator.cuts(of: bytes))
            guard whole == pieces else {
                Issue.record("seed \(seed), mutation \(number): \(bytes)")
                return
            }
            guard let head = whole.head else { continue }
            let isSound = isSoundHead(bytes[..<head.headLength]) && isSameAgain(bytes, head, whole)
            #expect(isSound, "seed \(seed), mutation \(number)")
        }
    }

    @Test(arguments: seeds)
    func `of responses are read alike in pieces, and soundly`(seed: UInt64) {
        var mutator = Mutator(seed: seed, corpus: responseCorpus)
        for number in 0..<Self.mutationsPerSeed {
            let bytes = mutator.next()
            let method: Method = number % 2 == 0 ? .post : .head
            let whole = parseResponse(bytes, prefixes: [bytes.count], answering: method)
            let cuts = mutator.cuts(of: bytes)
            guard whole == parseResponse(bytes, prefixes: cuts, answering: method) else {
                Issue.record("seed \(seed), mutation \(number): \(bytes)")
                return
            }
            guard let head = whole.head else { continue }
            #expect(isSoundHead(bytes[..<head.headLength]), "seed \(seed), mutation \(number)")
        }
    }

    @Test(arguments: seeds)
    func `of chunked bodies are read alike in pieces, and soundly`(seed: UInt64) {
        var mutator = Mutator(seed: seed, corpus: chunkedCorpus)
        for number in 0..<Self.mutationsPerSeed {
            let bytes = mutator.next()
            let whole = decodeChunks(bytes, cuts: [bytes.count])
            let pieces = decodeChunks(bytes, cuts: mutator.cuts(of: bytes))
            guard whole == pieces else {
                Issue.record("seed \(seed), mutation \(number): \(bytes)")
                return
            }
            guard whole.hasEnded else { continue }
            let plain = decodePlainly(bytes[..<whole.consumed])
            #expect(plain == whole.data, "seed \(seed), mutation \(number)")
        }
    }

    // A fuzz run that accepts nothing, or everything, shows nothing.
    @Test func `are some accepted and some refused`() {
        var mutator = Mutator(seed: 5, corpus: requestCorpus)
        var accepted = 0
        var refused = 0
        for _ in 0..<500 {
            let bytes = mutator.next()
            switch parseRequest(bytes, prefixes: [bytes.count]) {
            case .head: accepted += 1
            case .fault: refused += 1
            case .incomplete: break
            }
        }
        #expect(accepted > 50)
        #expect(refused > 50)
    }

    /// Whether CR and LF come only in pairs, nothing is NUL, and one empty line ends it all.
    private func isSoundHead(_ head: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: head, as: Unicode.ASCII.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard lines.suffix(2).allSatisfy(\.isEmpty) else { return false }
        let filled = lines.dropLast(2).drop(while: \.isEmpty)
        return filled.allSatisfy { line in
            !line.isEmpty && !line.unicodeScalars.contains { "\r\n\0".unicodeScalars.contains($0) }
        }
    }

    /// Whether the request, written as a replica gets it, is read as the same request.
    private func isSameAgain(
        _ bytes: [UInt8],
        _ head: RequestHead,
        _ outcome: Outcome<RequestHead>
    ) -> Bool {
        // CONNECT is never sent on.
        if head.method == .connect { return true }
        var parser = RequestParser()
        var table = FieldTable(capacity: 128)
        do throws(WireError) {
            _ = try parser.parse(bytes.span, into: &table)
        } catch {
            return false
        }
        var memory = [UInt8](repeating: 0, count: bytes.count + 200)
        var span = memory.mutableSpan
        let count = span.withWriter { writer in
            writer.writeRequestLine(head, of: bytes.span)
            writer.writeFieldStart(.host)
            writer.write(bytes.span.part(head.host))
            if head.host.isEmpty { writer.write("none") }
            writer.writeLineEnd()
            writer.forwardFields(of: bytes.span, table, except: [.host])
            if head.framing == .chunked { writer.writeField(.transferEncoding, "chunked") }
            writer.writeLineEnd()
            return writer.hasOverflowed ? 0 : writer.count
        }
        let sent = Array(memory[..<count])
        let again = parseRequest(sent, prefixes: [count])
        let expected = outcome.lines.filter { $0.isForwarded && $0.name != .host }
        let found = again.lines.dropFirst().filter { $0.name != .transferEncoding }
        return again.head?.framing == head.framing
            && again.head?.method == head.method
            && again.head?.headLength == count
            && found.map(\.value) == expected.map(\.value)
            && found.map(\.text) == expected.map(\.text)
    }

    /// The data of a sound chunked body, found with strings.
    private func decodePlainly(_ body: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = body
        var data: [UInt8] = []
        while let end = rest.firstIndex(of: 0x0a) {
            let line = String(decoding: rest[rest.startIndex..<end], as: Unicode.ASCII.self)
            let size = line.prefix { $0 != ";" && $0 != "\r" }
            guard line.hasSuffix("\r"), let count = Int(size, radix: 16), rest.count > count else {
                return nil
            }
            rest = rest[(end + 1)...]
            if count == 0 { return data }
            data += rest.prefix(count)
            rest = rest.dropFirst(count)
            guard rest.starts(with: [0x0d, 0x0a]) else { return nil }
            rest = rest.dropFirst(2)
        }
        return nil
    }
}

/// Makes messages that are nearly those of a corpus; the same ones for the same seed.
private struct Mutator {
    private var random: SplitMix
    private let corpus: [[UInt8]]
    /// Bytes that mean something somewhere.
    private static let telling = Array("\r\n\0\t :;,0159afgGPH/?#*%._-\u{7f}\u{e9}".utf8)

    init(seed: UInt64, corpus: [String]) {
        random = SplitMix(state: seed)
        self.corpus = corpus.map { Array($0.utf8) }
    }

    /// A message of the corpus with one to three changes.
    mutating func next() -> [UInt8] {
        var bytes = pick(corpus)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard !bytes.isEmpty else { break }
            mutate(&bytes)
        }
        return bytes
    }

    /// A few growing prefixes, the last one whole.
    mutating func cuts(of bytes: [UInt8]) -> [Int] {
        var cuts = [bytes.count]
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            cuts.append(Int.random(in: 0...bytes.count, using: &random))
        }
        return cuts.sorted()
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let at = Int.random(in: 0..<bytes.count, using: &random)
        let end = Int.random(in: at...min(bytes.count, at + 12), using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: bytes[at] = pick(Self.telling)
        case 1: bytes.insert(pick(Self.telling), at: at)
        case 2: bytes.removeSubrange(at..<end)
        case 3: bytes.insert(contentsOf: bytes[at..<end], at: at)
        case 4: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        default:
            let other = pick(corpus)
            let from = Int.random(in: 0..<other.count, using: &random)
            bytes.replaceSubrange(at..., with: other[from...])
        }
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }
}

/// The SplitMix64 generator.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

private let requestCorpus = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a?b=c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "POST /p HTTP/1.1\r\nHost: b:80\r\nContent-Length: 5\r\n\r\nhello",
    "POST /p HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "GET http://c.example/x?y HTTP/1.1\r\nHost: c\r\nConnection: close, x-y\r\nX-Y: 1\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: d\r\nMax-Forwards: 0\r\nVia: 1.1 e\r\n\r\n",
    "CONNECT e:443 HTTP/1.1\r\nHost: e:443\r\n\r\n",
    "GET /ws HTTP/1.1\r\nHost: f\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "PUT /e HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
    "\r\nHEAD /h HTTP/1.1\r\nHost:[::1]:8\r\nX_Forwarded_For: 1\r\nX-Sluice-A:\t2 \r\n\r\n",
]

private let responseCorpus = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n",
    "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nbody",
    "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/1.1 304 Not Modified\r\nConnection: close, etag\r\nETag: \"a\"\r\n\r\n",
    "HTTP/1.1 503\r\nRetry-After: 1\r\nKeep-Alive: timeout=5\r\nSet-Cookie: a\r\n\r\n",
]

private let chunkedCorpus = [
    "0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "1\r\na\r\n2\r\nbc\r\n003\r\ndef\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
    "a;x=y\r\n0123456789\r\n0;z\r\nA: 1\r\nHost: b\r\n\r\n",
    "10\r\n0123456789abcdef\r\nA\r\n0123456789\r\n0\r\ngrpc-status: 0\r\n\r\n",
]
