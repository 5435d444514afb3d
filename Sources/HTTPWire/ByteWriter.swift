// Writing bytes into memory that someone else owns. The one file here that handles raw pointers:
// whole runs of bytes are copied or looked at, and the standard library has no checked way for it.

/// Appends bytes to a fixed piece of memory.
///
/// What does not fit sets `hasOverflowed`; from then on nothing is written, so the bytes before
/// are a clean prefix. Nobody needs to check before the end.
@safe
package struct ByteWriter: ~Copyable {
    private let memory: UnsafeMutableRawBufferPointer
    /// Bytes that may be used; falls to `count` on overflow.
    private var capacity: Int
    /// Bytes written.
    package private(set) var count = 0
    /// Whether something did not fit.
    package private(set) var hasOverflowed = false

    /// A writer to the start of `memory`, which must outlive it and be touched by no one else
    /// meanwhile.
    @unsafe
    package init(_ memory: UnsafeMutableRawBufferPointer) {
        unsafe self.memory = memory
        capacity = memory.count
    }

    /// Writes one byte.
    package mutating func write(byte: UInt8) {
        guard reserve(1) else { return }
        unsafe memory[count] = byte
        count += 1
    }

    /// Writes all of `bytes`.
    package mutating func write(_ bytes: Span<UInt8>) {
        guard reserve(bytes.count) else { return }
        unsafe bytes.withUnsafeBytes { unsafe append($0) }
    }

    /// Writes a literal.
    package mutating func write(_ text: StaticString) {
        guard reserve(text.utf8CodeUnitCount) else { return }
        unsafe append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Writes CRLF.
    package mutating func writeLineEnd() {
        write(pair: 0x0d, 0x0a)
    }

    /// Writes two bytes.
    @inline(__always)
    mutating func write(pair first: UInt8, _ second: UInt8) {
        guard reserve(2) else { return }
        unsafe memory[count] = first
        unsafe memory[count + 1] = second
        count += 2
    }

    /// Writes a string as UTF-8.
    package mutating func write(string: String) {
        write(string.utf8Span.span)
    }

    /// Writes a number in decimal.
    package mutating func write(decimal number: UInt64) {
        write(number, base: 10)
    }

    /// Writes a number in lower-case hexadecimal, as a chunk size is.
    package mutating func write(hex number: UInt64) {
        write(number, base: 16)
    }

    /// The bytes written so far.
    package var written: Span<UInt8> {
        @_lifetime(borrow self)
        get {
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory[..<count])
            let span = unsafe bytes.bindMemory(to: UInt8.self).span
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

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
            unsafe memory[count + offset] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest /= base
        }
        count += digits
    }

    /// Copies bytes for which room was reserved.
    @inline(__always)
    private mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let target = unsafe memory.baseAddress, let source = bytes.baseAddress else { return }
        unsafe target.advanced(by: count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    /// Whether `length` more bytes fit; if not, nothing will from now on.
    @inline(__always)
    private mutating func reserve(_ length: Int) -> Bool {
        guard length <= capacity - count else {
            capacity = count
            hasOverflowed = true
            return false
        }
        return true
    }
}

extension Span<UInt8> {
    /// The eight bytes from an offset on, the first one lowest.
    @inline(__always)
    func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset <= count - 8, "eight bytes at \(offset) of \(count)")
        return unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
            .littleEndian
    }
}

extension MutableSpan<UInt8> {
    /// Lends a writer to these bytes for the length of `body`: the way to one without pointers.
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
