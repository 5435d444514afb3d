// The seam between the gateway and the world: system calls, clocks and chance.
//
// It lies below the event loop, so a simulated world exercises the very loop, sockets and timers
// that the product runs on. One instance belongs to one loop.

/// What `poll` reports of one descriptor.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Bytes, an end of stream or a new connection can be taken.
    package static let readable = Readiness(rawValue: 1)
    /// The send buffer has room again, or a connection attempt has ended.
    package static let writable = Readiness(rawValue: 2)
    /// The peer sends nothing more (FIN).
    package static let peerClosed = Readiness(rawValue: 4)
    /// The connection is broken (RST, refused, unreachable).
    package static let broken = Readiness(rawValue: 8)
}

/// One report of `poll`.
package struct ReadyEvent: Sendable {
    /// What the descriptor was registered with.
    package var token: UInt64
    package var readiness: Readiness

    package init(token: UInt64, readiness: Readiness) {
        self.token = token
        self.readiness = readiness
    }
}

/// The world as one loop sees it.
///
/// All calls are non-blocking except `poll`. Results below zero are negated errnos. Everything is
/// called on the loop's thread, except `interrupt`, which any thread may call.
package protocol Network: AnyObject, Sendable {
    /// Nanoseconds of a clock that never goes back.
    var monotonicNanoseconds: Int64 { get }
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    var wallNanoseconds: Int64 { get }
    /// 64 random bits: from the kernel, or from a seed.
    func random() -> UInt64

    /// Waits at most `milliseconds` (-1: for ever) and appends what became ready.
    func poll(into events: inout [ReadyEvent], milliseconds: Int32)
    /// Ends a running or the next `poll` early.
    func interrupt()
    /// Reports the descriptor's changes from now on, edge-triggered, until it is closed; room to
    /// send only if `watchesRoom`, or after `watchRoom`.
    func register(_ descriptor: Int32, token: UInt64, watchesRoom: Bool) -> Int32
    /// Reports room to send from now on, too: at once if there is some.
    func watchRoom(_ descriptor: Int32, token: UInt64) -> Int32

    /// A listening socket; a shared one is one of several at its address.
    func listen(at address: Address, backlog: Int32, shared: Bool) -> Int32
    /// Whether connections that bring no bytes are kept back for a second.
    func keepBackSilent(at listener: Int32, _ isOn: Bool)
    /// How many connections wait to be accepted; -1 where that cannot be known.
    func waiting(at listener: Int32) -> Int
    func accept(from listener: Int32, peer: inout Address?) -> Int32
    /// Starts a connection; `connectionError` tells how it ended once writable.
    func connect(to address: Address) -> Int32
    func connectionError(of descriptor: Int32) -> Int32
    func localAddress(of descriptor: Int32) -> Address?

    func receive(_ descriptor: Int32, into memory: UnsafeMutableRawBufferPointer) -> Int
    func send(_ descriptor: Int32, from memory: UnsafeRawBufferPointer) -> Int
    /// A pipe's end to read from and its end to write to; nil when there is none to be had.
    func openPipe() -> (Int32, Int32)?
    /// Moves at most `limit` bytes, one of the two being a pipe; as `receive` and `send` otherwise.
    func splice(from source: Int32, to target: Int32, atMost limit: Int) -> Int
    func shutdownWrite(_ descriptor: Int32)
    func close(_ descriptor: Int32)
    /// Closes with a reset, so that the peer cannot take what it has for a whole message.
    func reset(_ descriptor: Int32)
}
