// A second, independent reader of HTTP/1.1: what the actors of a world understand.
//
// Simple and strict: what it does not accept, the gateway should not have sent.

/// The start line and fields of a message.
package struct MessageHead {
    package var startLine: String
    package var fields: [(name: String, value: String)]

    /// The values of a field, in order; names compare without case.
    package func values(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    /// The only value of a field; nil when it is missing or repeated.
    package func value(_ name: String) -> String? {
        let values = values(name)
        return values.count == 1 ? values[0] : nil
    }

    package func number(_ name: String) -> Int? { value(name).flatMap { Int($0) } }

    /// The status of a response; 0 in a request.
    package var status: Int {
        guard startLine.hasPrefix("HTTP/") else { return 0 }
        return Int(startLine.split(separator: " ", maxSplits: 2).dropFirst().first ?? "") ?? 0
    }

    /// The method of a request.
    package var method: String { String(startLine.prefix { $0 != " " }) }
    /// The target of a request.
    package var target: String {
        String(startLine.split(separator: " ").dropFirst().first ?? "")
    }

    /// Whether the connection ends after this message.
    package var closes: Bool {
        let options = values("Connection").joined(separator: ",").lowercased()
        if startLine.contains("HTTP/1.0") { return !options.contains("keep-alive") }
        return options.contains("close")
    }
}

/// What a reader found next.
package enum MessagePart {
    case head(MessageHead)
    case body([UInt8])
    case end
    /// Not HTTP as the world understands it; nothing follows.
    case invalid(String)
}

/// Reads messages from the bytes of one direction of a connection.
package struct MessageReader {
    private enum State {
        case head, fixed(Int), chunkSize, chunk(Int), chunkEnd, trailers, untilEnd, dead
    }

    private var pending: [UInt8] = []
    private var place = 0
    private var state = State.head
    /// Whether responses are read, and to which methods, in order: `HEAD` has no body.
    private let readsResponses: Bool
    /// The methods of the requests whose responses are expected.
    package var expectedMethods: [String] = []
    private static let headBytesMax = 65_536

    package init(readsResponses: Bool) { self.readsResponses = readsResponses }

    /// Between two messages, with nothing begun.
    package var isIdle: Bool {
        if case .head = state { return place == pending.count }
        return false
    }

    /// Bytes given and not yet understood.
    package var pendingBytes: Int { pending.count - place }

    package mutating func feed(_ bytes: [UInt8]) {
        if place > 0 {
            pending.removeFirst(place)
            place = 0
        }
        pending.append(contentsOf: bytes)
    }

    /// The stream has ended cleanly: whether that completes the message in hand.
    package mutating func endOfStream() -> MessagePart? {
        guard case .untilEnd = state else { return nil }
        state = .dead
        return .end
    }

    /// The next part; nil until more bytes come.
    package mutating func next() -> MessagePart? {
        switch state {
        case .head: nextHead()
        case .fixed(let left): nextFixed(left)
        case .chunkSize: nextChunkSize()
        case .chunk(let left): nextChunk(left)
        case .chunkEnd: nextChunkEnd()
        case .trailers: nextTrailer()
        case .untilEnd: pendingBytes == 0 ? nil : .body(take(pendingBytes))
        case .dead: nil
        }
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        defer { place += count }
        return Array(pending[place..<place + count])
    }

    private mutating func refuse(_ reason: String) -> MessagePart {
        state = .dead
        return .invalid(reason)
    }

    /// A line without its CRLF; nil until it is complete.
    private mutating func line() -> [UInt8]? {
        guard let feed = pending[place...].firstIndex(of: 10) else { return nil }
        guard feed > place, pending[feed - 1] == 13 else { return [0] }
        defer { place = feed + 1 }
        return Array(pending[place..<feed - 1])
    }

    private mutating func nextHead() -> MessagePart? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard pendingBytes >= 4 else { return nil }
        var index = place
        while true {
            guard let feed = pending[index...].firstIndex(of: 10) else { break }
            if feed >= place + 3, pending[feed - 3...feed].elementsEqual(end) {
                return readHead(upTo: feed + 1)
            }
            index = feed + 1
        }
        return pendingBytes > MessageReader.headBytesMax ? refuse("endless head") : nil
    }

    private mutating func readHead(upTo end: Int) -> MessagePart {
        let text = String(decoding: take(end - place - 4), as: UTF8.self)
        place += 4
        var lines = text.components(separatedBy: "\r\n")
        var head = MessageHead(startLine: lines.removeFirst(), fields: [])
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex,
                !line.contains(where: { $0 == "\r" || $0 == "\n" || $0 == "\0" }),
                !line[..<colon].contains(" ")
            else { return refuse("field line \(line.debugDescription)") }
            let value = line[line.index(after: colon)...]
            head.fields.append((String(line[..<colon]), MessageReader.trim(value)))
        }
        return readFraming(of: head)
    }

    private static func trim(_ text: Substring) -> String {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }

    /// Decides where the body of a message ends (RFC 9112 §6.3), and refuses doubt.
    private mutating func readFraming(of head: MessageHead) -> MessagePart {
        let codings = head.values("Transfer-Encoding")
        let lengths = head.values("Content-Length")
        if readsResponses {
            guard head.startLine.hasPrefix("HTTP/1."), head.status >= 100 else {
                return refuse("status line \(head.startLine.debugDescription)")
            }
            if head.status < 200 { return .head(head) }
            guard !expectedMethods.isEmpty else { return refuse("a response nobody asked for") }
            let method = expectedMethods.removeFirst()
            if method == "HEAD" || head.status == 204 || head.status == 304 {
                state = .fixed(0)
                return .head(head)
            }
        } else if !head.startLine.hasSuffix(" HTTP/1.1") && !head.startLine.hasSuffix(" HTTP/1.0") {
            return refuse("request line \(head.startLine.debugDescription)")
        }
        guard codings.isEmpty || lengths.isEmpty else { return refuse("length and coding") }
        if !codings.isEmpty {
            guard codings.count == 1, codings[0].lowercased() == "chunked" else {
                return refuse("coding \(codings)")
            }
            state = .chunkSize
        } else if !lengths.isEmpty {
            guard lengths.count == 1, let length = Int(lengths[0]), length >= 0 else {
                return refuse("length \(lengths)")
            }
            state = .fixed(length)
        } else {
            state = readsResponses ? .untilEnd : .fixed(0)
        }
        return .head(head)
    }

    private mutating func nextFixed(_ left: Int) -> MessagePart? {
        if left == 0 {
            state = .head
            return .end
        }
        guard pendingBytes > 0 else { return nil }
        let bytes = take(min(left, pendingBytes))
        state = .fixed(left - bytes.count)
        return .body(bytes)
    }

    private mutating func nextChunkSize() -> MessagePart? {
        guard let line = line() else { return nil }
        let digits = line.prefix { $0 != UInt8(ascii: ";") }
        guard !digits.isEmpty, digits.count <= 15,
            let size = Int(String(decoding: digits, as: UTF8.self), radix: 16),
            digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-")
        else { return refuse("chunk size \(String(decoding: line, as: UTF8.self))") }
        state = size == 0 ? .trailers : .chunk(size)
        return next()
    }

    private mutating func nextChunk(_ left: Int) -> MessagePart? {
        guard pendingBytes > 0 else { return nil }
        let bytes = take(min(left, pendingBytes))
        state = bytes.count == left ? .chunkEnd : .chunk(left - bytes.count)
        return .body(bytes)
    }

    private mutating func nextChunkEnd() -> MessagePart? {
        guard pendingBytes >= 2 else { return nil }
        guard take(2) == [13, 10] else { return refuse("no CRLF behind a chunk") }
        state = .chunkSize
        return next()
    }

    private mutating func nextTrailer() -> MessagePart? {
        guard let line = line() else { return nil }
        guard line.isEmpty else { return line == [0] ? refuse("bare LF") : nextTrailer() }
        state = .head
        return .end
    }
}

extension String {
    /// The parts between a separator, empty ones included.
    fileprivate func components(separatedBy separator: String) -> [String] {
        var parts: [String] = []
        var part: [UInt8] = []
        let bytes = Array(utf8)
        let mark = Array(separator.utf8)
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: mark) {
                parts.append(String(decoding: part, as: UTF8.self))
                part = []
                index += mark.count
            } else {
                part.append(bytes[index])
                index += 1
            }
        }
        parts.append(String(decoding: part, as: UTF8.self))
        return parts
    }
}
