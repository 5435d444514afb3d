// The bounded hand-over between the loops that format log lines and the thread that writes them.
import Synchronization

/// Bytes of whole lines on their way to a writer.
///
/// Loops append, one writer takes; a slow writer costs lines, never memory and never a request's
/// time.
package final class AccessLogBuffer: Sendable {
    /// Most bytes kept for the writer.
    package let bytesMax: Int

    private let state: Mutex<State>

    private struct State {
        var bytes: [UInt8] = []
        var dropped: UInt64 = 0
    }

    /// Makes an empty buffer.
    ///
    /// - Parameter bytesMax: Most bytes kept; 4 MiB hold about 10,000 lines.
    package init(bytesMax: Int = 4 << 20) {
        self.bytesMax = bytesMax
        state = Mutex(State())
    }

    /// Adds a line, or counts it as dropped when there is no room.
    ///
    /// Any thread may call this.
    ///
    /// - Returns: Whether the writer should be woken: the buffer was empty before.
    @discardableResult
    package func append(_ line: [UInt8]) -> Bool {
        state.withLock { state in
            guard state.bytes.count + line.count <= bytesMax else {
                state.dropped += 1
                return false
            }
            let wasEmpty = state.bytes.isEmpty
            state.bytes.append(contentsOf: line)
            return wasEmpty
        }
    }

    /// Takes all lines and leaves the buffer empty.
    ///
    /// - Parameter spare: An array taken earlier and written since: its memory is used again.
    /// - Returns: Whole lines in the order they came, at most `bytesMax` bytes.
    package func take(giving spare: consuming [UInt8] = []) -> [UInt8] {
        var next = spare
        next.removeAll(keepingCapacity: true)
        return state.withLock { state in
            swap(&state.bytes, &next)
            return next
        }
    }

    /// Lines that found no room since the start.
    package var dropped: UInt64 {
        state.withLock { $0.dropped }
    }
}
