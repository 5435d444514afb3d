// Names are told apart exactly: each spelling in any case, and nothing close to it.

import Testing

@testable import HTTPWire

@Suite struct `Field name matching` {
    private static let known = FieldName.allCases.filter {
        ![.other, .xSluice, .xClientCert].contains($0)
    }

    @Test(arguments: known)
    func `knows a spelling in any case`(name: FieldName) {
        let spelling = "\(name.spelling)"
        #expect(classify(spelling) == name)
        #expect(classify(spelling.lowercased()) == name)
        #expect(classify(spelling.uppercased()) == name)
    }

    @Test(arguments: known)
    func `knows no spelling with one letter wrong, missing or added`(name: FieldName) {
        let spelling = Array("\(name.spelling)".utf8)
        for i in spelling.indices {
            var wrong = spelling
            wrong[i] = wrong[i] == UInt8(ascii: "q") ? UInt8(ascii: "z") : UInt8(ascii: "q")
            #expect(classify(wrong) != name, "\(i)")
            var short = spelling
            short.remove(at: i)
            #expect(classify(short) != name, "\(i)")
            var long = spelling
            long.insert(UInt8(ascii: "q"), at: i)
            #expect(classify(long) != name, "\(i)")
        }
    }

    @Test(arguments: [
        ("X-Sluice-", FieldName.xSluice), ("x-sluice-anything-at-all-that-is-long", .xSluice),
        ("X-SLUICE-ENCODING", .xSluice), ("X-Sluice-Priority", .xSluicePriority),
        ("X-Client-Cert", .xClientCert), ("x-client-cert-subject", .xClientCert),
        ("X-CLIENT-CERT-FINGERPRINT", .xClientCert), ("X-Client-Certs", .other),
        ("X-Client-Cerz", .other), ("X-Client-Cer", .other), ("X-Client", .other),
        ("X-Sluice-Prioritx", .xSluice), ("X-Sluice", .other), ("X-SluiceA", .other),
        ("Y-Sluice-A", .other), ("X-Sluicer-A", .other),
    ])
    func `knows every name with sluice's prefix`(name: String, expected: FieldName) {
        #expect(classify(name) == expected)
    }

    @Test(arguments: ["", "X", "Accept", "User-Agent", "Content-Lengths", "Hos", "HostHost"])
    func `leaves the rest to others`(name: String) {
        #expect(classify(name) == .other)
    }

    // What WSGI and CGI fold into one variable must not pass beside the guarded name.
    @Test(arguments: [
        ("X_Forwarded_For", false), ("X-Forwarded_For", false), ("x_request_id", false),
        ("X_Sluice_Priority", false), ("X_Sluice_A_Very_Long_Name_Of_More_Than_32", false),
        ("Content_Length", false), ("proxy_authentication_info", false),
        ("grpc_timeout", false), ("X_Other", true), ("Accept_Language", true), ("_", true),
        ("A_Very_Long_Name_Of_More_Than_32_Bytes", true),
    ])
    func `forwards no known name spelled with underscores`(name: String, isForwarded: Bool) {
        let outcome = request("GET / HTTP/1.1", "Host: a", "\(name): 1")
        #expect(outcome.lines.last?.name == .other)
        #expect(outcome.lines.last?.isForwarded == isForwarded)
    }

    // What is no token must never pass for one: bytes are told apart before they are checked.
    @Test(arguments: known)
    func `knows no spelling with any one byte wrong`(name: FieldName) {
        let spelling = Array("\(name.spelling)".utf8)
        let folded = String(decoding: spelling, as: UTF8.self).lowercased()
        for i in spelling.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = spelling
                changed[i] = byte
                let isSame =
                    byte < 0x80 && folded == String(decoding: changed, as: UTF8.self).lowercased()
                let found = FieldName.classifyExactly(changed.span, start: 0, length: changed.count)
                #expect((found == name) == isSame, "\(i) \(byte)")
            }
        }
    }

    private func classify(_ name: String) -> FieldName {
        classify(Array(name.utf8))
    }

    private func classify(_ name: [UInt8]) -> FieldName {
        FieldName.classify(name.span)
    }
}
