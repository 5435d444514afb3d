import Testing

@testable import sluice

@Suite struct `Remote commands` {
    @Test(arguments: [
        ("sales", "sales"), ("127.0.0.1:5000", "127.0.0.1%3A5000"),
        ("[::1]:1", "%5B%3A%3A1%5D%3A1"),
        ("a b&c", "a%20b%26c"), ("é", "%C3%A9"), ("\n", "%0A"),
    ])
    func `escape what they ask for`(text: String, escapedText: String) {
        #expect(escaped(text) == escapedText)
    }

    @Test(arguments: [
        ["status"], ["status", "--json"], ["drain", "p", "r"], ["undrain", "p", "r"], ["reload"],
        ["explain", "id"], ["health"], ["top", "--once"],
    ])
    func `end with 1 when nothing listens`(words: [String]) {
        #expect(Said(words + ["--admin", "127.0.0.1:1"]).code == .wrongInput)
    }
}
