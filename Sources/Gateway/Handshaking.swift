// The step between accepting and serving on a listener that speaks TLS.

internal import Telemetry
internal import Transport

extension ClientConnection {
    /// Shakes hands; false when the connection ends here.
    ///
    /// A client that speaks plain HTTP is to be told so: then the connection goes on in clear,
    /// with `refusal` set.
    func shakeHands(as server: TLSServer, before deadline: Instant) async -> Bool {
        let limit = max(1, lane.snapshot.settings.handshakesMax / lane.gateway.loops.count)
        guard
            await lane.handshakes.enter(
                limit: limit,
                parking,
                before: deadline,
                lane.context,
                unless: { self.socket.peerClosed || self.isCutting }
            )
        else {
            lane.count(lane.now >= deadline ? .timedOut : .closed)
            return false
        }
        defer { lane.handshakes.leave() }
        var deadline = deadline
        var work = Duration.zero
        do throws(TLSError) {
            try socket.startTLS(as: server)
            while true {
                let begun = lane.context.exactNow
                let isDone = try socket.handshake()
                work += lane.context.exactNow - begun
                if isDone { break }
                await parking.park(until: deadline)
                if isCutting {
                    lane.count(.closed)
                    return false
                }
                if isDraining { deadline = min(deadline, begun + ClientConnection.lastCall) }
                // Bytes that go on dripping do not move the deadline.
                if lane.now >= deadline {
                    lane.count(.timedOut)
                    return false
                }
            }
        } catch {
            lane.count(HandshakeResult(error))
            guard error.kind == .plainHTTP else { return false }
            socket.abandonTLS()
            refusal = .plainOnTLS
            return true
        }
        lane.gateway.metrics.handshakeTimes.observe(work, stripe: lane.index)
        lane.count(socket.isResumed ? .resumed : .full)
        if let peer = socket.tlsPeer {
            certificate = ClientCertificate(
                subject: Array(peer.subject.utf8),
                fingerprint: Array(peer.fingerprint.utf8)
            )
        }
        return true
    }

}

extension Lane {
    func count(_ result: HandshakeResult) {
        gateway.metrics.handshakes.add(result, stripe: index)
    }
}

/// Who a client has proved to be, as replicas are told.
struct ClientCertificate {
    /// Empty when it is too long to be passed on.
    let subject: [UInt8]
    let fingerprint: [UInt8]
}

extension HandshakeResult {
    /// What a failed handshake counts as.
    init(_ error: TLSError) {
        switch error.kind {
        case .closed: self = .closed
        case .plainHTTP: self = .plainHTTP
        case .untrusted: self = .untrusted
        case .refused: self = .refused
        case .protocol, .unusable: self = .failed
        }
    }
}
