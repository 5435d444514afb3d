// Every response sluice writes itself, and the one table from error to status.

internal import Balancing
internal import HTTPWire
internal import Telemetry
internal import Transport

/// What the client is told when the gateway answers itself.
struct OwnAnswer {
    var status: UInt16
    var reason: Reason
    var detail: StaticString
    var retryAfter: Duration?
    /// Whether the connection may go on: not after bytes that could not be framed.
    var mayKeepConnection = true
}

extension OwnAnswer {
    /// What an error means to the client: the one table.
    ///
    /// nil when there is nobody to tell, or nothing honest to say any more.
    init?(_ error: ExchangeError) {
        switch error {
        case .clientGone: return nil
        case .slowClient:
            self.init(
                status: 408,
                reason: .badRequest,
                detail: "the request did not arrive in time",
                mayKeepConnection: false
            )
        case .malformed(let fault): self.init(fault)
        case .plainOnTLS:
            self.init(
                status: 400,
                reason: .badRequest,
                detail: "plain HTTP was sent to an address that speaks TLS: use https",
                mayKeepConnection: false
            )
        case .tooLarge:
            self.init(
                status: 413,
                reason: .tooLarge,
                detail: "the request body is larger than allowed",
                mayKeepConnection: false
            )
        case .unknownExpectation:
            self.init(
                status: 417,
                reason: .badRequest,
                detail: "only 100-continue can be expected"
            )
        case .methodRefused:
            self.init(
                status: 501,
                reason: .badRequest,
                detail: "the method is not served here",
                mayKeepConnection: false
            )
        case .noRoute:
            self.init(status: 404, reason: .noRoute, detail: "no route matches the request")
        case .shed(let shed): self.init(shed)
        case .deadline:
            self.init(status: 504, reason: .deadline, detail: "the deadline has passed")
        case .outOfBuffers:
            self.init(
                status: 503,
                reason: .queueFull,
                detail: "the gateway's memory limit is reached",
                retryAfter: .seconds(1),
                mayKeepConnection: false
            )
        case .stopping:
            self.init(
                status: 503,
                reason: .stopping,
                detail: "the gateway is stopping",
                mayKeepConnection: false
            )
        case .upstream(let fault), .again(let fault): self.init(fault)
        }
    }

    private init(_ fault: WireError) {
        self.init(
            status: 400,
            reason: .badRequest,
            detail: "the request could not be understood",
            mayKeepConnection: false
        )
        switch fault {
        case .targetTooLong:
            (status, reason, detail) = (414, .tooLarge, "the request target is too long")
        case .headTooLarge, .tooManyFields, .trailersTooLarge:
            (status, reason, detail) = (431, .tooLarge, "the request fields are too large")
        case .unsupportedVersion:
            (status, detail) = (505, "the HTTP version is not supported")
        case .unknownTransferCoding:
            (status, detail) = (501, "the transfer coding is not supported")
        case .looksLikeTLS:
            detail = "this address speaks plain HTTP, not TLS"
        case .missingHost: detail = "the request has no Host"
        case .badHost: detail = "the request has a malformed or repeated Host"
        case .badContentLength: detail = "the request has a malformed Content-Length"
        case .conflictingFraming:
            detail = "the request has both Transfer-Encoding and Content-Length"
        case .badTransferEncoding: detail = "the request has a malformed Transfer-Encoding"
        case .badField: detail = "the request has a malformed field"
        case .badChunk: detail = "the request has a malformed chunk"
        default: break
        }
    }

    private init(_ shed: Shed) {
        switch shed.reason {
        case .queueFull:
            self.init(status: 429, reason: .queueFull, detail: "the queue is full")
        case .queueTimeout:
            self.init(
                status: 429,
                reason: .queueTimeout,
                detail: "no replica became free in time"
            )
        case .deadline:
            self.init(
                status: shed.retryAfter == nil ? 504 : 429,
                reason: .deadline,
                detail: "the request cannot be finished before its deadline"
            )
        case .noReplicas:
            self.init(status: 503, reason: .noReplicas, detail: "no replica is ready")
        case .stopping:
            self.init(
                status: 503,
                reason: .stopping,
                detail: "the gateway is stopping",
                mayKeepConnection: false
            )
        }
        retryAfter = shed.retryAfter
    }

    private init(_ fault: UpstreamFault) {
        switch fault.kind {
        case .connectFailed, .connectTimeout:
            self.init(
                status: 502,
                reason: .connectFailed,
                detail: "no connection to a replica"
            )
        case .noConnectionLeft:
            self.init(
                status: 503,
                reason: .connectFailed,
                detail: "the gateway has no connection left"
            )
        case .reset:
            self.init(
                status: 502,
                reason: .upstreamReset,
                detail: "the replica broke off its answer"
            )
        case .timeout, .silent:
            self.init(
                status: 504,
                reason: .upstreamTimeout,
                detail: "the replica did not answer in time"
            )
        case .invalid, .status, .full:
            self.init(
                status: 502,
                reason: .upstreamInvalid,
                detail: "the replica's answer is not valid"
            )
        case .stalled:
            self.init(
                status: 504,
                reason: .streamStalled,
                detail: "the replica's answer went silent"
            )
        }
    }
}

