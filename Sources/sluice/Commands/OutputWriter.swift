// Standard output, written off the request path: access log lines and what processes print.

internal import Dispatch
internal import Foundation
internal import Synchronization
internal import Telemetry

/// Writes lines to standard output from a thread of its own.
final class OutputWriter: Sendable {
    private let wakeup = DispatchSemaphore(value: 0)
    private let lines = AccessLogBuffer(bytesMax: 1 << 20)
    private let isOver = Atomic<Bool>(false)
    private let finished = DispatchSemaphore(value: 0)

    /// Starts writing what the access log takes in.
    func start(taking accessLog: AccessLogBuffer) {
        let thread = Thread { [self] in
            var spare: [UInt8] = []
            while !isOver.load(ordering: .acquiring) {
                wakeup.wait()
                spare = flush(accessLog, spare)
                spare = flush(lines, spare)
            }
            _ = flush(accessLog, flush(lines, spare))
            finished.signal()
        }
        thread.name = "output"
        thread.start()
    }

    /// Lines wait in the access log. Any thread may call.
    func wake() { wakeup.signal() }

    /// Writes one line. Any thread may call.
    func write(_ line: String) {
        if lines.append(Array((line + "\n").utf8)) { wake() }
    }

    /// Writes what is left and ends the thread.
    func finish() {
        isOver.store(true, ordering: .releasing)
        wake()
        finished.wait()
    }

    private func flush(_ buffer: AccessLogBuffer, _ spare: [UInt8]) -> [UInt8] {
        let bytes = buffer.take(giving: spare)
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { memory in
                unsafe Foundation.write(1, memory.baseAddress.map { unsafe $0 + sent }, bytes.count - sent)
            }
            if count < 0 && errno == EINTR { continue }
            // Nobody reads any more: the lines are lost, the gateway is not.
            if count <= 0 { break }
            sent += count
        }
        return bytes
    }
}
