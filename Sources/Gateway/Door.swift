// What stands at one listener's address, and changes with a reload while the listener stays.

internal import Configuration
internal import Synchronization
internal import Transport

/// One listener's terms; any loop may look.
final class Door: Sendable {
    /// On which terms a connection is taken.
    struct Terms: Sendable {
        /// nil: plain HTTP.
        var tls: TLSServer?
        /// The port of https to which requests are redirected; nil: they are served.
        var redirect: Int?
    }

    private let state = Mutex(Terms())

    /// What a new connection is taken on.
    var terms: Terms {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

extension Gateway {
    /// Sets the terms of each listener that the configuration still has.
    func openDoors(
        _ configuration: Configuration,
        _ material: TLSMaterial,
        as started: [Configuration.Listener]
    ) {
        var left = Array(configuration.listeners.enumerated())
        for (door, listener) in zip(doors, started) {
            let place = left.firstIndex { $0.element.address == listener.address }
            guard let place else { continue }
            let (index, wanted) = left.remove(at: place)
            var terms = Door.Terms(redirect: wanted.redirect)
            if wanted.tls != nil {
                guard index < material.servers.count, let server = material.servers[index] else {
                    // Never in clear what is to be secured.
                    preconditionFailure("listeners[\(index)] has no certificate")
                }
                terms.tls = server
            }
            door.terms = terms
        }
    }
}

/// The handshakes of one loop: so many at once, the others in line.
///
/// Confined to its loop.
final class HandshakeGate {
    private var open = 0
    private var line: [Parking] = []

    /// Handshakes going on.
    var count: Int { open }
    /// Connections that wait for their turn.
    var waiting: Int { line.count }

    /// Waits for a turn; false when it does not come before `deadline`, or `isOver` says so.
    func enter(
        limit: Int,
        _ parking: Parking,
        before deadline: Instant,
        _ context: LoopContext,
        unless isOver: () -> Bool
    ) async -> Bool {
        while open >= limit {
            line.append(parking)
            await parking.park(until: deadline)
            line.removeAll { $0 === parking }
            if context.now >= deadline || isOver() {
                // The turn may have been this one's.
                if open < limit { line.first?.unpark() }
                return false
            }
        }
        open += 1
        return true
    }

    /// Gives the turn to the first in line.
    func leave() {
        open -= 1
        line.first?.unpark()
    }
}
