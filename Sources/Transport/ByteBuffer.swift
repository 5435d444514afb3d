// Slabs of memory that bytes are received into and sent from, and the free list that keeps them.
//
// 128 KiB: with 16–32 KiB slabs uploads cost two to three times as much CPU.

/// One slab and the run of bytes in it that has been received and not yet sent.
///
/// Confined to its loop. New bytes are appended behind the run; a rewritten head is laid right
/// before it, so that head and body leave in one send and no body byte is copied.
@safe
@usableFromInline
package final class ByteBuffer {
    /// Bytes of a slab, head-room included.
    @inlinable package static var slabBytes: Int { 128 * 1024 }
    /// Room kept free before the first received byte, for a head that grew while it was rewritten.
    @inlinable package static var headroomBytes: Int { 4 * 1024 }

    /// Room kept behind the last received byte, for the end of a chunk and the last chunk.
    @inlinable package static var tailroomBytes: Int { 64 }

    @usableFromInline let base: UnsafeMutableRawPointer
    /// Where the run begins and ends.
    ///
    /// Behind a pointer, as its bytes are: each access to a stored property of a class is checked
    /// for overlapping ones, and these two are read and moved some fifty times a request, always
    /// whole and on one loop.
    @usableFromInline let run: UnsafeMutablePointer<(start: Int, end: Int)>

    /// Offset of the first byte of the run.
    @inlinable package internal(set) var start: Int {
        get { unsafe run.pointee.start }
        @usableFromInline set { unsafe run.pointee.start = newValue }
    }

    /// Offset behind the last byte of the run.
    @inlinable package internal(set) var end: Int {
        get { unsafe run.pointee.end }
        @usableFromInline set { unsafe run.pointee.end = newValue }
    }

    /// Bytes of this buffer's memory: a slab, or less for one that only keeps a waiting request.
    @usableFromInline let capacity: Int

    init(capacity: Int = ByteBuffer.slabBytes) {
        self.capacity = capacity
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
        let first = capacity < ByteBuffer.slabBytes ? 0 : ByteBuffer.headroomBytes
        unsafe run = .allocate(capacity: 1)
        unsafe run.initialize(to: (first, first))
    }

    /// Whether it only keeps what it was made with, and takes nothing more.
    @inlinable package var isSnug: Bool { capacity < ByteBuffer.slabBytes }

    /// A slab that belongs to no pool and counts against no limit.
    package static func outsidePools() -> ByteBuffer { ByteBuffer() }

    deinit {
        unsafe base.deallocate()
        unsafe run.deallocate()
    }

    /// Bytes in the run.
    @inlinable package var count: Int { end - start }
    @inlinable package var isEmpty: Bool { start == end }
    /// Bytes that can still be received behind the run; a little is kept for chunk framing.
    @inlinable package var room: Int {
        isSnug ? 0 : max(0, ByteBuffer.slabBytes - ByteBuffer.tailroomBytes - end)
    }

    /// The run.
    @inlinable package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let pointer = unsafe base.advanced(by: start).assumingMemoryBound(to: UInt8.self)
            let span = unsafe Span(_unsafeStart: pointer, count: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Calls `body` with the run, which it may change in place.
    package func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let pointer = unsafe base.advanced(by: start).assumingMemoryBound(to: UInt8.self)
        var span = unsafe MutableSpan(_unsafeStart: pointer, count: count)
        return try body(&span)
    }

    /// Forgets all bytes.
    @inlinable package func clear() {
        start = ByteBuffer.headroomBytes
        end = ByteBuffer.headroomBytes
    }

    /// Forgets the first `count` bytes of the run; they stay where they are until overwritten.
    @inlinable package func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "consume \(count) of \(self.count)")
        start += count
    }

    /// Sets the run to the bytes from `start` up to `end`, both offsets in the slab.
    package func setRun(from start: Int, to end: Int) {
        precondition(
            0 <= start && start <= end && end <= capacity,
            "run \(start)..<\(end)"
        )
        self.start = start
        self.end = end
    }

    /// Moves the run to the front, so that there is room behind it.
    package func compact() {
        guard start > ByteBuffer.headroomBytes else { return }
        let count = self.count
        unsafe base.advanced(by: ByteBuffer.headroomBytes)
            .copyMemory(from: base.advanced(by: start), byteCount: count)
        start = ByteBuffer.headroomBytes
        end = start + count
    }

    /// Copies `bytes` to where they end right before `offset`; returns where they begin, or nil
    /// when there is too little room.
    package func lay(_ bytes: Span<UInt8>, before offset: Int) -> Int? {
        guard bytes.count <= offset else { return nil }
        write(bytes, at: offset - bytes.count)
        return offset - bytes.count
    }

    /// Copies `bytes` into the slab at an offset; the run is not changed.
    package func write(_ bytes: Span<UInt8>, at offset: Int) {
        precondition(
            offset >= 0 && offset + bytes.count <= capacity,
            "write at \(offset)"
        )
        unsafe bytes.withUnsafeBytes { source in
            guard let from = source.baseAddress else { return }
            unsafe base.advanced(by: offset).copyMemory(from: from, byteCount: source.count)
        }
    }

    /// Puts `bytes` behind the run; false when they do not fit there.
    package func append(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count <= room else { return false }
        write(bytes, at: end)
        end += bytes.count
        return true
    }

    /// Takes over the bytes of another buffer from an offset to its run's end.
    func copy(from other: ByteBuffer, _ offset: Int) {
        let bytes = unsafe other.memory(from: offset, to: other.end)
        if let source = bytes.baseAddress {
            unsafe base.copyMemory(from: source, byteCount: bytes.count)
        }
        setRun(from: other.start - offset, to: other.end - offset)
    }

    /// Some bytes of the slab as the kernel takes them.
    func memory(from start: Int, to end: Int) -> UnsafeRawBufferPointer {
        precondition(0 <= start && start <= end && end <= capacity, "memory")
        return unsafe UnsafeRawBufferPointer(start: base.advanced(by: start), count: end - start)
    }

    /// The room behind the run as the kernel fills it.
    var writable: UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(start: base.advanced(by: end), count: room)
    }

    func filled(_ count: Int) { end += count }
}

