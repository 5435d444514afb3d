// The one spot where a task of a loop waits: for its sockets, for another thread, or for time.

/// Who is told that something happened to a socket.
package protocol SocketOwner: AnyObject {
    /// Called on the loop's thread; may start or resume a task, which runs later.
    func socketChanged()
}

/// Where one task waits for anything.
///
/// A task tries first and parks only when nothing moves; whatever happens to one of its sockets,
/// or a `Loop.wake` from another thread, resumes it, and it looks again. Waking early is allowed,
/// so every wait is a loop. So a client's task watches its client and its replica at once
/// without a second task, and a deadline is a parameter, not a race.
///
/// `@unchecked Sendable`: other threads only carry the reference back to its loop, in `Loop.wake`;
/// every member is touched on the loop's thread alone.
@safe package final class Parking: SocketOwner, @unchecked Sendable {
    private unowned let context: LoopContext
    private var continuation: UnsafeContinuation<Void, Never>?
    private var signalled = false
    /// When the parked task wants to be resumed at the latest.
    private(set) var deadline: Instant?
    /// When the timers look at this parking next.
    var armed: Instant?

    package init(on context: LoopContext) { self.context = context }

    var isParked: Bool { unsafe continuation != nil }

    /// Waits until something happens or the deadline comes; the caller looks which.
    package func park(until deadline: Instant?) async {
        if signalled {
            signalled = false
            return
        }
        self.deadline = deadline
        if let deadline { context.timers.arm(self, at: deadline) }
        await unsafe withUnsafeContinuation { unsafe self.continuation = $0 }
        signalled = false
    }

    /// Lets go of the timers; to be called when the last wait is over.
    package func retire() { context.timers.forget(self) }

    /// Waits for a point in time, whatever else happens meanwhile.
    package func sleep(until instant: Instant) async {
        while context.now < instant { await park(until: instant) }
    }

    /// Resumes the task that waits for the socket.
    package func socketChanged() { unpark() }

    /// Resumes the task, or lets its next `park` return at once.
    package func unpark() {
        guard let continuation = unsafe continuation else {
            signalled = true
            return
        }
        unsafe self.continuation = nil
        unsafe continuation.resume()
    }
}
