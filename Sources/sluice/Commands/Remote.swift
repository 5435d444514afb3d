// The commands that talk to a running gateway.

internal import FoundationEssentials

private let jsonOption = CommandOption(name: "json", summary: "as JSON, for programs")

/// All of them, in the order of the help.
let remoteCommands: [Command] = [
    Command(
        name: "status",
        summary: "shows every replica and why it is in its state",
        options: [jsonOption, adminOption, tokenOption]
    ) { arguments throws(UsageError) in
        answer { () throws(AdminError) in
            let target = arguments.has("json") ? "/status" : "/pools"
            say(try AdminClient(arguments).ask("GET", target).text, raw: true)
        }
    },
    topCommand,
    Command(
        name: "drain",
        summary: "gives a replica no new work",
        operands: ["POOL", "REPLICA"],
        options: [adminOption, tokenOption],
        details: "What is in flight finishes. The replica stays drained until `sluice undrain`."
    ) { arguments throws(UsageError) in setDraining("drain", arguments) },
    Command(
        name: "undrain",
        summary: "takes a drained replica back",
        operands: ["POOL", "REPLICA"],
        options: [adminOption, tokenOption]
    ) { arguments throws(UsageError) in setDraining("undrain", arguments) },
    Command(
        name: "reload",
        summary: "has the file taken over again",
        options: [adminOption, tokenOption],
        details: "Says what changes, or what is wrong with the file; then nothing changes."
    ) { arguments throws(UsageError) in
        answer { () throws(AdminError) in
            var client = AdminClient(arguments)
            client.timeout = .seconds(70)
            say(try reloadText(of: client.ask("POST", "/reload").body))
        }
    },
    Command(
        name: "explain",
        summary: "tells what happened to a request",
        operands: ["REQUEST-ID"],
        options: [jsonOption, adminOption, tokenOption],
        details: "The id is in the answer's X-Request-ID. About 1,000 requests are remembered."
    ) { arguments throws(UsageError) in
        answer { () throws(AdminError) in
            let target = "/explain?id=" + escaped(arguments.operands[0])
            let told = try AdminClient(arguments).ask("GET", target)
            say(arguments.has("json") ? told.text : try explanationText(of: told.body), raw: true)
        }
    },
    Command(
        name: "health",
        summary: "exits 0 when the gateway is ready, for a container's health check",
        options: [adminOption]
    ) { arguments throws(UsageError) in
        answer { () throws(AdminError) in
            let told = try AdminClient(arguments).send("GET", "/ready")
            let text = told.text.withoutBlanksAround
            guard told.status == 200 else { throw AdminError(text: "not ready: \(text)") }
            say(text)
        }
    },
]

/// Runs what may fail, and says why it did.
private func answer(_ body: () throws(AdminError) -> Void) -> ExitCode {
    do throws(AdminError) {
        try body()
        return .fine
    } catch {
        complain(error.text)
        return .wrongInput
    }
}

/// Writes a text as the value of a query parameter.
func escaped(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            result.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            let digits = String(byte, radix: 16, uppercase: true)
            result += "%" + (digits.count == 1 ? "0" : "") + digits
        }
    }
    return result
}

/// Reads an answer's JSON.
func decode<Value: Decodable>(
    _ type: Value.Type,
    _ body: [UInt8]
) throws(AdminError) -> Value {
    do {
        return try JSONDecoder().decode(type, from: Data(body))
    } catch {
        throw AdminError(text: "the answer cannot be understood: is that sluice another version?")
    }
}

private func setDraining(_ command: String, _ arguments: Arguments) -> ExitCode {
    struct Drained: Decodable {
        let state: String
        let inFlight: Int
    }
    let (pool, replica) = (arguments.operands[0], arguments.operands[1])
    return answer { () throws(AdminError) in
        let target = "/\(command)?pool=\(escaped(pool))&replica=\(escaped(replica))"
        let body = try AdminClient(arguments).ask("POST", target).body
        let drained = try decode(Drained.self, body)
        say("\(pool): \(replica) is \(drained.state), \(drained.inFlight) in flight")
    }
}

private func reloadText(of body: [UInt8]) throws(AdminError) -> String {
    struct Reloaded: Decodable { let changes: [String] }
    let changes = try decode(Reloaded.self, body).changes
    return changes.isEmpty ? "nothing has changed" : changes.joined(separator: "\n")
}

private func explanationText(of body: [UInt8]) throws(AdminError) -> String {
    struct Explained: Decodable { let explanation: [String] }
    return try decode(Explained.self, body).explanation.map { "\($0)\n" }.joined()
}
