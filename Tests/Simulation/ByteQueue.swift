// Bytes in order of arrival: the buffers of the virtual kernel.

import Glibc

/// A first-in-first-out run of bytes.
package struct ByteQueue {
    private var storage: [UInt8] = []
    private var start = 0

    package init() {}

    package var count: Int { storage.count - start }
    package var isEmpty: Bool { start == storage.count }

    package mutating func append(_ bytes: [UInt8]) { storage.append(contentsOf: bytes) }

    mutating func append(_ bytes: UnsafeRawBufferPointer) { storage.append(contentsOf: bytes) }

    /// Takes at most `count` bytes from the front.
    package mutating func take(_ count: Int) -> [UInt8] {
        let taken = Array(storage[start..<start + min(count, self.count)])
        drop(taken.count)
        return taken
    }

    /// Moves bytes from the front into `memory`; how many.
    mutating func take(into memory: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(memory.count, self.count)
        storage.withUnsafeBytes { raw in
            memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: raw[start..<start + count]))
        }
        drop(count)
        return count
    }

    package mutating func removeAll() {
        storage = []
        start = 0
    }

    private mutating func drop(_ count: Int) {
        start += count
        if start == storage.count {
            storage.removeAll(keepingCapacity: true)
            start = 0
        } else if start > 65_536 {
            storage.removeFirst(start)
            start = 0
        }
    }
}
