// The head of a replica's answer as the client gets it.

internal import Balancing
internal import HTTPWire
internal import Transport

/// A replica's answer whose head has been received.
struct Answer {
    let status: UInt16
    /// What the pool is told if it reaches the client whole.
    var verdict = Verdict.success
    let isEventStream: Bool
    /// The body's way, from the replica's framing to the client's.
    var transfer: BodyTransfer
    /// Whether chunks go to the client.
    let sendsChunked: Bool
    /// Whether the replica's connection may be used again afterwards.
    let keepsUpstream: Bool
    /// Whether no byte of the body has come although some must.
    private(set) var awaitsBody = false
    /// What is ready to be sent; the head is in it.
    var pending = Region(start: 0, end: 0)

    /// Whether its last byte has been sent.
    var isSent: Bool { pending.count == 0 && transfer.isComplete }

    /// None yet.
    init() {
        status = 0
        isEventStream = false
        transfer = BodyTransfer(.none, sendsChunked: false, limits: Limits())
        sendsChunked = false
        keepsUpstream = false
    }

    init(_ head: ResponseHead, for exchange: Exchange) {
        status = head.status
        isEventStream = head.isEventStream
        keepsUpstream = head.keepAlive
        let isOpenEnded = head.framing.isChunked || head.framing.endsWithConnection
        sendsChunked = isOpenEnded && !exchange.isHTTP10
        transfer = BodyTransfer(
            head.framing,
            sendsChunked: sendsChunked,
            limits: exchange.lane.snapshot.settings.limits
        )
        if isOpenEnded && exchange.isHTTP10 { exchange.keepsConnection = false }
        if !exchange.body.isReceived { exchange.keepsConnection = false }
        if exchange.lane.gateway.isDraining { exchange.keepsConnection = false }
        if head.status == 101 { exchange.keepsConnection = false }
        exchange.status = head.status
    }

    /// Takes the first body bytes and lays the head before them; false if there is no room.
    ///
    /// - Throws: when the first chunk is malformed.
    mutating func begin(
        in buffer: ByteBuffer,
        head: HeadScratch,
        _ count: Int
    ) throws(WireError) -> Bool {
        awaitsBody = buffer.isEmpty && (transfer.bytesAnnounced ?? 0) > 0
        let first = try transfer.take(from: buffer)
        guard let start = buffer.lay(head.bytes(count), before: first.start) else { return false }
        pending = Region(start: start, end: first.end)
        return true
    }

    /// Takes body bytes that came while the head was held back.
    mutating func addFirstBytes(from buffer: ByteBuffer) throws(WireError) {
        let more = try transfer.take(from: buffer)
        awaitsBody = false
        pending.end = more.end
    }
}

extension Lane {
    /// Never forwarded from a replica: written anew, or the gateway's own to say.
    private static let replaced: FieldNameSet = [
        .via, .xRequestID, .xSluice, .xSluicePriority,
    ]

    /// Writes the head for the client into the scratch; returns its length, nil if it is too long.
    func writeAnswerHead(
        _ head: ResponseHead,
        _ answer: borrowing Answer,
        of source: Span<UInt8>,
        _ exchange: Exchange
    ) -> Int? {
        var except = Lane.replaced
        if head.status == 204 || head.status < 200 { except.insert(.contentLength) }
        let (sendsChunked, isEventStream) = (answer.sendsChunked, answer.isEventStream)
        return scratch.write { writer in
            writer.writeStatusLine(head.status, reason: source.part(head.reason))
            writer.forwardFields(of: source, fields, except: except)
            if sendsChunked { writer.writeField(.transferEncoding, "chunked") }
            if head.status == 101 {
                writer.writeField(.connection, "Upgrade")
                writer.writeField(.upgrade, exchange.upgrade)
            } else {
                writeConnection(exchange, into: &writer)
            }
            if !head.sawFields.contains(.date) {
                writer.writeFieldStart(.date)
                writeDate(into: &writer)
                writer.writeLineEnd()
            }
            writeVia(of: source, into: &writer)
            if isEventStream && !head.sawFields.contains(.xAccelBuffering) {
                writer.writeField(.xAccelBuffering, "no")
            }
            writeOwnFields(exchange, into: &writer)
            writer.writeLineEnd()
        }
    }

    /// Writes an interim head (100, 103).
    func writeInterimHead(_ head: ResponseHead, of source: Span<UInt8>) -> Int? {
        scratch.write { writer in
            writer.writeStatusLine(head.status, reason: source.part(head.reason))
            writer.forwardFields(of: source, fields, except: [.contentLength, .xSluice])
            writer.writeLineEnd()
        }
    }

    /// `Connection`, where the client cannot assume what follows (RFC 9112 §9.3).
    func writeConnection(_ exchange: Exchange, into writer: inout ByteWriter) {
        if !exchange.keepsConnection {
            writer.writeField(.connection, "close")
        } else if exchange.isHTTP10 {
            writer.writeField(.connection, "keep-alive")
        }
    }

    /// The fields in which the gateway tells what it did (design.md §7).
    func writeOwnFields(_ exchange: Exchange, into writer: inout ByteWriter) {
        writer.writeField(.xRequestID, exchange.requestID)
        let switches = exchange.route?.answerFields ?? snapshot.settings.answerFields
        if switches.serverTiming && exchange.attempts > 0 {
            writer.writeFieldStart(.serverTiming)
            writer.write("queue;dur=")
            writer.write(milliseconds: exchange.queued)
            writer.write(", connect;dur=")
            writer.write(milliseconds: exchange.connecting)
            writer.write(", ttfb;dur=")
            writer.write(milliseconds: exchange.firstByte)
            writer.writeLineEnd()
        }
        if switches.replica, let replica = exchange.replica {
            writer.write("X-Sluice-Replica: ")
            writer.write(replica.label)
            writer.writeLineEnd()
        }
        if switches.attempts && exchange.attempts > 0 {
            writer.write("X-Sluice-Attempts: ")
            writer.write(decimal: UInt64(exchange.attempts))
            writer.writeLineEnd()
        }
    }
}

extension ByteWriter {
    /// Writes a duration in milliseconds with three decimals, or none.
    mutating func write(milliseconds duration: Duration) {
        let microseconds = UInt64(max(0, duration.wholeNanoseconds) / 1000)
        write(decimal: microseconds / 1000)
        let fraction = microseconds % 1000
        guard fraction > 0 else { return }
        write(".")
        write(decimal: fraction, width: 3)
    }
}
