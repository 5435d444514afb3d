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
    /// Unmanaged: the loop outlives what runs on it, and counting would cost as much as the wait.
    private unowned(unsafe) let context: LoopContext
    /// The rest of the task that waits; nil: none does.
    private var job: UnownedJob?
    private var signalled = false
    /// When the parked task wants to be resumed at the latest.
    private(set) var deadline: Instant?
    /// Where the timers keep the entry of this parking; nil: they have none.
    var timerPlace: Int?

    package init(on context: LoopContext) { unsafe self.context = context }

    var isParked: Bool { job != nil }

    /// Waits until something happens or the deadline comes; the caller looks which.
    package func park(until deadline: Instant?) async {
        assert(unsafe context.isOwnThread, "a task has left its loop")
        if signalled {
            signalled = false
            return
        }
        self.deadline = deadline
        if let deadline { unsafe context.timers.arm(self, at: deadline) }
        let gate = unsafe context.gate
        gate.lot.expect(self)
        await gate.pass()
        signalled = false
    }

    /// Lets go of the timers; to be called when the last wait is over.
    package func retire() { unsafe context.timers.forget(self) }

    /// Waits for a point in time, whatever else happens meanwhile.
    package func sleep(until instant: Instant) async {
        while unsafe context.now < instant { await park(until: instant) }
    }

    /// Resumes the task that waits for the socket.
    package func socketChanged() { unpark() }

    /// Resumes the task, or lets its next `park` return at once.
    package func unpark() {
        guard let job else {
            signalled = true
            return
        }
        self.job = nil
        unsafe context.ready(job)
    }

    /// Takes in the task that has just arrived.
    fileprivate func keep(_ job: UnownedJob) { self.job = job }
}

/// Where the waiting tasks of a loop stand: an executor that runs nothing, but keeps each task
/// until it is wanted.
///
/// A task waits by calling a function of an actor that has this executor, which gives what is left
/// of the task to its `Parking`; the loop runs it later. A continuation does the same at three
/// times the price (docs/decisions, 22).
///
/// `@unchecked Sendable`: it is confined to its loop.
@safe final class ParkingLot: SerialExecutor, @unchecked Sendable {
    /// Who keeps the task that comes next; unmanaged, since it is the task's own.
    private var keeper: Unmanaged<Parking>?

    /// Tells whose task comes next.
    func expect(_ parking: Parking) { unsafe keeper = Unmanaged.passUnretained(parking) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        guard let keeper = unsafe keeper else { preconditionFailure("a task that nobody parks") }
        unsafe self.keeper = nil
        unsafe keeper._withUnsafeGuaranteedRef { $0.keep(job) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }
}

/// The way into a loop's `ParkingLot`.
actor ParkingGate {
    nonisolated let lot = ParkingLot()
    nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe lot.asUnownedSerialExecutor() }

    /// Tasks that have waited here.
    private var passed: UInt64 = 0

    /// Returns once the parking that `lot` expects is resumed.
    ///
    /// A body that did nothing would need no executor, and the way to it might be optimised away.
    @inline(never)
    func pass() { passed &+= 1 }
}
