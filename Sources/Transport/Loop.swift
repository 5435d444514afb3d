// One thread that alternates between running ready jobs and waiting for events.
//
//        ┌──────────── run ready jobs ◄───────────┐
//        ▼                                        │
//   poll (until the next timer) ─► mark sockets ─► fire timers ─► take what other threads left
//
// The executor is the serial executor of the loop's actor. Tasks begin isolated to that actor, and
// functions run where their callers do, so nothing ever leaves the loop. A task executor besides,
// as a preference of each task, would be looked up under a lock at every switch.

internal import CLinux
internal import Glibc
internal import Synchronization

/// What code on a loop uses: its clock, memory, sockets and timers.
///
/// Confined to the loop.
package final class LoopContext {
    package let network: any Network
    package let buffers: BufferPool
    package let pipes: PipePool
    /// The time as of the last poll.
    ///
    /// Coarse on purpose: all jobs of a turn share it.
    package private(set) var now: Instant
    /// The loop's number, from 0.
    package let index: Int
    /// What the loop's user keeps with it.
    package var attachment: AnyObject?
    var timers = Timers()
    /// Where TLS records stand before they are sent.
    lazy var records = RecordStage()
    private var sockets: [UnownedSocket] = []
    private var freeSlots: [Int] = []
    private var events: [ReadyEvent] = []
    /// Tasks that let others go first.
    private var yielded: [Parking] = []
    private let owner = Atomic<UInt>(0)
    let gate = ParkingGate()
    /// Jobs to be run in this turn.
    fileprivate var jobs: [UnownedJob] = []

    /// Unmanaged: a socket leaves the table in its `close`, which its `deinit` calls.
    @safe private struct UnownedSocket {
        var socket: Unmanaged<Socket>?
        var generation: UInt32 = 0
    }

    init(index: Int, network: any Network, bufferLimit: Int) {
        self.index = index
        self.network = network
        now = Instant(nanoseconds: network.monotonicNanoseconds)
        buffers = BufferPool(limit: bufferLimit)
        pipes = PipePool(network: network)
    }

    /// Connections, listeners and replica connections open on this loop.
    package var openSockets: Int { sockets.count - freeSlots.count }

    func readClock() { now = exactNow }

    /// The time now, by a look at the clock.
    package var exactNow: Instant { Instant(nanoseconds: network.monotonicNanoseconds) }

    func nextSlot() -> Int {
        if let slot = freeSlots.popLast() { return slot }
        sockets.append(UnownedSocket())
        return sockets.count - 1
    }

    /// What the poller reports for a slot: its number and the generation that occupies it.
    func token(of slot: Int) -> UInt64 {
        UInt64(sockets[slot].generation) << 32 | UInt64(slot)
    }

    func occupy(_ slot: Int, with socket: Socket) {
        unsafe sockets[slot].socket = Unmanaged.passUnretained(socket)
    }

    func abandon(slot: Int) { freeSlots.append(slot) }

    func release(_ slot: Int) {
        unsafe sockets[slot].socket = nil
        sockets[slot].generation &+= 1
        freeSlots.append(slot)
    }

    /// Waits for events and marks them; jobs run only after the whole batch was marked.
    func poll(wait: Bool) {
        events.removeAll(keepingCapacity: true)
        network.poll(into: &events, milliseconds: wait ? millisecondsToWait() : 0)
        readClock()
        for event in events {
            let slot = Int(truncatingIfNeeded: event.token & 0xffff_ffff)
            guard slot < sockets.count,
                sockets[slot].generation == UInt32(truncatingIfNeeded: event.token >> 32)
            else { continue }
            unsafe sockets[slot].socket?._withUnsafeGuaranteedRef { $0.mark(event.readiness) }
        }
        while let parking = timers.popDue(by: now) { parking.unpark() }
    }

    /// Lets the other ready tasks of the loop run first.
    ///
    /// `Task.yield` would go by way of the global pool.
    package func yield() async {
        let parking = Parking(on: self)
        yielded.append(parking)
        await parking.park(until: nil)
    }

    /// Makes the tasks ready again that yielded.
    func resumeYielded() {
        guard !yielded.isEmpty else { return }
        let ready = yielded
        yielded.removeAll()
        for parking in ready { parking.unpark() }
    }

    /// Makes the calling thread the loop's own.
    func adopt() { owner.store(UInt(pthread_self()), ordering: .releasing) }

    /// Whether the calling thread is the loop's own; any thread may ask.
    var isOwnThread: Bool { owner.load(ordering: .relaxed) == UInt(pthread_self()) }

    /// Takes in a job that is to run in this turn.
    func ready(_ job: UnownedJob) { jobs.append(job) }

    /// Milliseconds until the next timer, rounded up; -1 without one.
    private func millisecondsToWait() -> Int32 {
        guard let next = timers.next else { return -1 }
        let left = max(0, next.nanoseconds - now.nanoseconds)
        let milliseconds = (left + 999_999) / 1_000_000
        return Int32(clamping: min(milliseconds, 60_000))
    }
}

