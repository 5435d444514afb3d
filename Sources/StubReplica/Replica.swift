// The stand-in itself: what it listens on, how much it does at a time, what it has seen.

internal import Glibc
internal import Transport

/// What the command line says of a replica.
struct ReplicaOptions {
    private var host = "127.0.0.1"
    private var port: UInt16 = 0
    private var concurrency = 0
    private var startupDelay = Duration.zero
    private var behaviour = Behaviour()

    /// Reads them; `port` is what stands in the environment's PORT.
    init(_ arguments: ArraySlice<String>, port: String?) throws(UsageError) {
        if let port { self.port = try need(UInt16(port), "PORT", port) }
        try readOptions(arguments) { (name, value) throws(UsageError) in
            switch name {
            case "host": host = value
            case "port": self.port = try need(UInt16(value), name, value)
            case "concurrency": concurrency = try need(Int(value), name, value)
            case "startup-delay": startupDelay = try need(Duration(text: value), name, value)
            default: return try behaviour.set(name, to: value)
            }
            return true
        }
    }

    /// Starts listening, and prints where.
    func start() throws(UsageError) {
        let address = try need(Address(host, port: port), "host", host)
        let loop = try makeLoop()
        loop.spawn { context in
            await Parking(on: context).sleep(until: context.now + self.startupDelay)
            do throws(SystemError) {
                let listener = try Socket.listening(at: address, backlog: 4096, on: context)
                report("listening at \(listener.localAddress ?? address)")
                let gate = Gate(limit: self.concurrency)
                let replica = Replica(behaviour: self.behaviour, gate: gate, loop: loop)
                context.attachment = replica
                await replica.accept(from: listener, on: context)
            } catch {
                report("cannot listen at \(address): \(error)")
                exit(3)
            }
        }
        loop.start(name: "replica")
    }
}

/// A loop with the real world behind it.
func makeLoop() throws(UsageError) -> Loop {
    do throws(SystemError) {
        _ = DescriptorLimit.raise()
        return Loop(
            index: 0,
            network: try SystemNetwork(),
            bufferLimit: 16_384
        )
    } catch {
        throw UsageError(text: "cannot start: \(error)")
    }
}

/// Prints a line at once, whatever standard output is.
func report(_ line: String) {
    print(line)
    fflush(nil)
}

/// One stand-in.
///
/// Confined to its loop.
final class Replica {
    var behaviour: Behaviour
    let gate: Gate
    private let loop: Loop
    private(set) var connections = 0
    private(set) var arrived = 0
    /// Requests it has begun to work on.
    var started = 0
    /// How long it has worked on all of them.
    var worked = Duration.zero
    private(set) var served = 0
    private(set) var aborted = 0
    /// The connections with a request that has no whole answer yet.
    private var inFlight: [ObjectIdentifier: Link] = [:]
    private var maxInFlight = 0
    private var held: [Parking] = []
    private var releases = 0
    private var openConnections = 0

    init(behaviour: Behaviour, gate: Gate, loop: Loop) {
        self.behaviour = behaviour
        self.gate = gate
        self.loop = loop
    }

    /// Takes connections for ever.
    func accept(from listener: Socket, on context: LoopContext) async {
        let parking = Parking(on: context)
        listener.owner = parking
        var peer: Address?
        while true {
            do throws(SystemError) {
                while let descriptor = try listener.accept(peer: &peer) {
                    connections += 1
                    loop.spawn { context in
                        guard let replica = context.attachment as? Replica else { return }
                        await replica.attend(descriptor, on: context)
                    }
                }
                await parking.park(until: nil)
            } catch {
                await parking.sleep(until: context.now + .milliseconds(50))
            }
        }
    }

    private func attend(_ descriptor: Int32, on context: LoopContext) async {
        // An error says that the connection was gone before it came here.
        guard let socket = try? Socket(descriptor, on: context) else { return }
        openConnections += 1
        defer { openConnections -= 1 }
        let link = Link(socket, on: context)
        await ReplicaConnection(link, of: self).run()
        link.close()
    }

    /// A request has arrived.
    func began(on link: Link) {
        arrived += 1
        inFlight[ObjectIdentifier(link)] = link
        // One whose client has left may not have noticed yet.
        let count = inFlight.values.reduce(0) { $0 + ($1.socket.peerClosed ? 0 : 1) }
        maxInFlight = max(maxInFlight, count)
    }

    /// Its answer has left, or it has failed.
    func ended(on link: Link, isWhole: Bool) {
        inFlight[ObjectIdentifier(link)] = nil
        if isWhole { served += 1 } else { aborted += 1 }
    }

    /// Waits for the next `release`; throws when the client leaves before.
    func hold(_ link: Link) async throws(LinkError) {
        let release = releases
        held.append(link.parking)
        while releases == release {
            if link.socket.peerClosed { throw .ended }
            await link.parking.park(until: nil)
        }
    }

    /// Lets go what is held.
    func release() {
        releases += 1
        for parking in held { parking.unpark() }
        held.removeAll()
    }

    /// What was seen so far, as JSON.
    var stats: String {
        """
        {"pid":\(getpid()),"arrived":\(arrived),"started":\(started),\
        "worked":\(worked.microseconds),"served":\(served),"aborted":\(aborted),\
        "inFlight":\(inFlight.count),"maxInFlight":\(maxInFlight),\
        "busy":\(gate.busy),"waiting":\(gate.waiting),\
        "maxWaiting":\(gate.maxWaiting),"connections":\(connections),\
        "openConnections":\(openConnections)}

        """
    }
}

/// Lets so many requests work at a time; the others wait in the order they came.
final class Gate {
    private let limit: Int
    private(set) var busy = 0
    private(set) var maxWaiting = 0
    private var queue: [Parking] = []

    /// - Parameter limit: 0: no limit.
    init(limit: Int) { self.limit = limit }

    var waiting: Int { queue.count }

    /// Waits for its turn; throws when the client leaves before.
    func enter(_ link: Link) async throws(LinkError) {
        if limit > 0 && (busy >= limit || !queue.isEmpty) {
            queue.append(link.parking)
            maxWaiting = max(maxWaiting, queue.count)
            while busy >= limit || queue.first !== link.parking {
                await link.parking.park(until: nil)
                if link.socket.peerClosed {
                    queue.removeAll { $0 === link.parking }
                    queue.first?.unpark()
                    throw .ended
                }
            }
            queue.removeFirst()
        }
        busy += 1
        if busy < limit { queue.first?.unpark() }
    }

    /// Ends its turn.
    func leave() {
        busy -= 1
        queue.first?.unpark()
    }
}
