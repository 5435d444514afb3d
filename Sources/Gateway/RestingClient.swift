// A client's connection while it is idle: a socket that waits for bytes, without a task or buffers.
//
// Ten thousand idle clients cost a few hundred bytes each so; a task with its frames would be five
// kilobytes. A connection comes here when it has been idle for a moment, and starts here.

internal import Telemetry
internal import Transport

/// A client's connection, and what does not change from one rest to the next.
struct Guest {
    let socket: Socket
    let kind: ConnectionKind
    let address: Address?
    /// What it is to be secured with, before anything else; nil: it is, or is in plain HTTP.
    var tls: TLSServer?
    /// Who the client has proved to be.
    var certificate: ClientCertificate?
    let service: any ClientService
}

/// An idle connection of a client.
///
/// Confined to its loop.
final class RestingClient: SocketOwner {
    let guest: Guest
    /// When it is closed if no byte has come.
    let deadline: Instant
    private unowned let lane: Lane
    private let number: Int
    private var isRoused = false

    init(_ guest: Guest, until deadline: Instant, on lane: Lane, number: Int) {
        self.guest = guest
        self.deadline = deadline
        self.lane = lane
        self.number = number
    }

    /// A task takes over when bytes have come or the connection has ended, not for room to send.
    func socketChanged() {
        if guest.socket.isReadable || guest.socket.peerClosed { rouse() }
    }

    /// Gives the connection to a task.
    func rouse() {
        guard !isRoused else { return }
        isRoused = true
        guest.socket.owner = nil
        let number = number
        lane.loop.spawn { context in await Lane.of(context).attend(number) }
    }

    /// Closes a connection whose time is over.
    func close() {
        guard !isRoused, lane.clients.takeResting(number) != nil else { return }
        lane.clients.remove(number)
        if guest.tls != nil { lane.count(.timedOut) }
        guest.socket.close()
        lane.closed(guest.kind)
    }
}

extension Lane {
    /// Keeps a connection without a task until bytes come.
    func rest(_ guest: Guest, until deadline: Instant) {
        let resting = clients.addResting { number in
            RestingClient(guest, until: deadline, on: self, number: number)
        }
        guest.socket.owner = resting
        resting.socketChanged()
        if restingDeadline.map({ deadline < $0 }) ?? true { restingWatch.unpark() }
    }

    /// Closes the resting connections whose time is over; runs for as long as the loop does.
    func watchResting(until isOver: () -> Bool) async {
        while !isOver() {
            var earliest: Instant?
            for resting in clients.allResting {
                if resting.deadline <= now {
                    resting.close()
                } else {
                    earliest = earliest.map { min($0, resting.deadline) } ?? resting.deadline
                }
            }
            // Many deadlines lie close together: one look is for all of the next moment.
            restingDeadline = earliest.map { max($0, now + Lane.restingInterval) }
            await restingWatch.park(until: restingDeadline)
        }
        for resting in clients.allResting { resting.close() }
    }

    /// The shortest time between two looks at the resting connections.
    private static let restingInterval = Duration.milliseconds(100)

    /// Serves a connection until it rests again or ends.
    fileprivate func attend(_ number: Int) async {
        guard let resting = clients.takeResting(number) else { return }
        var guest = resting.guest
        let client = ClientConnection(
            guest.socket,
            as: guest.kind,
            from: guest.address,
            idleUntil: resting.deadline,
            on: self
        )
        clients.add(client, number)
        var deadline: Instant?
        if let server = guest.tls {
            guest.tls = nil
            if await client.shakeHands(as: server, before: resting.deadline) {
                guest.certificate = client.certificate
                client.idleDeadline = now + snapshot.settings.timeouts.keepAlive
                deadline = await client.run(guest.service)
            } else {
                client.close()
            }
        } else {
            client.certificate = guest.certificate
            deadline = await client.run(guest.service)
        }
        clients.remove(number)
        guard let deadline else { return closed(guest.kind) }
        rest(guest, until: deadline)
    }

    /// A client's connection is closed: another one may come.
    func closed(_ kind: ConnectionKind) {
        guard kind == .client else { return gateway.closeAdminConnection() }
        gateway.shares.remove(from: index)
        gateway.closeConnection()
    }
}
