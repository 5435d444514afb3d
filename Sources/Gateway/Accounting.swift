// The end of every exchange: one reason, counted and logged.

internal import Telemetry
internal import Transport

extension Lane {
    /// Counts and logs an exchange that has ended, if there was one.
    func account(_ exchange: Exchange) {
        // A connection that closed before it sent a request is no exchange.
        guard exchange.status != 0, !exchange.requestID.isEmpty || exchange.status != 499 else {
            return
        }
        let total = now - exchange.arrivedAt
        let route = exchange.route
        (route?.metrics ?? gateway.metrics.unrouted).ended(
            code: exchange.status,
            reason: exchange.reason,
            duration: total,
            stripe: index
        )
        if exchange.firstByte > .zero {
            route?.pool.metrics.spent(exchange.firstByte, .ttfb, stripe: index)
        }
        let settings = snapshot.settings
        guard settings.logsAccess else { return }
        writeAccessLog(exchange, total: total, withQuery: settings.logsQuery)
    }

    private func writeAccessLog(_ exchange: Exchange, total: Duration, withQuery: Bool) {
        let parts = total.components
        let elapsed = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        let wall = context.network.wallNanoseconds - elapsed
        let wasLeased = exchange.attempts > 0
        let record = AccessLogRecord(
            time: UInt64(max(0, wall)),
            status: exchange.status,
            reason: exchange.reason,
            total: total,
            bytesIn: exchange.body.bytesReceived,
            bytesOut: exchange.bytesSent,
            pool: exchange.route?.pool.name ?? "",
            route: exchange.route?.name ?? "",
            replica: exchange.replica?.name ?? "",
            attempts: exchange.attempts,
            queue: wasLeased ? exchange.queued : nil,
            connect: wasLeased ? exchange.connecting : nil,
            ttfb: exchange.firstByte > .zero ? exchange.firstByte : nil
        )
        let length = withQuery ? exchange.target.count : exchange.pathLength
        let targetLength = min(length, exchange.target.count)
        // `00-` and then the 32 digits of the trace.
        let traceRange = exchange.traceparent.count >= 35 ? 3..<35 : 0..<0
        let client = exchange.client.host
        logLine.write(
            record,
            method: exchange.methodToken.span,
            target: exchange.target.span.extracting(0..<targetLength),
            requestID: exchange.requestID.span,
            traceID: exchange.traceparent.span.extracting(traceRange),
            client: client.span
        )
        recent.add(record, of: exchange, line: logLine.bytes)
        if gateway.accessLog.append(logLine.bytes) { gateway.wakeLogWriter() }
    }
}
