// The smallest thing that can live in a world: a listener that sends back what it receives.

import Simulation
import Transport

/// An echo on the real loop, sockets and parking.
enum Echo {
    static let address = Address(bytes: [10, 0, 0, 1], port: 7)

    /// Listens on a loop until `closes` connections have ended, or for ever.
    static func start(on loop: Loop, connections: Int = .max) {
        loop.spawn { context in
            guard
                let listener = try? Socket.listening(at: address, backlog: 16, on: context)
            else { return }
            let parking = Parking(on: context)
            listener.owner = parking
            var accepted = 0
            while accepted < connections {
                var peer: Address?
                guard let descriptor = try? listener.accept(peer: &peer) else {
                    await parking.park(until: nil)
                    continue
                }
                accepted += 1
                guard let socket = try? Socket(descriptor, on: context) else { continue }
                let carried = UnsafeSocket(socket)
                loop.spawn { context in await serve(carried.socket, on: context) }
            }
            listener.close()
        }
    }

    /// Echoes until the peer ends; ends the own direction then.
    private static func serve(_ socket: Socket, on context: LoopContext) async {
        guard let buffer = context.buffers.take() else { return socket.close() }
        defer { context.buffers.giveBack(buffer) }
        let parking = Parking(on: context)
        socket.owner = parking
        do throws(SystemError) {
            while true {
                switch try socket.receive(into: buffer) {
                case .bytes: break
                case .wouldBlock:
                    await parking.park(until: nil)
                    continue
                case .end:
                    return socket.close()
                }
                while !buffer.isEmpty {
                    let sent = try socket.send(buffer, from: buffer.start, to: buffer.end)
                    buffer.consume(sent)
                    if !buffer.isEmpty { await parking.park(until: nil) }
                }
            }
        } catch {
            socket.close()
        }
    }

    /// Carries a socket into a task of the same loop.
    private struct UnsafeSocket: @unchecked Sendable {
        let socket: Socket
        init(_ socket: Socket) { self.socket = socket }
    }
}

/// An actor that sends a text to the echo and collects what comes back.
final class EchoCaller {
    private(set) var returned: [UInt8] = []
    private(set) var hasEnded = false
    private(set) var wasBroken = false
    private var peer: PeerSocket?

    init(_ text: [UInt8], in world: SimulatedWorld, number: UInt8 = 1) {
        peer = world.connect(
            from: Address(bytes: [10, 9, 0, number], port: 40_000),
            to: Echo.address
        ) { [unowned self] peer in
            returned += peer.read()
            if peer.isBroken { wasBroken = true }
            if peer.atEnd || peer.isBroken {
                hasEnded = true
                peer.close()
            }
        }
        peer?.write(text)
        peer?.finish()
    }
}
