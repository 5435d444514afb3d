// Bytes that outlive the buffer they came in, in memory that is used again.

/// A few bytes, kept until others take their place.
///
/// For what is noted of each request: memory is taken only for more bytes than ever before, and
/// to replace some bytes by others is one copy.
@safe
@usableFromInline
package struct KeptBytes: ~Copyable {
    @usableFromInline
    private(set) var memory: UnsafeMutableRawBufferPointer
    /// Number of bytes.
    @usableFromInline
    package internal(set) var count = 0

    /// None yet, and no memory for any.
    package init() { unsafe memory = UnsafeMutableRawBufferPointer(start: nil, count: 0) }

    deinit { unsafe memory.deallocate() }

    /// Whether there is no byte.
    @inlinable
    package var isEmpty: Bool { count == 0 }

    /// The bytes.
    @inlinable
    package var span: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
            let span = unsafe bytes.bindMemory(to: UInt8.self).span
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Forgets the bytes and keeps their memory.
    @inlinable package mutating func removeAll() { count = 0 }

    /// Takes a copy of `bytes` in place of what was there.
    package mutating func replace(with bytes: Span<UInt8>) {
        if unsafe memory.count < bytes.count { grow(to: bytes.count) }
        unsafe bytes.withUnsafeBytes { unsafe memory.copyMemory(from: $0) }
        count = bytes.count
    }

    /// Takes room for `length` bytes, in steps that spare most of the growing; forgets the rest.
    private mutating func grow(to length: Int) {
        unsafe memory.deallocate()
        let capacity = (length + 63) & ~63
        unsafe memory = .allocate(byteCount: capacity, alignment: 1)
    }
}
