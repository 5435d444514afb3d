import Testing

@testable import Kubernetes

@Suite struct `Label selectors` {
    @Test(arguments: [
        ("", true), ("pool=a", true), ("pool==a", true), ("pool = a", true), ("pool=b", false),
        ("pool!=b", true), ("pool!=a", false), ("other!=a", true), ("pool", true),
        ("other", false), ("!other", true), ("!pool", false), ("! other", true),
        ("pool in (a,b)", true), ("pool in ( b , a )", true), ("pool in (b)", false),
        ("pool notin (b)", true), ("pool notin (a)", false), ("other notin (a)", true),
        ("other in (a)", false), ("pool=a,zone=z", true), ("pool=a, zone=y", false),
        ("app.kubernetes.io/name=x", false), ("pool=", false), ("pool in (a),zone", true),
    ])
    func `choose what they say`(text: String, matches: Bool) throws {
        let selector = try #require(LabelSelector(text))
        #expect(selector.matches(["pool": "a", "zone": "z"]) == matches)
    }

    @Test(arguments: [
        "=a", "pool in", "pool in a", "pool in (a", "pool=a,", "pool=a,,b", ",", "pool ~ a", "!",
        "pool in (a b)", "pool=a b", "pool of (a)", "pool;", "(a)",
    ])
    func `are refused when in doubt`(text: String) {
        #expect(LabelSelector(text) == nil)
    }

    @Test func `have a bound`() {
        let many = (0..<40).map { "a\($0)=b" }.joined(separator: ",")
        #expect(LabelSelector(many) == nil)
        #expect(LabelSelector(String(repeating: "a", count: 5000)) == nil)
    }
}
