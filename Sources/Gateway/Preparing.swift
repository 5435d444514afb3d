// From a parsed head to a request that is ready to be sent: its route, its deadline, its new head.

internal import Balancing
internal import HTTPWire
internal import Transport

extension Lane {
    /// Finds the route of the request whose head the client has just sent, and makes it ready.
    ///
    /// Runs without suspension, since the head and the field table are valid only until then.
    /// - Throws: the reason to refuse it on arrival.
    func prepare(
        _ exchange: Exchange,
        from client: ClientConnection
    ) throws(ExchangeError) -> Route {
        guard let head = client.head, let buffer = client.buffer else { throw .clientGone }
        let snapshot = self.snapshot
        let source = buffer.bytes
        let isTrusted = snapshot.settings.trusts(client.address)
        exchange.begin(head, of: source, isTrusted: isTrusted)
        noteIdentifiers(of: source, on: exchange)
        let route: Route
        do throws(ExchangeError) {
            route = try decide(head, of: source, by: snapshot)
        } catch {
            // What follows the head is still the body, and nothing else.
            client.consumeHead()
            try exchange.body.begin(
                head.framing,
                in: buffer,
                bytesMax: .max,
                holdBytesMax: 0,
                limits: snapshot.settings.limits
            )
            throw error
        }
        exchange.route = route
        exchange.setDeadline(route: route.timeout, client: requestedTimeout(of: source))
        exchange.priority = route.priority ?? (isTrusted ? requestedPriority(of: source) : 0)
        exchange.affinity = route.settings.affinity?.key(
            of: head,
            source,
            fields,
            client: client.host
        )
        noteUpgrade(of: head, source, route, on: exchange)

        let count = writeUpstreamHead(head, of: source, for: exchange, route, from: client)
        client.consumeHead()
        try exchange.body.begin(
            head.framing,
            in: buffer,
            bytesMax: route.bodyBytesMax,
            holdBytesMax: route.settings.holdBytesMax,
            limits: snapshot.settings.limits
        )
        guard let count, exchange.body.lay(head: scratch, count) else {
            throw .malformed(.headTooLarge)
        }
        return route
    }

    /// Finds the route, or the reason why there is none.
    private func decide(
        _ head: RequestHead,
        of source: Span<UInt8>,
        by snapshot: Snapshot
    ) throws(ExchangeError) -> Route {
        if head.method == .connect { throw .methodRefused }
        if head.hasUnknownExpectation { throw .unknownExpectation }
        try checkMaxForwards(of: head, source)
        guard let route = snapshot.routes.match(head, of: source, fields) else { throw .noRoute }
        return route
    }

    /// Keeps the client's request id and trace context, or makes new ones.
    func noteIdentifiers(of source: Span<UInt8>, on exchange: Exchange) {
        if let field = fields.first(.xRequestID),
            source.part(field.valueRange).isVisibleASCII(countMax: 128)
        {
            exchange.requestID.replace(with: source.part(field.valueRange))
        } else {
            let made = ids.requestID()
            exchange.requestID.replace(with: made.span)
        }
        if let field = fields.first(.traceparent),
            source.part(field.valueRange).isTraceparent
        {
            exchange.traceparent.replace(with: source.part(field.valueRange))
        } else {
            let made = ids.traceparent()
            exchange.traceparent.replace(with: made.span)
        }
    }

    /// RFC 9110 §7.6.2: a TRACE or OPTIONS that may not be forwarded ends here.
    private func checkMaxForwards(
        of head: RequestHead,
        _ source: Span<UInt8>
    ) throws(ExchangeError) {
        guard head.method.countsForwards,
            let field = fields.first(.maxForwards)
        else { return }
        if source.part(field.valueRange).maxForwards == 0 { throw .methodRefused }
    }

    private func requestedTimeout(of source: Span<UInt8>) -> Duration? {
        if let field = fields.first(.xRequestTimeout) {
            return source.part(field.valueRange).requestTimeout
        }
        guard let field = fields.first(.grpcTimeout) else { return nil }
        return source.part(field.valueRange).grpcTimeout
    }

    private func requestedPriority(of source: Span<UInt8>) -> Int {
        guard let field = fields.first(.xSluicePriority),
            let priority = source.part(field.valueRange).integer
        else { return 0 }
        return min(max(priority, -1000), 1000)
    }

    /// RFC 9110 §7.8: the first protocol that the client asks for and the route allows.
    private func noteUpgrade(
        of head: RequestHead,
        _ source: Span<UInt8>,
        _ route: Route,
        on exchange: Exchange
    ) {
        guard let upgrade = head.upgrade, head.framing.isNone else { return }
        let value = source.part(upgrade)
        var cursor = 0
        while let element = value.nextListElement(&cursor) {
            let name = value.extracting(element)
            for allowed in route.upgrades where name.equalsIgnoringCase(allowed.span) {
                exchange.upgrade.replace(with: name)
                return
            }
        }
    }
}

extension ByteWriter {
    /// Writes all of an array.
    mutating func write(_ bytes: [UInt8]) { write(bytes.span) }

    /// Writes one field with bytes that are kept.
    @inline(__always)
    mutating func writeField(_ name: FieldName, _ value: [UInt8]) {
        writeField(name, value.span)
    }

    /// Writes one field with bytes that are kept of the request.
    @inline(__always)
    mutating func writeField(_ name: FieldName, _ value: borrowing KeptBytes) {
        writeField(name, value.span)
    }
}

/// The loop's memory for heads that are being written.
struct HeadScratch {
    private var memory: [UInt8]

    init(capacity: Int) { memory = [UInt8](repeating: 0, count: capacity) }

    /// Writes a head; returns its length, or nil when it did not fit.
    mutating func write(_ body: (inout ByteWriter) -> Void) -> Int? {
        var span = memory.mutableSpan
        return span.withWriter { writer in
            body(&writer)
            return writer.hasOverflowed ? nil : writer.count
        }
    }

    /// The first `count` bytes.
    @_lifetime(borrow self)
    func bytes(_ count: Int) -> Span<UInt8> { memory.span.extracting(0..<count) }
}

extension ByteBuffer {
    /// Puts a written head behind the run; false when it does not fit there.
    func append(_ head: HeadScratch, _ count: Int) -> Bool { append(head.bytes(count)) }
}

extension [UInt8] {
    /// Replaces the contents with what was written.
    mutating func replace(with written: HeadScratch, _ count: Int) {
        replace(with: written.bytes(count))
    }
}