/// The executor of one loop.
///
/// `@unchecked Sendable`: `jobs` and `context` are touched on the loop's thread only (checked by
/// `isOwnThread`); what other threads leave goes through `inbox`.
package final class LoopExecutor: SerialExecutor, @unchecked Sendable {
    private struct Inbox {
        var jobs: [UnownedJob] = []
        var calls: [@Sendable () -> Void] = []
        var wakes: [Parking] = []
        var isStopped = false
    }

    let context: LoopContext
    private var running: [UnownedJob] = []
    private let inbox = Mutex(Inbox())
    private let hasMail = Atomic<Bool>(false)
    /// Rounds of ready jobs before events are looked at again: a request's chain of resumptions
    /// is a few rounds long.
    private static let roundsMax = 16
    private let network: any Network

    init(context: LoopContext) {
        self.context = context
        network = context.network
    }

    /// Takes a job; any thread may call.
    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if isOwnThread {
            context.ready(job)
            return
        }
        post { $0.jobs.append(job) }
    }

    /// The executor as actors know it.
    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        unsafe UnownedSerialExecutor(ordinary: self)
    }

    /// Traps when the calling code does not run on the loop.
    package func checkIsolated() {
        precondition(isOwnThread, "loop \(context.index) from another thread")
    }

    /// Calls on the loop in its next turn; from other threads.
    func post(_ body: @escaping @Sendable () -> Void) { post { $0.calls.append(body) } }

    /// Resumes what waits in `parking`; any thread may call.
    func wake(_ parking: Parking) {
        if isOwnThread {
            parking.unpark()
            return
        }
        post { $0.wakes.append(parking) }
    }

    private func post(_ change: (inout Inbox) -> Void) {
        inbox.withLock { change(&$0) }
        if !hasMail.exchange(true, ordering: .acquiringAndReleasing) { network.interrupt() }
    }

    /// Makes the calling thread the loop's own.
    func adopt() { context.adopt() }

    var isOwnThread: Bool { context.isOwnThread }

    /// One turn: run what is ready, then wait for events.
    ///
    /// Returns whether any job ran.
    func turn(wait: Bool) -> Bool {
        takeMail()
        let ran = runJobs()
        // A job may have left mail or jobs for this very turn: then only look, do not wait.
        let busy = !context.jobs.isEmpty || hasMail.load(ordering: .acquiring)
        context.poll(wait: wait && !busy)
        return ran
    }

    private func takeMail() {
        guard hasMail.exchange(false, ordering: .acquiringAndReleasing) else { return }
        let mail = inbox.withLock { inbox in
            defer {
                inbox.jobs.removeAll()
                inbox.wakes.removeAll()
                inbox.calls.removeAll()
            }
            return (inbox.jobs, inbox.wakes, inbox.calls)
        }
        for parking in mail.1 { parking.unpark() }
        for job in mail.0 { context.ready(job) }
        for call in mail.2 { call() }
    }

    private func runJobs() -> Bool {
        var ran = false
        // Bounded: tasks that yield again and again must not keep the loop from its events.
        for _ in 0..<LoopExecutor.roundsMax {
            guard !context.jobs.isEmpty else { break }
            ran = true
            swap(&context.jobs, &running)
            for job in running {
                unsafe job.runSynchronously(on: asUnownedSerialExecutor())
            }
            running.removeAll(keepingCapacity: true)
            context.resumeYielded()
        }
        return ran
    }

    var isStopped: Bool { inbox.withLock { $0.isStopped } }

    func stop() { post { $0.isStopped = true } }

    /// Runs until `stop`; the calling thread becomes the loop's own.
    func run() {
        adopt()
        while !isStopped { _ = turn(wait: true) }
    }
}

/// The handle of a loop that any thread may hold, and the isolation of all that runs on it.
package actor Loop {
    nonisolated let executor: LoopExecutor

    /// - Parameters:
    ///   - index: the loop's number, from 0.
    ///   - network: the loop's own view of the world.
    ///   - bufferLimit: most slabs in use at once.
    package init(index: Int, network: any Network, bufferLimit: Int) {
        executor = LoopExecutor(
            context: LoopContext(
                index: index,
                network: network,
                bufferLimit: bufferLimit
            )
        )
    }

    /// The executor everything isolated to the loop runs on.
    nonisolated package var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Starts a task that lives on this loop; any thread may call.
    nonisolated package func spawn(
        _ body: @escaping @Sendable (LoopContext) async -> Void
    ) {
        if executor.isOwnThread { begin(body) } else { executor.post { self.begin(body) } }
    }

    /// Starts a task from the loop's own thread: it is isolated to the loop from its first step on.
    private nonisolated func begin(_ body: @escaping @Sendable (LoopContext) async -> Void) {
        assumeIsolated { loop in
            _ = Task { await body(loop.executor.context) }
        }
    }

    /// Resumes a task of this loop that waits in `parking`; any thread may call.
    nonisolated package func wake(_ parking: Parking) { executor.wake(parking) }

    /// Starts the loop's thread.
    nonisolated package func start(name: String) { Thread.start(name: name, executor.run) }

    /// Ends the loop's thread after its current turn.
    nonisolated package func stop() { executor.stop() }

    /// Makes the calling thread the loop's own: for a world that turns its loops itself.
    nonisolated package func adopt() { executor.adopt() }

    /// One turn without waiting, for a world that turns its loops itself; whether any job ran.
    nonisolated package func turn() -> Bool {
        // A loop reads the clock after it has waited; here, waiting is not being turned.
        executor.context.readClock()
        return executor.turn(wait: false)
    }

    /// The earliest timer of the loop, for a world that moves the clock itself.
    nonisolated package var nextTimer: Instant? { executor.context.timers.next }
}
