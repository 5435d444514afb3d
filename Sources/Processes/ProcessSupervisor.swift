// Keeps the local processes of one pool running: the thread that starts, watches, restarts and
// stops them, and its side for the rest of the gateway.
import Synchronization

/// Supervises the local processes of one pool.
///
/// All work is done on one thread of its own, started by `start` and ended by `stop`; all
/// callbacks come from it and must neither block for long nor wait for this supervisor. Every
/// other function may be called from any thread and returns at once, `stopAll` excepted.
package final class ProcessSupervisor: Sendable {
    /// What others are told.
    package struct Callbacks: Sendable {
        /// The replicas there are now, whenever that changes.
        package var onChange: @Sendable ([ReplicaProcess]) -> Void
        /// One line of output, tagged: `[sales-1] loading model`.
        package var onLog: @Sendable (String) -> Void
        /// What happened, for the operator's log.
        package var onEvent: @Sendable (ProcessEvent) -> Void

        /// Makes callbacks; those left out do nothing.
        package init(
            onChange: @escaping @Sendable ([ReplicaProcess]) -> Void,
            onLog: @escaping @Sendable (String) -> Void = { _ in },
            onEvent: @escaping @Sendable (ProcessEvent) -> Void = { _ in }
        ) {
            self.onChange = onChange
            self.onLog = onLog
            self.onEvent = onEvent
        }
    }

    /// As given to `init`; `setBounds` does not show here.
    package let options: ProcessOptions
    private let callbacks: Callbacks
    private let requests = Mutex(Requests())
    /// Signalled when there are requests.
    private let wake: Descriptor
    /// Signalled for good when the thread has ended.
    private let finished: Descriptor
    private let leftOut = Atomic<UInt64>(0)
    private let currentGuard = Atomic<Int32>(0)

    /// What was asked for since the thread last looked; later wishes replace earlier ones.
    struct Requests {
        var desired: Int?
        var bounds: (min: Int, max: Int)?
        var drained: Set<Int> = []
        var restart: Set<Int> = []
        var stopWithin: Duration?
        fileprivate var whenStopped: [@Sendable () -> Void] = []
        fileprivate var life = Life.new
    }

    fileprivate enum Life {
        case new
        case running
        case finished
    }

    /// Makes a supervisor; nothing runs until `start`.
    ///
    /// - Throws: `ProcessError.system` when the gateway is out of descriptors.
    package init(_ options: ProcessOptions, callbacks: Callbacks) throws(ProcessError) {
        self.options = options
        self.callbacks = callbacks
        wake = try System.makeSignal()
        finished = try System.makeSignal()
    }

    /// Starts the thread, the guard against orphans and `options.min` processes.
    ///
    /// Call it once.
    ///
    /// - Throws: `ProcessError.system` when the thread cannot be started. A process that cannot be
    ///   started is not an error here: it is reported as an event and tried again.
    package func start() throws(ProcessError) {
        requests.withLock { requests in
            precondition(requests.life == .new, "started twice: \(options.name)")
            requests.life = .running
        }
        do {
            try System.startThread(named: "processes") { [self] in
                Supervision.run(for: self, options: options, callbacks: callbacks)
                finish()
            }
        } catch {
            finish()
            throw error
        }
    }

    /// Wants `count` processes, bounded by `min` and `max`.
    ///
    /// Growing starts them at once. Shrinking takes the newest first: a process leaves `onChange`,
    /// and is stopped after `drained` or the drain timeout.
    package func setDesired(_ count: Int) {
        request { $0.desired = count }
    }

    /// Changes the fewest and the most processes, as a reload may.
    package func setBounds(min: Int, max: Int) {
        request { $0.bounds = (min, max) }
    }

    /// Says that no request is in flight any more at an endpoint that left `onChange`.
    package func drained(_ endpoint: String) {
        if let port = Self.port(of: endpoint) {
            request { $0.drained.insert(port) }
        }
    }

    /// Stops the process at `endpoint`, gently, and starts it again.
    ///
    /// For an operator's wish or a process that never becomes healthy; take its work away first.
    package func restart(_ endpoint: String) {
        if let port = Self.port(of: endpoint) {
            request { $0.restart.insert(port) }
        }
    }

    /// Stops everything: SIGTERM at once, SIGKILL to what is left after `time`.
    ///
    /// May be called again with less time. `then` is called once, from the supervisor's thread as
    /// its last act, or at once when nothing runs.
    package func stop(within time: Duration, then: @escaping @Sendable () -> Void = {}) {
        let runs = requests.withLock { requests in
            guard requests.life == .running else {
                requests.life = .finished
                return false
            }
            requests.stopWithin = min(time, requests.stopWithin ?? time)
            requests.whenStopped.append(then)
            return true
        }
        if runs {
            System.signal(wake)
        } else {
            then()
        }
    }

    /// Stops everything and waits for it: for the way out of the program.
    ///
    /// Blocks the calling thread up to `time` and the moment that SIGKILL needs. Never call it
    /// from a callback.
    ///
    /// - Returns: Whether all processes are gone.
    package func stopAll(within time: Duration) -> Bool {
        stop(within: time)
        // A killed process is gone within milliseconds unless it hangs in the kernel.
        let deadline = System.now() + time + .seconds(3)
        while requests.withLock({ $0.life != .finished }) {
            let left = deadline - System.now()
            guard left > .zero else {
                return false
            }
            var interests = [Interest(finished.raw)]
            System.wait(for: &interests, atMost: left)
        }
        return true
    }

    /// Output lines counted but not passed on, since the start, of all processes.
    package var linesLeftOut: UInt64 {
        leftOut.load(ordering: .relaxed)
    }

    // MARK: For the supervisor's thread

    /// Readable when there are requests.
    var wakeDescriptor: Int32 {
        wake.raw
    }

    /// Takes the requests there are.
    func takeRequests() -> Requests {
        System.clear(wake)
        return requests.withLock { requests in
            let taken = requests
            requests = Requests()
            requests.life = taken.life
            requests.whenStopped = taken.whenStopped
            return taken
        }
    }

    /// The guard's process number; 0 while there is none.
    var guardPID: Int32 {
        get { currentGuard.load(ordering: .relaxed) }
        set { currentGuard.store(newValue, ordering: .relaxed) }
    }

    func countLeftOut(_ lines: UInt64) {
        leftOut.wrappingAdd(lines, ordering: .relaxed)
    }

    private func finish() {
        let waiting = requests.withLock { requests in
            requests.life = .finished
            return requests.whenStopped
        }
        System.signal(finished)
        for then in waiting {
            then()
        }
    }

    private func request(_ change: (inout Requests) -> Void) {
        requests.withLock { change(&$0) }
        System.signal(wake)
    }

    private static func port(of endpoint: String) -> Int? {
        endpoint.split(separator: ":").last.flatMap { Int($0) }
    }
}
