// The first step: listeners, the limit of connections, and one accept loop per listener and loop.

internal import Telemetry
internal import Transport

extension Lane {
    /// Takes connections from a listener until the gateway drains, the admin's until it is over;
    /// then closes it.
    func accept(
        from listener: Socket,
        as kind: ConnectionKind = .client,
        through door: Door = Door(),
        service: any ClientService
    ) async {
        let parking = Parking(on: context)
        listener.owner = parking
        addAcceptor(parking)
        listener.keepBackSilent(true)
        while true {
            // Who has connected already is to be served before the listener closes.
            if gateway.isStopping { listener.keepBackSilent(false) }
            await acceptAll(from: listener, as: kind, door, parking, service)
            // What was in the kernel's queue has been taken: nobody is cut off by the close.
            if kind == .admin ? gateway.isOver : gateway.isDraining { break }
            await parking.park(until: nil)
        }
        listener.close()
    }

    private func acceptAll(
        from listener: Socket,
        as kind: ConnectionKind,
        _ door: Door,
        _ parking: Parking,
        _ service: any ClientService
    ) async {
        var peer: Address?
        var taken = 0
        // Of those who come meanwhile the poller tells.
        var left = listener.waiting ?? .max
        while left > 0 {
            do throws(SystemError) {
                guard let descriptor = try listener.accept(peer: &peer) else { return }
                admit(descriptor, as: kind, door, from: peer, service)
                left -= 1
                taken += 1
                // However many come, those who are served get their turn.
                if taken % 64 == 0 { await context.yield() }
            } catch {
                // No descriptor or memory left: those served now must end before others start.
                gateway.log.warning("listener", "cannot accept: \(error)")
                await parking.sleep(until: now + .milliseconds(100))
                // Who came while it slept has waked nobody.
                left = listener.waiting ?? .max
            }
        }
    }

    private func admit(
        _ descriptor: Int32,
        as kind: ConnectionKind,
        _ door: Door,
        from peer: Address?,
        _ service: any ClientService
    ) {
        let isAdmitted =
            kind == .admin ? gateway.openAdminConnection() : gateway.openConnection()
        if kind == .client {
            gateway.metrics.connections.add(isAdmitted ? .accepted : .refused, stripe: index)
        }
        guard isAdmitted else {
            context.network.close(descriptor)
            return
        }
        let target = kind == .client ? gateway.shares.place(acceptedBy: index) : index
        if target == index { return take(descriptor, as: kind, door.terms, from: peer, service) }
        gateway.loops[target].spawn { context in
            Lane.of(context).take(descriptor, as: kind, door.terms, from: peer, service)
        }
    }

    /// Takes over a connection that has been admitted.
    private func take(
        _ descriptor: Int32,
        as kind: ConnectionKind,
        _ terms: Door.Terms,
        from peer: Address?,
        _ service: any ClientService
    ) {
        let timeouts = snapshot.settings.timeouts
        do throws(SystemError) {
            let socket = try Socket(descriptor, on: context, isReadable: false)
            rest(
                Guest(
                    socket: socket,
                    kind: kind,
                    address: peer,
                    tls: terms.tls,
                    service: terms.redirect.map(Redirection.init) ?? service
                ),
                until: now + (terms.tls == nil ? timeouts.keepAlive : timeouts.handshake)
            )
        } catch {
            closed(kind)
            gateway.log.warning("listener", "cannot serve a connection: \(error)")
        }
    }
}

/// Whose connection it is: a client's, or one to the admin address.
///
/// The admin's are counted apart, go on while the gateway drains, and are neither counted as
/// exchanges nor logged.
enum ConnectionKind: Sendable { case client, admin }

/// What is done with each request of a listener.
///
/// A protocol and no closure: Swift 6.3 lets a closure leave the loop of its caller.
protocol ClientService: Sendable {
    /// Called on the loop of `lane` with a request whose head `client` has received.
    func serve(
        _ exchange: Exchange,
        to client: ClientConnection,
        on lane: Lane
    ) async throws(ExchangeError)
}
