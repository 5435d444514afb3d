// The fields of a head as places in the bytes they were parsed from, and the table that holds them.

/// A run of bytes inside the buffer a head was parsed from.
@usableFromInline
package struct ByteRange: Sendable, Equatable {
    /// Offset of the first byte from the message's first byte.
    @usableFromInline package var start: UInt32
    /// Number of bytes.
    @usableFromInline package var length: UInt32

    /// The empty run at the start of the message.
    package static let empty = ByteRange(start: 0, length: 0)

    /// The run of `length` bytes from `start`.
    @inlinable
    package init(start: UInt32, length: UInt32) {
        self.start = start
        self.length = length
    }

    /// The run of the bytes in `range`; heads are bounded far below 4 GiB.
    init(_ range: Range<Int>) {
        start = UInt32(truncatingIfNeeded: range.lowerBound)
        length = UInt32(truncatingIfNeeded: range.count)
    }

    /// Whether there is no byte in it.
    @inlinable
    package var isEmpty: Bool { length == 0 }

    /// The same run as offsets into a span or buffer.
    @inlinable
    package var bounds: Range<Int> {
        Int(start)..<Int(start) + Int(length)
    }
}

extension Span<UInt8> {
    /// The bytes of `range`, which a parser gave for these bytes.
    @inlinable
    @_lifetime(copy self)
    package func part(_ range: ByteRange) -> Span<UInt8> {
        extracting(range.bounds)
    }
}

/// One field line: where its name and value stand, and whether it goes on.
package struct Field: Sendable, Equatable {
    /// Offset of the name; its length follows below.
    private let nameStart: UInt32
    private let valueStart: UInt32
    private let valueLength: UInt32
    private let nameLength: UInt16
    /// Which name it is.
    package let name: FieldName
    /// Whether the line must not be forwarded (RFC 9110 §7.6.1).
    ///
    /// True for the fields of one connection, for those a Connection option names, for a repeated
    /// Content-Length, and for names that spell a known field with `_` for `-`.
    package internal(set) var isHopByHop: Bool {
        get { flags & Field.hopByHop != 0 }
        set { flags = newValue ? flags | Field.hopByHop : flags & ~Field.hopByHop }
    }
    /// Whether the line is `Name: value` with CRLF right behind it, as it would be written anew.
    var isPlain: Bool { flags & Field.plain != 0 }
    /// Two answers in one byte, so that a field takes 16.
    private var flags: UInt8

    private static let hopByHop: UInt8 = 1
    private static let plain: UInt8 = 2

    /// No field yet.
    init() {
        self.init(name: .other, nameAt: 0..<0, valueAt: 0..<0, isHopByHop: false, isPlain: false)
    }

    init(
        name: FieldName,
        nameAt: Range<Int>,
        valueAt: Range<Int>,
        isHopByHop: Bool,
        isPlain: Bool
    ) {
        self.name = name
        nameStart = UInt32(truncatingIfNeeded: nameAt.lowerBound)
        nameLength = UInt16(truncatingIfNeeded: nameAt.count)
        valueStart = UInt32(truncatingIfNeeded: valueAt.lowerBound)
        valueLength = UInt32(truncatingIfNeeded: valueAt.count)
        flags = (isHopByHop ? Field.hopByHop : 0) | (isPlain ? Field.plain : 0)
    }

    /// Offset of the line's first byte.
    var start: Int { Int(nameStart) }
    /// Offset behind the CRLF of a line that is plain.
    var plainEnd: Int { Int(valueStart) + Int(valueLength) + 2 }

    /// The name's bytes as they were sent.
    package var nameRange: ByteRange {
        ByteRange(start: nameStart, length: UInt32(nameLength))
    }

    /// The value's bytes without the blanks around it (RFC 9112 §5.1).
    package var valueRange: ByteRange {
        ByteRange(start: valueStart, length: valueLength)
    }
}

/// The fields of one head, in the order they came (RFC 9110 §5.3).
///
/// A loop keeps one and lends it to every parser; it is read before the next suspension. Nothing
/// is allocated after `init`.
package struct FieldTable: ~Copyable {
    /// As many as there is room for; only the first `count` mean anything.
    private var slots: [Field]
    /// Number of fields.
    package private(set) var count = 0
    /// The known names among its fields.
    package private(set) var names = FieldNameSet()

    /// An empty table with room for `capacity` fields: `Limits.fieldsMax`.
    package init(capacity: Int) {
        slots = Array(repeating: Field(), count: capacity)
    }

    /// Most fields it takes.
    package var capacity: Int { slots.count }

    /// The field at `index`, which is less than `count`.
    package subscript(index: Int) -> Field {
        precondition(index < count, "field \(index) of \(count)")
        return slots[index]
    }

    /// The fields there are.
    var fields: Span<Field> {
        @_lifetime(borrow self)
        get { slots.span.extracting(0..<count) }
    }

    /// Empties the table and keeps its memory.
    package mutating func removeAll() {
        count = 0
        names = FieldNameSet()
    }

    /// The first field of that name, a known one; O(count), but O(1) when there is none.
    package func first(_ name: FieldName) -> Field? {
        guard names.contains(name) else { return nil }
        for index in 0..<count where slots[index].name == name { return slots[index] }
        return nil
    }

    /// Lends the room for fields, to be filled from the front; `close` tells how far it was.
    var room: MutableSpan<Field> {
        @_lifetime(&self)
        mutating get { slots.mutableSpan }
    }

    /// The first `count` places have been filled, with fields of these names.
    mutating func close(count: Int, names: FieldNameSet) {
        precondition(count <= slots.count, "\(count) fields of \(slots.count)")
        self.count = count
        self.names = names
    }

    /// Keeps the field at `index` from being forwarded.
    mutating func markHopByHop(at index: Int) {
        slots[index].isHopByHop = true
    }
}
