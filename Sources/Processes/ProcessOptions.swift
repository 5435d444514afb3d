// The settings of the local processes of one pool, with their defaults.

/// How many processes of a pool run, how they are started and how they are stopped.
package struct ProcessOptions: Sendable, Equatable {
    /// The pool's name: the processes are called `sales-1`, `sales-2` and so on.
    package var name: String
    /// Program and arguments; the program is looked for in PATH.
    ///
    /// `$PORT` in an argument is replaced by the port, which the process finds in its environment
    /// as well.
    package var command: [String]
    /// Added to the gateway's own environment, or replacing what is there.
    package var environment: [String: String]
    /// Fewest processes, 0 or more.
    package var min: Int
    /// Most processes, those that are still stopping included; `min` or more.
    package var max: Int
    /// Between SIGTERM and SIGKILL.
    package var stopTimeout: Duration
    /// Longest wait for `drained` before a process that is no longer wanted gets SIGTERM.
    package var drainTimeout: Duration
    /// Pause before the first restart; doubled for each that follows.
    package var backoffMin: Duration
    /// Longest pause before a restart.
    package var backoffMax: Duration
    /// A process that ran this long starts again with the first pause.
    package var backoffReset: Duration
    /// Longest output line passed on, in bytes; the rest of a longer one is left out.
    package var lineBytesMax: Int
    /// Output passed on per second and process, in bytes.
    package var outputBytesPerSecond: Int
    /// Output passed on at once after a pause, in bytes.
    package var outputBurstBytes: Int

    /// Most processes one pool may have.
    package static let processesMax = 1_024

    /// Makes options; everything but the command has a default.
    package init(
        name: String,
        command: [String],
        environment: [String: String] = [:],
        min: Int = 1,
        max: Int? = nil,
        stopTimeout: Duration = .seconds(10),
        drainTimeout: Duration = .seconds(20),
        backoffMin: Duration = .milliseconds(500),
        backoffMax: Duration = .seconds(30),
        backoffReset: Duration = .seconds(30),
        lineBytesMax: Int = 8_192,
        outputBytesPerSecond: Int = 128 << 10,
        outputBurstBytes: Int = 512 << 10
    ) {
        self.name = name
        self.command = command
        self.environment = environment
        self.min = Swift.min(Swift.max(0, min), Self.processesMax)
        self.max = Swift.min(Swift.max(self.min, max ?? self.min), Self.processesMax)
        self.stopTimeout = stopTimeout
        self.drainTimeout = drainTimeout
        self.backoffMin = backoffMin
        self.backoffMax = backoffMax
        self.backoffReset = backoffReset
        self.lineBytesMax = lineBytesMax
        self.outputBytesPerSecond = outputBytesPerSecond
        self.outputBurstBytes = outputBurstBytes
    }
}
