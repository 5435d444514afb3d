// The first step: listeners, the limit of connections, and one accept loop per listener and loop.

internal import Telemetry
internal import Transport

extension Lane {
    /// Takes connections from a listener until the gateway drains; then closes it.
    ///
    /// - Parameter untilOver: whether to go on while the gateway drains, as the admin's does.
    func accept(
        from listener: Socket,
        untilOver: Bool = false,
        serve: @escaping ClientService
    ) async {
        let parking = Parking(on: context)
        listener.owner = parking
        addAcceptor(parking)
        while true {
            await acceptAll(from: listener, parking, serve)
            // What was in the kernel's queue has been taken: nobody is cut off by the close.
            if untilOver ? gateway.isOver : gateway.isDraining { break }
            await parking.park(until: nil)
        }
        listener.close()
    }

    private func acceptAll(
        from listener: Socket,
        _ parking: Parking,
        _ serve: @escaping ClientService
    ) async {
        var peer: Address?
        while true {
            do throws(SystemError) {
                guard let descriptor = try listener.accept(peer: &peer) else { return }
                admit(descriptor, from: peer, serve)
            } catch {
                // No descriptor or memory left: those served now must end before others start.
                gateway.log.warning("listener", "cannot accept: \(error)")
                await parking.sleep(until: now + .milliseconds(100))
            }
        }
    }

    private func admit(_ descriptor: Int32, from peer: Address?, _ serve: @escaping ClientService) {
        guard gateway.openConnection() else {
            context.network.close(descriptor)
            gateway.metrics.connections.add(.refused, stripe: index)
            return
        }
        gateway.metrics.connections.add(.accepted, stripe: index)
        loop.spawn { context in
            await Lane.of(context).attend(descriptor, from: peer, serve)
        }
    }

    /// One client's whole stay.
    private func attend(
        _ descriptor: Int32,
        from peer: Address?,
        _ serve: ClientService
    ) async {
        defer { gateway.closeConnection() }
        do throws(SystemError) {
            let socket = try Socket(descriptor, on: context)
            let client = ClientConnection(socket, from: peer, on: self)
            let number = clients.add(client)
            defer { clients.remove(number) }
            await client.run(serve)
        } catch {
            gateway.log.warning("listener", "cannot serve a connection: \(error)")
        }
    }
}

/// What is done with each request of a listener: the gateway's `serve`, or the admin's.
typealias ClientService =
    @Sendable (Lane, Exchange, ClientConnection) async throws(ExchangeError) -> Void
