// How the tests of this folder feed bytes to the parsers: whole, byte by byte, at every split.

import HTTPWire
import Testing

/// One field line as text.
struct Line: Equatable {
    var name: FieldName
    var text: String
    var value: String
    var isForwarded: Bool
}

/// What a parser made of some bytes.
enum Outcome<Head: Equatable>: Equatable {
    case head(Head, [Line])
    case incomplete
    case fault(WireError)

    var head: Head? {
        guard case .head(let head, _) = self else { return nil }
        return head
    }

    var lines: [Line] {
        guard case .head(_, let lines) = self else { return [] }
        return lines
    }

    var fault: WireError? {
        guard case .fault(let fault) = self else { return nil }
        return fault
    }

    /// Values of the fields of that name, in order.
    subscript(name: FieldName) -> [String] {
        lines.filter { $0.name == name }.map(\.value)
    }
}

/// A head made of `lines`.
func head(_ lines: String...) -> [UInt8] {
    Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
}

/// The bytes of `range` as text.
func text(_ bytes: [UInt8], _ range: ByteRange?) -> String? {
    range.map { String(decoding: bytes[$0.bounds], as: UTF8.self) }
}

/// The outcome of a request parser that sees growing prefixes of `bytes`.
///
/// Between two calls the table is lent to another message, as a loop does.
func parseRequest(
    _ bytes: [UInt8],
    prefixes: some Sequence<Int>,
    limits: Limits = Limits()
) -> Outcome<RequestHead> {
    var parser = RequestParser(limits: limits)
    var table = FieldTable(capacity: limits.fieldsMax)
    for prefix in prefixes {
        do throws(WireError) {
            let span = bytes.span.extracting(0..<prefix)
            if let head = try parser.parse(span, into: &table) {
                return .head(head, lines(of: table, in: bytes))
            }
        } catch {
            return .fault(error)
        }
        lend(&table)
    }
    return .incomplete
}

/// The outcome of a response parser that sees growing prefixes of `bytes`.
func parseResponse(
    _ bytes: [UInt8],
    prefixes: some Sequence<Int>,
    answering method: Method = .get,
    limits: Limits = Limits()
) -> Outcome<ResponseHead> {
    var parser = ResponseParser(limits: limits)
    var table = FieldTable(capacity: limits.fieldsMax)
    for prefix in prefixes {
        do throws(WireError) {
            let span = bytes.span.extracting(0..<prefix)
            if let head = try parser.parse(span, answering: method, into: &table) {
                return .head(head, lines(of: table, in: bytes))
            }
        } catch {
            return .fault(error)
        }
        lend(&table)
    }
    return .incomplete
}

/// Parses a request whole, byte by byte and at every split; all must agree.
func request(
    _ bytes: [UInt8],
    limits: Limits = Limits(),
    _ location: SourceLocation = #_sourceLocation
) -> Outcome<RequestHead> {
    let whole = parseRequest(bytes, prefixes: [bytes.count], limits: limits)
    let single = parseRequest(bytes, prefixes: 0...bytes.count, limits: limits)
    #expect(single == whole, "byte by byte", sourceLocation: location)
    for split in bytes.indices {
        let halves = parseRequest(bytes, prefixes: [split, bytes.count], limits: limits)
        if halves != whole {
            Issue.record("split at \(split): \(halves) but \(whole)", sourceLocation: location)
        }
    }
    return whole
}

/// Parses a response whole, byte by byte and at every split; all must agree.
func response(
    _ bytes: [UInt8],
    answering method: Method = .get,
    limits: Limits = Limits(),
    _ location: SourceLocation = #_sourceLocation
) -> Outcome<ResponseHead> {
    func outcome(_ prefixes: [Int]) -> Outcome<ResponseHead> {
        parseResponse(bytes, prefixes: prefixes, answering: method, limits: limits)
    }
    let whole = outcome([bytes.count])
    #expect(outcome(Array(0...bytes.count)) == whole, "byte by byte", sourceLocation: location)
    for split in bytes.indices {
        let halves = outcome([split, bytes.count])
        if halves != whole {
            Issue.record("split at \(split): \(halves) but \(whole)", sourceLocation: location)
        }
    }
    return whole
}

