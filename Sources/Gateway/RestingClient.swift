// A client's connection while it is idle: a socket that waits for bytes, without a task or buffers.
//
// Ten thousand idle clients cost a few hundred bytes each so; a task with its frames would be five
// kilobytes. A connection comes here when it has been idle for a moment, and starts here.

internal import Transport

/// An idle connection of a client.
///
/// Confined to its loop.
final class RestingClient: SocketOwner {
    let socket: Socket
    let kind: ConnectionKind
    let address: Address?
    let serve: ClientService
    /// When it is closed if no byte has come.
    let deadline: Instant
    private unowned let lane: Lane
    private let number: Int
    private var isRoused = false

    init(
        _ socket: Socket,
        as kind: ConnectionKind,
        from address: Address?,
        until deadline: Instant,
        on lane: Lane,
        number: Int,
        serve: @escaping ClientService
    ) {
        self.socket = socket
        self.kind = kind
        self.address = address
        self.deadline = deadline
        self.lane = lane
        self.number = number
        self.serve = serve
    }

    /// A task takes over when bytes have come or the connection has ended, not for room to send.
    func socketChanged() {
        if socket.isReadable || socket.peerClosed { rouse() }
    }

    /// Gives the connection to a task.
    func rouse() {
        guard !isRoused else { return }
        isRoused = true
        socket.owner = nil
        let number = number
        lane.loop.spawn { context in await Lane.of(context).attend(number) }
    }

    /// Closes a connection whose time is over.
    func close() {
        guard !isRoused, lane.clients.takeResting(number) != nil else { return }
        socket.close()
        lane.closed(kind)
    }
}

extension Lane {
    /// Keeps a connection without a task until bytes come.
    func rest(
        _ socket: Socket,
        as kind: ConnectionKind,
        from address: Address?,
        until deadline: Instant,
        _ serve: @escaping ClientService
    ) {
        let resting = clients.addResting { number in
            RestingClient(
                socket,
                as: kind,
                from: address,
                until: deadline,
                on: self,
                number: number,
                serve: serve
            )
        }
        socket.owner = resting
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
        let client = ClientConnection(
            resting.socket,
            as: resting.kind,
            from: resting.address,
            idleUntil: resting.deadline,
            on: self
        )
        clients.add(client, number)
        let deadline = await client.run(resting.serve)
        clients.remove(number)
        guard let deadline else { return closed(resting.kind) }
        rest(
            resting.socket,
            as: resting.kind,
            from: resting.address,
            until: deadline,
            resting.serve
        )
    }

    /// A client's connection is closed: another one may come.
    func closed(_ kind: ConnectionKind) {
        guard kind == .client else { return gateway.closeAdminConnection() }
        gateway.shares.remove(from: index)
        gateway.closeConnection()
    }
}