extension ClientConnection {
    /// Turns an error into an answer, if that is still possible.
    func answer(_ error: ExchangeError, to exchange: Exchange) async {
        guard let answer = OwnAnswer(error) else {
            exchange.status = exchange.isAnswered ? exchange.status : 499
            exchange.reason = .clientGone
            exchange.keepsConnection = false
            return
        }
        exchange.reason = answer.reason
        if exchange.isAnswered {
            // A stream broken after its head is cut, never ended cleanly: chunks and lengths show
            // that something is missing, but only a reset shows it where the end is the close.
            exchange.keepsConnection = false
            if exchange.isHTTP10 { socket.reset() } else { socket.close() }
            return
        }
        exchange.isAnswered = true
        exchange.status = answer.status
        takeWhatHasArrived(of: exchange)
        if !answer.mayKeepConnection || !exchange.body.isReceived || lane.gateway.isDraining {
            exchange.keepsConnection = false
        }
        if exchange.requestID.isEmpty {
            let made = lane.ids.requestID()
            exchange.requestID.replace(with: made.span)
        }
        let count = lane.writeOwnAnswer(answer, for: exchange)
        do throws(ExchangeError) {
            if let count { try await sendScratch(count) }
        } catch {
            exchange.keepsConnection = false
        }
    }

    /// A body that has arrived already need not cost the connection.
    private func takeWhatHasArrived(of exchange: Exchange) {
        guard !exchange.body.isReceived, exchange.keepsConnection else { return }
        do throws(ExchangeError) {
            for _ in 0..<8 where !exchange.body.isReceived {
                guard try discard(exchange.body) else { return }
            }
        } catch {
            exchange.keepsConnection = false
        }
    }

    /// Tells the client to send its body (RFC 9110 §10.1.1).
    func sendContinue() async throws(ExchangeError) {
        guard let exchange, !exchange.isHTTP10 else { return }
        let count = lane.scratch.write { writer in
            writer.writeStatusLine(100)
            writer.writeLineEnd()
        }
        if let count { try await sendScratch(count) }
    }

    /// Sends the scratch's first bytes, which are not part of a relay.
    func sendScratch(_ count: Int) async throws(ExchangeError) {
        guard let own = lane.copyOfScratch(count) else { throw .outOfBuffers }
        defer { lane.context.buffers.giveBack(own) }
        let deadline = lane.now + lane.snapshot.settings.timeouts.write
        while !own.isEmpty {
            do throws(SystemError) {
                own.consume(try socket.send(own, from: own.start, to: own.end))
            } catch {
                throw .clientGone
            }
            if own.isEmpty { return }
            await parking.park(until: deadline)
            if socket.isBroken || lane.now >= deadline || lane.gateway.isCutting {
                throw .clientGone
            }
        }
    }
}

extension Lane {
    /// A buffer of its own for the scratch's first bytes; the scratch is lent to others meanwhile.
    func copyOfScratch(_ count: Int) -> ByteBuffer? {
        guard let own = context.buffers.take() else { return nil }
        guard own.append(scratch, count) else {
            context.buffers.giveBack(own)
            return nil
        }
        return own
    }

    /// Writes an `application/problem+json` answer (RFC 9457) into the scratch.
    func writeOwnAnswer(_ answer: OwnAnswer, for exchange: Exchange) -> Int? {
        var body: [UInt8] = []
        let count = scratch.write { writer in
            writer.write("{\"type\":\"about:blank\",\"title\":\"")
            writer.write(reasonPhrase(answer.status))
            writer.write("\",\"status\":")
            writer.write(decimal: UInt64(answer.status))
            writer.write(",\"detail\":\"")
            writer.write(answer.detail)
            writer.write("\",\"requestId\":\"")
            writer.write(jsonEscaped: exchange.requestID)
            writer.write("\",\"reason\":\"")
            writer.write(answer.reason.token)
            writer.write("\"")
            if let retryAfter = answer.retryAfter {
                writer.write(",\"retryAfterMs\":")
                writer.write(decimal: retryAfter.wholeMilliseconds)
            }
            writer.write("}\n")
        }
        guard let count else { return nil }
        body.replace(with: scratch, count)
        let isBodyless = exchange.method == .head
        return scratch.write { writer in
            writer.writeStatusLine(answer.status)
            writer.writeField(.contentType, "application/problem+json")
            writer.writeField(.contentLength, decimal: UInt64(body.count))
            writer.writeField(.cacheControl, "no-store")
            writer.writeFieldStart(.date)
            writeDate(into: &writer)
            writer.writeLineEnd()
            writeConnection(exchange, into: &writer)
            if let retryAfter = answer.retryAfter {
                let seconds = (retryAfter.wholeMilliseconds + 999) / 1000
                writer.writeField(.retryAfter, decimal: seconds)
                writer.writeField(.retryAfterMs, decimal: retryAfter.wholeMilliseconds)
            }
            let switches = exchange.route?.answerFields ?? snapshot.settings.answerFields
            if switches.reason {
                writer.write("X-Sluice-Reason: ")
                writer.write(answer.reason.token)
                writer.writeLineEnd()
            }
            writeOwnFields(exchange, into: &writer)
            writer.writeLineEnd()
            if !isBodyless { writer.write(body) }
        }
    }
}

extension Duration {
    /// Milliseconds, cut; 0 for negative durations.
    var wholeMilliseconds: UInt64 {
        let parts = components
        return UInt64(max(0, parts.seconds * 1000 + parts.attoseconds / 1_000_000_000_000_000))
    }
}

extension ByteWriter {
    /// Writes visible ASCII as the inside of a JSON string.
    mutating func write(jsonEscaped kept: borrowing KeptBytes) {
        let bytes = kept.span
        for index in bytes.indices {
            let byte = bytes[index]
            if byte == 0x22 || byte == 0x5c { write(byte: 0x5c) }
            write(byte: byte)
        }
    }
}
