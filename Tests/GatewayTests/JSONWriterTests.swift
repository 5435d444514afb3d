import Testing

@testable import Gateway

@Suite struct `JSON writer` {
    @Test func `puts commas between members and elements only`() {
        var json = JSONWriter()
        json.object { json in
            json.name("a")
            json.array { json in
                json.value(1)
                json.array { _ in }
                json.object { _ in }
            }
            json.name("b")
            json.value(true)
        }
        #expect(text(json) == #"{"a":[1,[],{}],"b":true}"#)
    }

    @Test func `escapes what a string cannot hold`() {
        var json = JSONWriter()
        json.value("a\"b\\c\nd\te\u{1}\u{7f}é")
        #expect(text(json) == #""a\"b\\c\nd\te\u0001\u007fé""#)
    }

    @Test(arguments: [
        (1.0, "1"), (0.5, "0.5"), (-2.25, "-2.25"), (.infinity, "null"), (.nan, "null"),
    ])
    func `writes numbers as JSON has them`(number: Double, written: String) {
        var json = JSONWriter()
        json.value(number)
        #expect(text(json) == written)
    }

    @Test func `writes durations in seconds, to the microsecond`() {
        var json = JSONWriter()
        json.value(seconds: .nanoseconds(1_234_567_890))
        #expect(text(json) == "1.234568")
    }

    @Test func `writes null for what is not there`() {
        var json = JSONWriter()
        json.array { json in
            json.value(nil as String?)
            json.value(seconds: nil)
        }
        #expect(text(json) == "[null,null]")
    }

    @Test func `takes in what is JSON already, without its line's end`() {
        var json = JSONWriter()
        json.array { json in
            json.value(json: Array("{\"a\":1}\n".utf8))
            json.value(2)
        }
        json.endLine()
        #expect(text(json) == "[{\"a\":1},2]\n")
    }

    private func text(_ json: JSONWriter) -> String { String(decoding: json.bytes, as: UTF8.self) }
}
