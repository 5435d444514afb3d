// Values: numbers, lists, durations and ids.

import HTTPWire
import Testing

@Suite struct `Field value` {
    @Test(
        arguments: [
            ("0", UInt64(0)), ("007", 7), ("18446744073709551615", .max),
            ("18446744073709551616", nil), ("99999999999999999999", nil), ("", nil), ("+1", nil),
            ("-1", nil), (" 1", nil), ("1 ", nil), ("1a", nil), ("0x1", nil), ("\u{661}", nil),
        ] as [(String, UInt64?)]
    )
    func `is a decimal number or nothing`(text: String, number: UInt64?) {
        #expect(Array(text.utf8).span.decimal == number)
        #expect(Array(text.utf8).span.maxForwards == number)
    }

    @Test(
        arguments: [
            ("0", 0), ("-5", -5), ("9223372036854775807", Int.max), ("-9223372036854775807", -.max),
            ("9223372036854775808", nil), ("-", nil), ("", nil), ("--1", nil), ("+1", nil),
        ] as [(String, Int?)]
    )
    func `is a whole number or nothing`(text: String, number: Int?) {
        #expect(Array(text.utf8).span.integer == number)
    }

    @Test(arguments: [
        ("Close", "close", true), ("CLOSE", "close", true), ("", "", true),
        ("clos", "close", false),
        ("close ", "close", false), ("@", "`", false), ("[", "{", false), ("k", "\u{212a}", false),
    ])
    func `is compared without ASCII case`(text: String, other: String, isEqual: Bool) {
        let bytes = Array(text.utf8)
        let otherBytes = Array(other.utf8)
        #expect(bytes.span.equalsIgnoringCase(other) == isEqual)
        #expect(bytes.span.equalsIgnoringCase(otherBytes.span) == isEqual)
    }

    @Test(arguments: [("a", "a", true), ("A", "a", false), ("a", "ab", false), ("", "", true)])
    func `is compared byte for byte`(text: String, other: String, isEqual: Bool) {
        #expect(Array(text.utf8).span.equals(other) == isEqual)
        #expect(Array(text.utf8).span.equals(Array(other.utf8).span) == isEqual)
    }

    // RFC 9110 §5.6.1.
    @Test(arguments: [
        ("a, b,c", ["a", "b", "c"]), (" a ", ["a"]), (",, a ,\t,b,", ["a", "b"]), ("", []),
        (" , ", []), ("a b", ["a b"]),
    ])
    func `is a list without its empty elements`(text: String, elements: [String]) {
        let bytes = Array(text.utf8)
        var found: [String] = []
        var cursor = 0
        while let element = bytes.span.nextListElement(&cursor) {
            found.append(String(decoding: bytes[element], as: UTF8.self))
        }
        #expect(found == elements)
        for element in elements {
            #expect(bytes.span.listContains(element.uppercased()) == true)
        }
        #expect(bytes.span.listContains("x") == false)
    }

    @Test(arguments: [
        ("chunked", true), ("a-b_c!", true), ("", false), ("a b", false), ("a;", false),
    ])
    func `is a token or not`(text: String, isToken: Bool) {
        #expect(Array(text.utf8).span.isToken == isToken)
    }

    @Test(arguments: [
        ("abc~!", true), ("", false), ("a b", false), ("a\t", false), ("a\u{7f}", false),
        ("a\u{e9}", false), ("12345678", true), ("123456789", false),
    ])
    func `is visible ASCII within a bound or not`(text: String, isVisible: Bool) {
        #expect(Array(text.utf8).span.isVisibleASCII(countMax: 8) == isVisible)
    }

    // W3C Trace Context §3.2.
    @Test(arguments: [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("00-4BF92F3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
        ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-", false),
        ("00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01", false),
        ("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
        ("", false),
    ])
    func `is a traceparent or not`(text: String, isValid: Bool) {
        #expect(Array(text.utf8).span.isTraceparent == isValid)
    }

    @Test(
        arguments: [
            ("2.5", Duration.milliseconds(2_500)), ("2.5s", .milliseconds(2_500)),
            ("250ms", .milliseconds(250)), ("0.000000001", .nanoseconds(1)), ("0", .zero),
            ("30", .seconds(30)), ("1.5ms", .microseconds(1_500)),
            ("999999999", .seconds(999_999_999)),
            ("0.0000009ms", .zero), ("1.000000", .seconds(1)),
            ("", nil), ("s", nil), ("ms", nil), (".5", nil), ("5.", nil), ("-1", nil), ("1,5", nil),
            ("1.5.5", nil), ("1m", nil), ("1 s", nil), ("1e3", nil), ("9999999999", nil),
            ("1.0000000000", nil), ("1ss", nil), ("inf", nil), ("1.s", nil),
        ] as [(String, Duration?)]
    )
    func `is a request timeout or nothing`(text: String, timeout: Duration?) {
        #expect(Array(text.utf8).span.requestTimeout == timeout)
    }

    @Test(
        arguments: [
            ("1H", Duration.seconds(3_600)), ("2M", .seconds(120)), ("3S", .seconds(3)),
            ("100m", .milliseconds(100)), ("7u", .microseconds(7)), ("9n", .nanoseconds(9)),
            ("99999999H", .seconds(359_999_996_400)), ("100000000m", nil), ("m", nil), ("", nil),
            ("1", nil), ("1x", nil), ("-1m", nil), ("1.5S", nil), ("1 m", nil),
        ] as [(String, Duration?)]
    )
    func `is a gRPC timeout or nothing`(text: String, timeout: Duration?) {
        #expect(Array(text.utf8).span.grpcTimeout == timeout)
    }

    // RFC 9110 §10.2.3.
    @Test(
        arguments: [
            ("0", Duration.zero), ("120", .seconds(120)),
            ("18446744073709551615", .seconds(31_536_000)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", nil), ("-1", nil), ("1.5", nil), ("", nil),
        ] as [(String, Duration?)]
    )
    func `is a delay in seconds or nothing`(text: String, delay: Duration?) {
        #expect(Array(text.utf8).span.retryAfter == delay)
    }

    @Test(
        arguments: [
            ("1500", Duration.milliseconds(1_500)), ("18446744073709551615", .seconds(31_536_000)),
            ("1.5", nil),
        ] as [(String, Duration?)]
    )
    func `is a delay in milliseconds or nothing`(text: String, delay: Duration?) {
        #expect(Array(text.utf8).span.retryAfterMilliseconds == delay)
    }
}
