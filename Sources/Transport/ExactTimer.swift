// A timer exact to microseconds, for those who measure: the loop's own round up to milliseconds.

internal import CLinux

/// Resumes one parking at an exact time.
///
/// Confined to its loop.
///
/// It costs a descriptor, and a system call each time it is set; the timers of `Parking` cost
/// neither.
package final class ExactTimer {
    private let descriptor: Int32
    private let socket: Socket
    private unowned let context: LoopContext

    /// - Throws: when the kernel gives no descriptor.
    package init(resuming parking: Parking, on context: LoopContext) throws(SystemError) {
        descriptor = sluice_timer()
        guard descriptor >= 0 else {
            throw SystemError(code: -descriptor, call: "timerfd_create")
        }
        self.context = context
        socket = try Socket(descriptor, on: context)
        socket.owner = parking
    }

    /// Sets when it fires next; a time that has passed fires at once.
    ///
    /// An earlier setting is void.
    package func set(at instant: Instant) {
        // Zero would switch it off. It cannot fail: descriptor and time are valid.
        _ = sluice_timer_set(descriptor, max(1, instant.nanoseconds))
    }
}
