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
        var table = FieldTable(capacity: 4)
        table.append(field(.host, at: 0))
        table.append(field(.via, at: 10))
        table.append(field(.via, at: 20))
        #expect(table.count == 3)
        #expect(table[2].nameRange.start == 20)
        #expect(table.first(.via)?.nameRange.start == 10)
        #expect(table.first(.date) == nil)
        #expect(table.names == [.host, .via])
    }

    @Test func `is empty after removal and has the same room`() {
        var table = FieldTable(capacity: 4)
        table.append(field(.host, at: 0))
        table.removeAll()
        #expect(table.count == 0)
        #expect(table.capacity == 4)
        #expect(table.first(.host) == nil)
    }

    @Test func `marks one field as hop by hop`() {
        var table = FieldTable(capacity: 4)
        table.append(field(.via, at: 0))
        table.append(field(.via, at: 9))
        table.markHopByHop(at: 1)
        #expect(!table[0].isHopByHop)
        #expect(table[1].isHopByHop)
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
            isHopByHop: false
        )
    }
}
