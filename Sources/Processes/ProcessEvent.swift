// What the supervisor tells others: which replicas there are, and what happened to them.

/// A local process that serves as a replica.
package struct ReplicaProcess: Sendable, Equatable {
    /// Whether it is there just now.
    package enum State: Sendable, Equatable {
        case running
        /// It ended by itself or was asked to start again; it will come back, if possible at the
        /// same endpoint.
        case restarting
    }

    /// `pool-number`, the tag of its output.
    package let name: String
    /// `127.0.0.1:PORT`, the replica's identity.
    package let endpoint: String
    /// Of its last start.
    package let pid: Int32
    /// Whether it is there just now.
    package let state: State
    /// Starts after the first.
    package let restarts: Int
}

/// Something an operator may want to read in the log.
package enum ProcessEvent: Sendable, Equatable, CustomStringConvertible {
    case started(replica: String, pid: Int32, port: Int)
    case exited(replica: String, pid: Int32, how: String, after: Duration, restartIn: Duration)
    case startFailed(replica: String, error: ProcessError, retryIn: Duration)
    /// It is no longer wanted: no new work goes there, it is stopped when its work is done.
    case draining(replica: String, pid: Int32)
    /// It got SIGTERM.
    case stopping(replica: String, pid: Int32)
    /// It did not stop in time and got SIGKILL.
    case killed(replica: String, pid: Int32)
    case stopped(replica: String, pid: Int32, how: String)
    /// The guard against orphans had ended and was replaced.
    case guardReplaced(pid: Int32)
    /// There is no guard: should the gateway be killed now, its processes' own children may stay.
    case guardFailed(error: ProcessError)

    /// Whether something went another way than it should.
    package var isProblem: Bool {
        switch self {
        case .exited, .startFailed, .killed, .guardReplaced, .guardFailed: true
        case .started, .draining, .stopping, .stopped: false
        }
    }

    /// What happened in words: `sales-1: started as process 4711 on port 21000`.
    package var description: String {
        switch self {
        case .started(let replica, let pid, let port):
            "\(replica): started as process \(pid) on port \(port)"
        case .exited(let replica, let pid, let how, let after, let restartIn):
            "\(replica): process \(pid) \(how) after \(Self.seconds(after)),"
                + " starts again in \(Self.seconds(restartIn))"
        case .startFailed(let replica, let error, let retryIn):
            "\(replica): not started: \(error); next try in \(Self.seconds(retryIn))"
        case .draining(let replica, let pid):
            "\(replica): process \(pid) no longer wanted, draining"
        case .stopping(let replica, let pid):
            "\(replica): stopping process \(pid)"
        case .killed(let replica, let pid):
            "\(replica): process \(pid) did not stop in time, killed"
        case .stopped(let replica, let pid, let how):
            "\(replica): process \(pid) stopped (\(how))"
        case .guardReplaced(let pid):
            "the guard against orphans had ended; replaced by process \(pid)"
        case .guardFailed(let error):
            "no guard against orphans: \(error)"
        }
    }

    /// Seconds with one decimal: `0.5 s`.
    private static func seconds(_ duration: Duration) -> String {
        let tenths = (duration.attoseconds + 50_000_000_000_000_000) / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10) s"
    }
}

extension ExitStatus: CustomStringConvertible {
    /// `exited with status 1`, `ended by signal 9`.
    var description: String {
        switch self {
        case .code(let code): "exited with status \(code)"
        case .signal(let signal): "ended by signal \(signal)"
        }
    }
}
