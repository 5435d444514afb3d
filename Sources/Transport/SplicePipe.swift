// Bytes that go from one socket to another inside the kernel, without passing through here.

internal import CLinux
internal import Glibc

/// A pipe of the kernel, and how many bytes are in it: on their way from one socket to another.
///
/// Confined to its loop. Large bodies go this way: copying them in and out is half their cost.
package final class SplicePipe {
    /// Bytes that have been received and not yet sent.
    package private(set) var count = 0
    private let network: any Network
    private let readEnd: Int32
    private let writeEnd: Int32

    /// nil when there is no descriptor left, or the world knows no pipes.
    init?(in network: any Network) {
        guard let ends = network.openPipe() else { return nil }
        self.network = network
        (readEnd, writeEnd) = ends
    }

    deinit {
        network.close(readEnd)
        network.close(writeEnd)
    }

    /// Moves at most `limit` bytes in; what `recv` would return.
    func fill(from descriptor: Int32, atMost limit: Int) -> Int {
        let moved = network.splice(from: descriptor, to: writeEnd, atMost: limit)
        if moved > 0 { count += moved }
        return moved
    }

    /// Moves bytes out; what `send` would return.
    func drain(to descriptor: Int32) -> Int {
        let moved = network.splice(from: readEnd, to: descriptor, atMost: count)
        if moved > 0 { count -= moved }
        return moved
    }
}

extension Socket {
    /// Whether bytes can go from here to another socket without being looked at.
    package func splices(to other: Socket) -> Bool { !isSecure && !other.isSecure }

    /// Moves at most `limit` bytes that have arrived into the pipe, which must be empty.
    ///
    /// - Throws: when the connection broke.
    package func receive(
        into pipe: SplicePipe,
        atMost limit: Int
    ) throws(SystemError) -> Received {
        guard isReadable else { return .wouldBlock }
        precondition(pipe.count == 0 && limit > 0, "a pipe is filled again when it is empty")
        return try received { descriptor in pipe.fill(from: descriptor, atMost: limit) }
    }

    /// Sends what the kernel takes now of the bytes in the pipe; returns how many went.
    ///
    /// - Throws: when the connection broke.
    package func send(_ pipe: SplicePipe) throws(SystemError) -> Int {
        guard isWritable, pipe.count > 0 else { return 0 }
        return try sent { descriptor in pipe.drain(to: descriptor) }
    }
}

/// A loop's pipes: those lent out, and those free for the next large body.
package final class PipePool {
    private let network: any Network
    private var free: [SplicePipe] = []
    private var lent = 0
    /// Most pipes of a loop; a body that finds none left goes through a buffer.
    package static let limit = 16
    /// Most descriptors that a loop's pipes take.
    package static let descriptorsMax = 2 * limit

    init(network: any Network) { self.network = network }

    /// An empty pipe; nil when bytes must go through a buffer.
    package func take() -> SplicePipe? {
        guard lent < PipePool.limit, let pipe = free.popLast() ?? SplicePipe(in: network) else {
            return nil
        }
        lent += 1
        return pipe
    }

    /// Takes back a pipe; one that is not empty is closed.
    package func giveBack(_ pipe: SplicePipe) {
        lent -= 1
        if pipe.count == 0 { free.append(pipe) }
    }
}