/// A loop's slabs: a last-in-first-out free list, so that warm memory is used first.
package final class BufferPool {
    /// Most bytes in use at once, counted as slabs.
    package let limit: Int
    private var bytesInUse = 0
    private var free: [ByteBuffer] = []
    /// Free slabs beyond this are given back to the system: 64 × 128 KiB = 8 MiB.
    private static let keptFree = 64
    /// Rounds the size of snug buffers, so that the allocator can use their memory again.
    private static let snugStep = 1024

    init(limit: Int) { self.limit = limit }

    /// Slabs in use now; snug buffers count by their size.
    package var inUse: Int {
        (bytesInUse + ByteBuffer.slabBytes - 1) / ByteBuffer.slabBytes
    }

    /// An empty buffer; nil when the limit is reached.
    package func take() -> ByteBuffer? {
        guard bytesInUse + ByteBuffer.slabBytes <= limit * ByteBuffer.slabBytes else { return nil }
        bytesInUse += ByteBuffer.slabBytes
        return free.popLast() ?? ByteBuffer()
    }

    /// An empty buffer for a new request; nil when two thirds of the limit are in use.
    ///
    /// The rest is for answers: what was taken in must be able to come to its end.
    package func takeForRequest() -> ByteBuffer? {
        guard bytesInUse < limit * ByteBuffer.slabBytes / 3 * 2 else { return nil }
        return take()
    }

    /// Copies the bytes from `start` to the run's end into a buffer of just that size, for a
    /// request that waits; nil when that would not save most of the slab.
    ///
    /// The run is copied with them. Everything stands `start` bytes further to the front.
    package func snugCopy(of buffer: ByteBuffer, from start: Int) -> ByteBuffer? {
        let count = buffer.end - start + ByteBuffer.tailroomBytes
        let step = BufferPool.snugStep
        let capacity = (count + step - 1) / step * step
        guard !buffer.isSnug, capacity <= ByteBuffer.slabBytes / 4,
            bytesInUse + capacity <= limit * ByteBuffer.slabBytes
        else { return nil }
        bytesInUse += capacity
        let snug = ByteBuffer(capacity: capacity)
        snug.copy(from: buffer, start)
        return snug
    }

    /// Gives a buffer back; the caller must not use it again.
    package func giveBack(_ buffer: ByteBuffer) {
        precondition(bytesInUse >= buffer.capacity, "a buffer was given back twice")
        bytesInUse -= buffer.capacity
        guard !buffer.isSnug, free.count < BufferPool.keptFree else { return }
        buffer.clear()
        free.append(buffer)
    }
}

extension [UInt8] {
    /// Replaces the contents with a copy of `bytes`; the memory is kept.
    package mutating func replace(with bytes: Span<UInt8>) {
        if !isEmpty { removeAll(keepingCapacity: true) }
        append(bytes)
    }

    /// Appends a copy of `bytes`.
    package mutating func append(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
