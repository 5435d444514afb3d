// The names sluice knows, and sets of them.

import HTTPWire
import Testing

@Suite struct `Field name` {
    @Test func `fits a set of 64 bits`() {
        #expect(FieldName.allCases.allSatisfy { $0.rawValue < 64 })
    }

    @Test func `is spelled differently from every other`() {
        let spellings = FieldName.allCases.map { "\($0.spelling)".lowercased() }
        #expect(Set(spellings).count == FieldName.allCases.count)
    }
}

@Suite struct `Field name set` {
    @Test func `holds what was put in and nothing else`() {
        let set: FieldNameSet = [.host, .via, .proxyAuthenticationInfo]
        for name in FieldName.allCases {
            let isIn = name == .host || name == .via || name == .proxyAuthenticationInfo
            #expect(set.contains(name) == isIn, "\(name)")
        }
    }

    @Test func `loses what is removed`() {
        var set: FieldNameSet = [.host, .via]
        set.remove(.host)
        set.remove(.date)
        #expect(set == [.via])
    }

    @Test func `unites two sets`() {
        let one: FieldNameSet = [.host, .via]
        #expect(one.union([.via, .date]) == [.host, .via, .date])
        #expect(one.union(FieldNameSet()) == one)
    }
}
