// Asks a running gateway's admin address: one request, one answer, one connection.

internal import Dispatch
internal import FoundationEssentials
internal import Glibc
internal import Synchronization
internal import Transport

/// Where the admin address is unless something else is said.
let standardAdminAddress = "127.0.0.1:9900"

let adminOption = CommandOption(
    name: "admin",
    value: "HOST:PORT",
    summary: "the gateway's admin address",
    standard: standardAdminAddress
)
let tokenOption = CommandOption(
    name: "token",
    value: "TOKEN",
    summary: "the admin's token",
    standard: "the variable SLUICE_ADMIN_TOKEN"
)

/// The token that was given, or that the environment holds.
func adminToken(_ arguments: Arguments) -> String? {
    let token =
        arguments.options["token"] ?? ProcessInfo.processInfo.environment["SLUICE_ADMIN_TOKEN"]
    return token?.isEmpty == true ? nil : token
}

/// Splits `HOST:PORT`.
func splitAddress(_ text: String) -> (host: String, port: Int)? {
    Address.split(text).map { ($0.host, Int($0.port)) }
}

extension StringProtocol where SubSequence == Substring {
    /// Without blanks and line ends at its beginning and its end.
    var withoutBlanksAround: String {
        var rest = drop { $0.isWhitespace }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}

/// Why a gateway could not be asked, or what it said against it.
struct AdminError: Error, Equatable {
    let text: String
}

/// What the admin address answered.
struct AdminAnswer: Equatable {
    let status: Int
    let body: [UInt8]

    /// Takes a whole answer apart.
    ///
    /// - Throws: when it is cut or no HTTP/1.1 answer.
    init(parsing bytes: [UInt8]) throws(AdminError) {
        let separator = Array("\r\n\r\n".utf8)
        guard let end = bytes.firstRange(of: separator) else {
            throw AdminError(text: "what answers there is no sluice")
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .split(separator: "\r\n", omittingEmptySubsequences: false)
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw AdminError(text: "what answers there is no sluice")
        }
        self.status = status
        body = Array(bytes[end.upperBound...])
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == "content-length",
                let length = Int(parts[1].withoutBlanksAround),
                length != body.count
            {
                throw AdminError(text: "the answer is cut short")
            }
        }
    }

    /// The body as text.
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The `detail` of a problem, or the body as it is.
    var problem: String {
        struct Problem: Decodable { let detail: String }
        // Not JSON: then what was said is said as it is.
        let problem = try? JSONDecoder().decode(Problem.self, from: Data(body))
        return problem?.detail
            ?? "status \(status): \(text.withoutBlanksAround)"
    }
}

/// Asks one gateway.
struct AdminClient: Sendable {
    let address: String
    let token: String?
    /// For a whole question and its answer.
    var timeout = Duration.seconds(5)
    private static let answerBytesMax = 256 << 20

    /// Asks whom the options name.
    init(_ arguments: Arguments) {
        address = arguments.options["admin"] ?? standardAdminAddress
        token = adminToken(arguments)
    }

    /// Asks whoever listens at `address`.
    init(address: String, token: String?) {
        self.address = address
        self.token = token
    }

    /// Asks, and throws unless the answer is 2xx.
    func ask(_ method: String, _ target: String) throws(AdminError) -> AdminAnswer {
        let answer = try send(method, target)
        if answer.status == 401 {
            throw AdminError(
                text: "\(address) wants the admin's token: --token or SLUICE_ADMIN_TOKEN"
            )
        }
        guard (200..<300).contains(answer.status) else { throw AdminError(text: answer.problem) }
        return answer
    }

    /// Asks; any status is an answer.
    func send(_ method: String, _ target: String) throws(AdminError) -> AdminAnswer {
        guard token?.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) != false else {
            throw AdminError(text: "a token has no blanks and no line ends")
        }
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if method == "POST" { head += "Content-Length: 0\r\n" }
        let bytes = try exchange(Array((head + "\r\n").utf8))
        return try AdminAnswer(parsing: bytes)
    }

    /// Sends a request to the first of the gateway's addresses that takes it.
    private func exchange(_ request: [UInt8]) throws(AdminError) -> [UInt8] {
        var last = SystemError(code: ECONNREFUSED, call: "connect")
        let deadline = Instant.now + timeout
        for endpoint in try endpoints() {
            do throws(SystemError) {
                let connection = try BlockingConnection.open(to: endpoint, until: deadline)
                try connection.send(request)
                var bytes: [UInt8] = []
                while bytes.count < AdminClient.answerBytesMax,
                    try connection.receive(into: &bytes)
                {}
                return bytes
            } catch {
                last = error
                // A name may have several addresses; only one of them is listened at.
                if error.code != ECONNREFUSED { break }
            }
        }
        throw AdminError(text: describe(last))
    }

    private func describe(_ error: SystemError) -> String {
        switch error.code {
        case ECONNREFUSED:
            "nothing listens at \(address): is sluice running, and is this its admin address "
                + "(--admin)?"
        case ETIMEDOUT: "no answer from \(address) in time"
        default: "\(address): \(SystemError.text(for: error.code))"
        }
    }

    private func endpoints() throws(AdminError) -> [Address] {
        guard let (host, port) = Address.split(address), !host.isEmpty else {
            throw AdminError(
                text: "expected an address such as \(standardAdminAddress), found \(address)"
            )
        }
        let lookup = Lookup()
        systemResolver(host, port) { lookup.put($0) }
        switch lookup.wait() {
        case .addresses(let addresses): return addresses
        case .notFound: throw AdminError(text: "there is no host \(host)")
        case .failed(let why): throw AdminError(text: "\(host): \(why)")
        }
    }
}

/// Waits for a resolver's answer.
private final class Lookup: Sendable {
    private let answer = Mutex(Resolution.failed("no answer"))
    private let isAnswered = DispatchSemaphore(value: 0)

    func put(_ resolution: Resolution) {
        answer.withLock { $0 = resolution }
        isAnswered.signal()
    }

    func wait() -> Resolution {
        isAnswered.wait()
        return answer.withLock { $0 }
    }
}
