// Chooses the port a process is told to listen on.
import Synchronization

/// The ports given to processes of this gateway.
///
/// A port is ours from the choice on, long before a slow model server listens there: no other
/// process of any pool may get it, or one model's requests would reach another.
final class Ports: Sendable {
    /// The one book for all pools.
    static let shared = Ports()

    /// Ports below are often well known.
    static let portMin = 20_000
    private static let triesMax = 256

    private let taken = Mutex<Set<Int>>([])

    /// Takes a free port.
    ///
    /// Preferred are ports below those the kernel gives to outgoing connections: one of these could
    /// take the port while its process restarts, or even connect to itself there.
    ///
    /// - Parameter seed: Any number; gateways on one machine should pass different ones.
    /// - Returns: The port, which is ours until `release`.
    /// - Throws: `ProcessError.noFreePort` after a bounded number of tries.
    func take(seed: UInt64) throws(ProcessError) -> Int {
        let end = System.ephemeralPortMin() ?? Self.portMin
        if end > Self.portMin {
            let range = UInt64(end - Self.portMin)
            for step in 0..<UInt64(Self.triesMax) {
                let port = Self.portMin + Int((seed % range + step) % range)
                if takeIfFree(port) {
                    return port
                }
            }
        }
        for _ in 0..<Self.triesMax {
            if let port = System.anyFreePort(), takeIfFree(port) {
                return port
            }
        }
        throw .noFreePort
    }

    /// Gives a port back.
    func release(_ port: Int) {
        taken.withLock { _ = $0.remove(port) }
    }

    private func takeIfFree(_ port: Int) -> Bool {
        let isOurs = taken.withLock { $0.insert(port).inserted }
        guard isOurs else {
            return false
        }
        guard System.isFree(port: port) else {
            release(port)
            return false
        }
        return true
    }
}
