// What is judged when several settings are seen together. More in Golden/problems-*.txt.
import Testing

@testable import Configuration

@Suite struct `Checks` {
    @Test(arguments: ["0.0.0.0:9900", "10.0.0.1:9900", "[::]:9900"])
    func `ask for a token where others reach the admin address`(_ address: String) {
        let open = load(text(top: "admin: { address: '\(address)' }"))
        #expect(messages(open) == ["an admin address beyond this machine needs a `token`"])
        let guarded = load(text(top: "admin: { address: '\(address)', token: 'x' }"))
        #expect(messages(guarded) == [])
    }

    @Test(arguments: ["127.0.0.1:9900", "[::1]:9900", "localhost:9900", "127.0.0.1:0"])
    func `ask for no token on loopback`(_ address: String) {
        #expect(messages(load(text(top: "admin: { address: '\(address)' }"))) == [])
    }

    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1:80", true), ("0.0.0.0:80", "127.0.0.1:80", true),
        ("127.0.0.1:80", "127.0.0.1:81", false), ("10.0.0.1:80", "127.0.0.1:80", false),
        ("127.0.0.1:0", "127.0.0.1:0", false),
    ])
    func `keep admin and listeners apart`(_ listener: String, _ admin: String, _ collide: Bool) {
        let loaded = load(
            """
            {
              listeners: [{ address: "\(listener)" }], admin: { address: "\(admin)" },
              pools: { a: { replicas: [] } }, routes: [{ pool: "a" }],
            }
            """
        )
        #expect((loaded.configuration == nil) == collide)
    }

    @Test func `allow port 0 several times`() {
        let twice = "[{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0' }]"
        let whole =
            "{ listeners: \(twice), pools: { a: { replicas: [] } }, routes: [{ pool: 'a' }] }"
        #expect(messages(load(whole)) == [])
    }

    @Test(arguments: [
        "methods: ['GET']", "host: 'a.com'", "headers: { A: '1' }", "path: '/x'",
        "path: { exact: '/' }", "path: '/*'",
    ])
    func `tell routes apart by each condition`(_ condition: String) {
        let whole = """
            {
              listeners: [{ address: "127.0.0.1:0" }], pools: { a: { replicas: [] } },
              routes: [{ pool: "a" }, { pool: "a", \(condition) }],
            }
            """
        #expect(messages(load(whole)) == [])
    }

    @Test func `find routes that match the same in another order of words`() {
        let whole = """
            {
              listeners: [{ address: "127.0.0.1:0" }], pools: { a: { replicas: [] } },
              routes: [
                { pool: "a", methods: ["GET", "PUT"], headers: { A: "1", B: true }, host: "X.com" },
                { pool: "a", methods: ["PUT", "GET"], headers: { b: true, a: "1" }, host: "x.com" },
              ],
            }
            """
        #expect(messages(load(whole)) == ["this route matches the same requests as routes[0]"])
    }
}
