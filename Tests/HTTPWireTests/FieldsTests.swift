// Byte ranges, fields and the table they are kept in.

import Testing

@testable import HTTPWire

@Suite struct `Byte range` {
    @Test func `names a part of the bytes it was made for`() {
        let bytes = Array("abcdef".utf8)
        let isPart = bytes.span.part(ByteRange(start: 2, length: 3)).equals("cde")
        #expect(isPart)
        let nothing = bytes.span.part(.empty).count
        #expect(nothing == 0)
    }

    @Test func `is the same as the range it was made from`() {
        #expect(ByteRange(3..<7) == ByteRange(start: 3, length: 4))
        #expect(ByteRange(3..<7).bounds == 3..<7)
        #expect(ByteRange(3..<3).isEmpty)
    }
}

@Suite struct `Field table` {
    @Test func `keeps fields in order`() {
        let table = table(field(.host, at: 0), field(.via, at: 10), field(.via, at: 20))
        #expect(table.count == 3)
        #expect(table[2].nameRange.start == 20)
        #expect(table.first(.via)?.nameRange.start == 10)
        #expect(table.first(.date) == nil)
        #expect(table.names == [.host, .via])
    }

    @Test func `is empty after removal and has the same room`() {
        var table = table(field(.host, at: 0))
        table.removeAll()
        #expect(table.count == 0)
        #expect(table.capacity == 4)
        #expect(table.first(.host) == nil)
    }

    @Test func `marks one field as hop by hop`() {
        var table = table(field(.via, at: 0), field(.via, at: 9))
        table.markHopByHop(at: 1)
        #expect(!table[0].isHopByHop)
        #expect(table[1].isHopByHop)
    }

    @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
    func `say whether they go on, and whether they do as they are`(
        isHopByHop: Bool,
        isPlain: Bool
    ) {
        var field = Field(
            name: .via,
            nameAt: 0..<3,
            valueAt: 5..<9,
            isHopByHop: isHopByHop,
            isPlain: isPlain
        )
        #expect(field.isHopByHop == isHopByHop)
        #expect(field.isPlain == isPlain)
        field.isHopByHop.toggle()
        #expect(field.isHopByHop != isHopByHop)
        #expect(field.isPlain == isPlain)
    }

    // A head of 128 fields stays within two kilobytes.
    @Test func `takes 16 bytes a field`() {
        #expect(MemoryLayout<Field>.stride == 16)
    }

    private func field(_ name: FieldName, at start: Int) -> Field {
        Field(
            name: name,
            nameAt: start..<start + 3,
            valueAt: start + 5..<start + 7,
            isHopByHop: false,
            isPlain: false
        )
    }

    /// A table with room for four fields that holds these.
    private func table(_ fields: Field...) -> FieldTable {
        var table = FieldTable(capacity: 4)
        var names = FieldNameSet()
        var room = table.room
        for (index, field) in fields.enumerated() {
            room[index] = field
            names.insert(field.name)
        }
        table.close(count: fields.count, names: names)
        return table
    }
}