/// The outcome of a request of these lines.
func request(
    _ lines: String...,
    at location: SourceLocation = #_sourceLocation
) -> Outcome<RequestHead> {
    request(Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8), location)
}

/// The outcome of a response of these lines.
func response(
    _ lines: String...,
    answering method: Method = .get,
    at location: SourceLocation = #_sourceLocation
) -> Outcome<ResponseHead> {
    let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    return response(bytes, answering: method, location)
}

/// Bytes of a request that are needed before a fault is seen; nil when none is.
func bytesUntilFault(_ bytes: [UInt8], limits: Limits = Limits()) -> Int? {
    var parser = RequestParser(limits: limits)
    var table = FieldTable(capacity: limits.fieldsMax)
    for prefix in 0...bytes.count {
        do throws(WireError) {
            let span = bytes.span.extracting(0..<prefix)
            if try parser.parse(span, into: &table) != nil { return nil }
        } catch {
            return prefix
        }
    }
    return nil
}

/// What a chunked body holds.
struct Unchunked: Equatable {
    var data: [UInt8] = []
    var trailers = ""
    var consumed = 0
    var hasEnded = false
    var fault: WireError?
}

/// Decodes `bytes` in the pieces that end at `cuts`.
func decodeChunks(
    _ bytes: [UInt8],
    cuts: some Sequence<Int>,
    limits: Limits = Limits()
) -> Unchunked {
    var decoder = ChunkedDecoder(limits: limits)
    var result = Unchunked()
    var start = 0
    for cut in cuts where !decoder.hasEnded {
        var piece = Array(bytes[start..<cut])
        do throws(WireError) {
            var span = piece.mutableSpan
            let decoded = try decoder.decode(&span)
            let data = decoded.dataStart..<decoded.dataStart + decoded.dataLength
            result.data += piece[data]
            result.consumed += decoded.consumed
            if !decoded.ended, decoded.consumed != piece.count {
                Issue.record("left \(piece.count - decoded.consumed) bytes of an open body")
            }
        } catch {
            // How much data came out before a fault depends on the pieces, rightly.
            return Unchunked(fault: error)
        }
        start = cut
    }
    result.trailers = String(decoding: decoder.trailers, as: UTF8.self)
    result.hasEnded = decoder.hasEnded
    return result
}

/// Decodes a chunked body whole, byte by byte and at every split; all must agree.
func unchunk(
    _ body: String,
    limits: Limits = Limits(),
    _ location: SourceLocation = #_sourceLocation
) -> Unchunked {
    let bytes = Array(body.utf8)
    let whole = decodeChunks(bytes, cuts: [bytes.count], limits: limits)
    let single = decodeChunks(bytes, cuts: 0...bytes.count, limits: limits)
    #expect(single == whole, "byte by byte", sourceLocation: location)
    for split in bytes.indices {
        let halves = decodeChunks(bytes, cuts: [split, bytes.count], limits: limits)
        if halves != whole {
            Issue.record("split at \(split): \(halves) but \(whole)", sourceLocation: location)
        }
    }
    return whole
}

/// What `body` writes, as text.
func written(capacity: Int = 4_096, _ body: (inout ByteWriter) -> Void) -> String {
    var memory = [UInt8](repeating: 0xff, count: capacity)
    var span = memory.mutableSpan
    let count = span.withWriter { writer in
        body(&writer)
        return writer.count
    }
    return String(decoding: memory[..<count], as: UTF8.self)
}

private func lines(of table: borrowing FieldTable, in bytes: [UInt8]) -> [Line] {
    var lines: [Line] = []
    for i in 0..<table.count {
        let field = table[i]
        lines.append(
            Line(
                name: field.name,
                text: text(bytes, field.nameRange) ?? "",
                value: text(bytes, field.valueRange) ?? "",
                isForwarded: !field.isHopByHop
            )
        )
    }
    return lines
}

/// Uses the table for something else.
private func lend(_ table: inout FieldTable) {
    let other = head("GET /other HTTP/1.1", "Host: other", "Connection: x", "X: other")
    var parser = RequestParser()
    do throws(WireError) {
        _ = try parser.parse(other.span, into: &table)
    } catch .tooManyFields {
        // A test with a small table.
    } catch {
        Issue.record("the other request is sound: \(error)")
    }
}
