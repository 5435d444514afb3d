// The effective configuration: its JSON is the configuration, its listing hides secrets.
import Testing

@testable import Configuration

@Suite struct `Effective configuration` {
    @Test(arguments: GoldenCase.all("json") + GoldenCase.all("values") + GoldenCase.all("all"))
    func `as JSON gives the same configuration`(_ golden: GoldenCase) throws {
        let first = golden.load()
        let again = load(first.effective.json(), environment: GoldenCase.environment)
        #expect(try again.checked() == first.checked())
    }

    @Test(arguments: GoldenCase.all("plan"))
    func `as JSON gives the same pools and routes`(_ golden: GoldenCase) throws {
        for part in 0...1 {
            let first = golden.load(part)
            let again = load(first.effective.json())
            #expect(try Plan(from: first.checked(), to: again.checked()).isEmpty)
            #expect(try again.checked() == first.checked())
        }
    }

    @Test(arguments: ["${ADMIN_TOKEN}", "literal"])
    func `never lists a token`(_ token: String) {
        let loaded = load(
            text(top: "admin: { token: \"\(token)\" }"),
            environment: ["ADMIN_TOKEN": "s3cret"]
        )
        let line = loaded.effective.listing().split(separator: "\n")
            .first { $0.hasPrefix("admin.token") }
        #expect(line?.contains(token == "literal" ? "(hidden)" : "\"${ADMIN_TOKEN}\"") == true)
        #expect(!loaded.effective.listing().contains("s3cret"))
        #expect(!loaded.effective.json().contains("s3cret"))
    }

    @Test func `shows variables of processes as they are written`() {
        let pool = "processes: { command: [\"x\", \"${KEY}\"], env: { K: \"${KEY}\" } }"
        let loaded = load(text(pool: pool), environment: ["KEY": "s3cret"])
        #expect(loaded.configuration != nil)
        #expect(!loaded.effective.listing().contains("s3cret"))
        #expect(loaded.effective.listing().contains("{\"K\": \"${KEY}\"}"))
    }

    @Test func `says where a value inherited from defaults stands`() throws {
        let loaded = load(text(top: "defaults: { stall: \"off\" }"))
        let stall = try #require(
            loaded.effective.settings.first { $0.name == "pools.sales.stall" }
        )
        #expect(stall.origin == .file(Position(line: 5, column: 22)))
    }

    @Test func `keeps what looks like a variable`() throws {
        let pool = "processes: { command: [\"echo\", \"$${HOME}\", \"$PORT\"] }"
        let first = try load(text(pool: pool)).checked()
        guard case .processes(let processes) = first.pools[0].source else {
            Issue.record("no processes")
            return
        }
        #expect(processes.command == ["echo", "${HOME}", "$PORT"])
    }
}
