// Writing bytes into memory that someone else owns. The one file here that handles raw pointers:
// whole runs of bytes are copied or looked at, and the standard library has no checked way for it.

/// Appends bytes to a fixed piece of memory.
///
/// What does not fit sets `hasOverflowed`; from then on nothing is written, so the bytes before
/// are a clean prefix. Nobody needs to check before the end.
///
/// Literals and single bytes are written where the caller stands: a head is mostly made of them,
/// and a copy of known length is two or three instructions, where a call is forty.
@safe
@usableFromInline
package struct ByteWriter: ~Copyable {
    @usableFromInline let memory: UnsafeMutableRawBufferPointer
    /// Bytes that may be used; falls to `filled` on overflow.
    @usableFromInline var capacity: Int
    @usableFromInline var filled = 0
    /// Whether something did not fit.
    package private(set) var hasOverflowed = false

    /// A writer to the start of `memory`, which must outlive it and be touched by no one else
    /// meanwhile.
    @unsafe
    @usableFromInline
    package init(_ memory: UnsafeMutableRawBufferPointer) {
        unsafe self.memory = memory
        capacity = memory.count
    }

    /// Bytes written.
    @inlinable
    package var count: Int { filled }

    /// Writes one byte.
    @inlinable
    @inline(__always)
    package mutating func write(byte: UInt8) {
        guard reserve(1) else { return }
        unsafe memory[filled] = byte
        filled &+= 1
    }

    /// Writes all of `bytes`.
    @usableFromInline
    package mutating func write(_ bytes: Span<UInt8>) {
        guard reserve(bytes.count) else { return }
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// Writes a literal.
    @inlinable
    @inline(__always)
    package mutating func write(_ text: StaticString) {
        guard reserve(text.utf8CodeUnitCount) else { return }
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Writes CRLF.
    @inlinable
    @inline(__always)
    package mutating func writeLineEnd() {
        write("\r\n")
    }

    /// Writes a string as UTF-8.
    package mutating func write(string: String) {
        write(string.utf8Span.span)
    }

    /// Writes a number in decimal.
    @usableFromInline
    package mutating func write(decimal number: UInt64) {
        guard number >= 10 else {
            write(byte: 0x30 + UInt8(truncatingIfNeeded: number))
            return
        }
        write(number, base: 10)
    }

    /// Writes the last `width` decimal digits of a number, with zeros before it.
    @inlinable
    @inline(__always)
    package mutating func write(decimal number: UInt64, width: Int) {
        guard reserve(width) else { return }
        var rest = number
        for offset in stride(from: width - 1, through: 0, by: -1) {
            unsafe memory[filled &+ offset] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        filled &+= width
    }

    /// Writes a number in lower-case hexadecimal, as a chunk size is.
    package mutating func write(hex number: UInt64) {
        write(number, base: 16)
    }

    /// Writes a number in 16 lower-case hexadecimal digits.
    package mutating func write(hexDigits number: UInt64) {
        guard reserve(16) else { return }
        let (upper, lower) = (Self.hexDigits(number >> 32), Self.hexDigits(number))
        unsafe memory.storeBytes(of: upper, toByteOffset: filled, as: UInt64.self)
        unsafe memory.storeBytes(of: lower, toByteOffset: filled + 8, as: UInt64.self)
        filled += 16
    }

    /// The eight digits of the lower half, as they are to lie in memory.
    @inline(__always)
    private static func hexDigits(_ number: UInt64) -> UInt64 {
        // One byte for each four bits, in three steps.
        var digits = number & 0xffff_ffff
        digits = (digits | digits << 16) & 0x0000_ffff_0000_ffff
        digits = (digits | digits << 8) & 0x00ff_00ff_00ff_00ff
        digits = (digits | digits << 4) & 0x0f0f_0f0f_0f0f_0f0f
        // A digit above 9 is one from 16 on with 6 more; `a` is 0x27 beyond what follows `9`.
        let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (digits &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).bigEndian
    }

    /// The bytes written so far.
    package var written: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[..<filled])
            let span = unsafe bytes.bindMemory(to: UInt8.self).span
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Inlined so that each base is a constant, and no digit takes a division.
    @inline(__always)
    private mutating func write(_ number: UInt64, base: UInt64) {
        var digits = 1
        var rest = number / base
        while rest > 0 {
            digits += 1
            rest /= base
        }
        guard reserve(digits) else { return }
        rest = number
        for offset in stride(from: digits - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: rest % base)
            unsafe memory[filled + offset] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest /= base
        }
        filled += digits
    }

    /// Copies bytes for which room was reserved.
    @inlinable
    @inline(__always)
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let target = unsafe memory.baseAddress, let source = bytes.baseAddress else { return }
        unsafe target.advanced(by: filled).copyMemory(from: source, byteCount: bytes.count)
        filled &+= bytes.count
    }

    /// Whether `length` more bytes fit; if not, nothing will from now on.
    @inlinable
    @inline(__always)
    mutating func reserve(_ length: Int) -> Bool {
        // At most as much was written as there is room for.
        guard length <= capacity &- filled else {
            overflow()
            return false
        }
        return true
    }

    @usableFromInline
    @inline(never)
    mutating func overflow() {
        capacity = filled
        hasOverflowed = true
    }
}

extension Span<UInt8> {
    /// The eight bytes from an offset on, the first one lowest; all must be there, which the
    /// standard library checks.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            .littleEndian
    }
}

extension MutableSpan<UInt8> {
    /// Lends a writer to these bytes for the length of `body`: the way to one without pointers.
    @inlinable
    package mutating func withWriter<Result, Failure: Error>(
        _ body: (inout ByteWriter) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe withUnsafeMutableBytes { memory throws(Failure) in
            var writer = unsafe ByteWriter(memory)
            return try body(&writer)
        }
    }

    /// Moves `length` bytes from `source` down to `target`; the runs may overlap.
    mutating func moveDown(from source: Int, to target: Int, length: Int) {
        precondition(
            target >= 0 && target <= source && length >= 0 && source + length <= count,
            "moving \(length) bytes from \(source) to \(target) of \(count)"
        )
        unsafe withUnsafeMutableBytes { memory in
            let moved = unsafe UnsafeRawBufferPointer(rebasing: memory[source..<source + length])
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[target...])
            // Allows for overlap, as `memmove` does.
            unsafe room.copyMemory(from: moved)
        }
    }
}
