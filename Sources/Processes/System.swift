// The system calls of this module behind safe signatures. The only file here that touches memory
// by pointer: C takes strings, descriptors and poll sets no other way.
import CLinux
import Glibc

/// A descriptor that is closed when its owner goes; negative for none.
struct Descriptor: ~Copyable, Sendable {
    let raw: Int32

    /// The number, if there is one.
    var ifAny: Int32? {
        raw < 0 ? nil : raw
    }

    init(_ raw: Int32) {
        self.raw = raw
    }

    deinit {
        if raw >= 0 {
            close(raw)
        }
    }
}

/// What to wait for in `System.wait`, and what was found.
struct Interest {
    let descriptor: Int32
    /// Whether the last wait found something to read, an end or an error.
    fileprivate(set) var isReady = false

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }
}

/// How a process ended.
enum ExitStatus: Equatable, Sendable {
    case code(Int32)
    case signal(Int32)

    /// Takes apart what `waitpid` gave.
    init(_ status: Int32) {
        let signal = status & 0x7F
        self = signal == 0 ? .code((status >> 8) & 0xFF) : .signal(signal)
    }
}

/// The calls themselves.
///
/// None of them blocks but `wait`, and `spawn` until the child's exec.
enum System {
    /// The monotonic clock.
    static func now() -> Duration {
        .nanoseconds(sluice_monotonic_ns())
    }

    /// The words for an errno.
    static func message(of code: Int32) -> String {
        guard let text = unsafe strerror(code) else {
            return "error \(code)"
        }
        return unsafe String(cString: text)
    }

    /// An event counter: readable once signalled.
    static func makeSignal() throws(ProcessError) -> Descriptor {
        Descriptor(try check(sluice_eventfd(), "eventfd"))
    }

    static func signal(_ descriptor: borrowing Descriptor) {
        sluice_eventfd_signal(descriptor.raw)
    }

    static func clear(_ descriptor: borrowing Descriptor) {
        sluice_eventfd_drain(descriptor.raw)
    }

    /// Waits until one of `interests` is ready or the time is over.
    static func wait(for interests: inout [Interest], atMost timeout: Duration?) {
        var milliseconds: Int32 = -1
        if let timeout {
            // Rounded up, so that what is due is due when the wait ends.
            let rounded = (timeout.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
            milliseconds = Int32(clamping: max(0, rounded))
        }
        var set = interests.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        let found = unsafe sluice_poll(&set, set.count, milliseconds)
        for index in interests.indices {
            interests[index].isReady = found > 0 && set[index].revents != 0
        }
    }

    /// Reads what is there into `buffer` without blocking.
    ///
    /// - Returns: The bytes read; 0 at the end or after an error; nil when there is nothing yet.
    static func read(_ descriptor: borrowing Descriptor, into buffer: inout [UInt8]) -> Int? {
        while true {
            let count = unsafe sluice_read(descriptor.raw, &buffer, buffer.count)
            if count == -Int(EINTR) {
                continue
            }
            return count == -Int(EAGAIN) ? nil : max(0, count)
        }
    }

    /// A pipe for a child's output.
    static func makeOutputPipe() throws(ProcessError) -> (reader: Int32, writer: Int32) {
        var reader: Int32 = -1
        var writer: Int32 = -1
        let result = unsafe sluice_output_pipe(&reader, &writer)
        _ = try check(result, "pipe")
        return (reader, writer)
    }

    /// Starts a guard; see `ProcessGuard`.
    static func makeGuard() throws(ProcessError) -> (pid: Int32, socket: Int32) {
        var socket: Int32 = -1
        let result = unsafe sluice_guard(&socket)
        return (try check(result, "starting the guard"), socket)
    }

    /// Tells a guard of a group, or by a negative number to forget it.
    static func tell(_ socket: borrowing Descriptor, _ message: Int32) {
        // A guard that is gone is noticed by its pidfd and replaced; nothing to do here.
        _ = sluice_guard_tell(socket.raw, message)
    }

    /// Starts a program as leader of its own process group; returns its pid.
    ///
    /// Only for a thread that outlives the child: see `sluice_spawn`.
    static func spawn(
        _ command: [String],
        environment: [String: String],
        output: borrowing Descriptor,
        guardedBy socket: borrowing Descriptor
    ) throws(ProcessError) -> Int32 {
        guard let program = command.first, !program.isEmpty else {
            throw .invalidCommand("it is empty")
        }
        let settings = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var strings: [UInt8] = []
        for text in command + settings {
            guard !text.utf8.contains(0) else {
                throw .invalidCommand("a NUL in \(text.debugDescription)")
            }
            strings += Array(text.utf8) + [0]
        }
        let result = unsafe sluice_spawn(
            strings,
            strings.count,
            command.count,
            settings.count,
            output.raw,
            socket.raw
        )
        switch -result {
        case ENOENT: throw .commandNotFound(program)
        case EACCES, ENOEXEC: throw .notExecutable(program)
        default: return try check(result, "starting \(program)")
        }
    }

    /// A descriptor that becomes readable when the child `pid` ends; none on kernels before 5.3.
    static func pidDescriptor(_ pid: Int32) -> Descriptor {
        Descriptor(sluice_pidfd(pid))
    }

    /// Signals all members of a group; false when there is none.
    @discardableResult
    static func signalGroup(_ group: Int32, _ signal: Int32) -> Bool {
        sluice_signal_group(group, signal) != -ESRCH
    }

    /// Whether anybody in a group still runs; zombies do not.
    static func groupRuns(_ group: Int32) -> Bool {
        sluice_group_runs(group) != 0
    }

    /// Collects a child of a group that has ended, if any.
    static func reap(group: Int32) -> (pid: Int32, status: ExitStatus)? {
        var status: Int32 = 0
        let pid = unsafe sluice_reap_group(group, &status)
        return pid > 0 ? (pid, ExitStatus(status)) : nil
    }

    /// Collects a child, if it has ended.
    static func reap(_ pid: Int32) -> ExitStatus? {
        var status: Int32 = 0
        let result = unsafe sluice_reap(pid, &status)
        return result == pid ? ExitStatus(status) : nil
    }

    /// Signals one child that was not collected yet.
    static func signal(_ pid: Int32, _ signal: Int32) {
        kill(pid, signal)
    }

    /// Whether a server could listen on `port` now.
    static func isFree(port: Int) -> Bool {
        sluice_free_port(Int32(port)) == Int32(port)
    }

    /// A port of the kernel's choice.
    static func anyFreePort() -> Int? {
        let port = sluice_free_port(0)
        return port > 0 ? Int(port) : nil
    }

    /// The lowest port that outgoing connections get, or nil when the system does not say.
    static func ephemeralPortMin() -> Int? {
        let port = sluice_ephemeral_port_min()
        return port > 0 ? Int(port) : nil
    }

    static func processID() -> Int32 {
        getpid()
    }

    /// Runs `body` on a thread of its own, which nobody joins.
    static func startThread(
        named name: String,
        _ body: @escaping @Sendable () -> Void
    ) throws(ProcessError) {
        let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(&thread, nil, runThread, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw .system(call: "starting a thread", code: code)
        }
        pthread_detach(thread)
    }

    private static func check(_ result: Int32, _ call: String) throws(ProcessError) -> Int32 {
        guard result >= 0 else {
            throw .system(call: call, code: -result)
        }
        return result
    }
}

/// What a new thread is handed.
private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument = unsafe argument {
        let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
        unsafe sluice_name_thread(start.name)
        start.body()
    }
    return nil
}
