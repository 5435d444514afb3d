// Standard output and error, written off the loops: access log, operator log, processes' lines.

internal import Dispatch
internal import Synchronization
internal import Telemetry
internal import Transport

/// Writes lines to one descriptor from a thread of its own.
///
/// A reader that is slow or gone costs lines, which are counted, never time of a loop.
final class LineWriter: Sendable {
    private let descriptor: Int32
    private let lines: AccessLogBuffer
    private let wakeup = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)
    private let isOver = Atomic<Bool>(false)
    /// How long what is left may take once the gateway has stopped.
    private static let lastWords = DispatchTimeInterval.seconds(1)

    /// Makes a writer that holds at most `bytesMax` bytes of lines.
    init(to descriptor: Int32, bytesMax: Int = 1 << 20) {
        self.descriptor = descriptor
        lines = AccessLogBuffer(bytesMax: bytesMax)
    }

    /// Starts the thread; lines of `accessLog` are written too.
    func start(name: String, taking accessLog: AccessLogBuffer? = nil) {
        Transport.Thread.start(name: name) { [self] in
            var spare: [UInt8] = []
            while true {
                let isLast = isOver.load(ordering: .acquiring)
                if let accessLog { spare = flush(accessLog, spare) }
                spare = flush(lines, spare)
                if isLast { break }
                wakeup.wait()
            }
            finished.signal()
        }
    }

    /// Writes one line; any thread may call.
    ///
    /// - Parameter line: with its newline.
    func write(_ line: String) {
        if lines.append(Array(line.utf8)) { wake() }
    }

    /// Lines wait in the access log; any thread may call.
    func wake() { wakeup.signal() }

    /// Lines that found no room.
    var dropped: UInt64 { lines.dropped }

    /// Writes what is left and ends the thread; gives up after a second.
    func finish() {
        isOver.store(true, ordering: .releasing)
        wake()
        _ = finished.wait(timeout: .now() + LineWriter.lastWords)
    }

    private func flush(_ buffer: AccessLogBuffer, _ spare: [UInt8]) -> [UInt8] {
        let bytes = buffer.take(giving: spare)
        // False: nobody reads any more. The lines are lost, the gateway is not.
        _ = StandardStreams.write(bytes, to: descriptor)
        return bytes
    }
}
