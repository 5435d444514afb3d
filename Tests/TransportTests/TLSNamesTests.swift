import Testing

@testable import Transport

@Suite struct `TLS names` {
    private func groups(_ entries: (String, Int32)...) -> TLSNames {
        TLSNames(
            entries.map { names, kind in
                TLSNames.Entry(names: names.split(separator: " ").map(String.init), kind: kind)
            }
        )
    }

    @Test(arguments: [
        ("a.example", 1), ("a.example.", 1), ("x.b.example", 2), ("x.y.b.example", 0),
        ("b.example", 0), ("exact.b.example", 3), ("", 0), ("c.example", 0), (".b.example", 0),
        ("default", 0), (".", 0),
    ])
    func `choose the certificate by the name asked for`(name: String, wanted: Int) {
        let names = groups(
            ("default", 6),
            ("a.example", 6),
            ("*.b.example", 6),
            ("exact.b.example", 6)
        )
        #expect(names.groups == [[0], [1], [2], [3]])
        #expect(names.place(of: name) == wanted)
    }

    @Test func `show certificates with keys of two kinds side by side`() {
        let names = groups(
            ("a.example", 408),
            ("b.example *.c.example", 408),
            ("a.example b.example", 6),
            ("*.c.example", 6)
        )
        #expect(names.groups == [[0, 2], [1, 2], [1, 3]])
        #expect(names.place(of: "a.example") == 0)
        #expect(names.place(of: "b.example") == 1)
        #expect(names.place(of: "x.c.example") == 2)
        #expect(names.place(of: "other.example") == 0)
    }

    @Test func `show of each kind the first that is good for a name`() {
        let names = groups(("a.example", 6), ("a.example b.example", 6), ("a.example", 408))
        #expect(names.groups == [[0, 2], [1]])
        #expect(names.place(of: "b.example") == 1)
    }

    @Test func `have a default that is good for no name`() {
        let names = groups(("", 6), ("a.example", 408))
        #expect(names.groups == [[0], [1]])
        #expect(names.place(of: "a.example") == 1 && names.place(of: "") == 0)
        #expect(groups().groups == [])
    }
}
