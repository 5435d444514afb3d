// A request to the admin address: what it asks for, and whether it may.

internal import HTTPWire
internal import Transport

/// What the admin address can be asked for.
enum AdminPage: String, CaseIterable {
    case index = "/"
    case live = "/live"
    case ready = "/ready"
    case metrics = "/metrics"
    case status = "/status"
    case pools = "/pools"
    case autoscale = "/autoscale"
    case explain = "/explain"
    case reload = "/reload"
    case drain = "/drain"
    case undrain = "/undrain"

    /// The page at a path.
    init?(path: String) {
        if AdminPage.poolToScale(in: path) != nil {
            self = .autoscale
        } else {
            self.init(rawValue: path)
        }
    }

    /// The pool in `/autoscale/POOL`.
    static func poolToScale(in path: String) -> String? {
        let start = autoscale.rawValue + "/"
        guard path.hasPrefix(start), path.utf8.count > start.utf8.count else { return nil }
        return String(path.dropFirst(start.count))
    }

    /// Whether it changes something, and so takes POST.
    var isCommand: Bool { self == .reload || self == .drain || self == .undrain }

    /// Whether whoever can connect may ask: what an orchestrator probes.
    var isOpen: Bool { self == .live || self == .ready }

    /// What it is, for the index.
    var summary: String {
        switch self {
        case .index: "this list"
        case .live: "200 as long as the gateway runs"
        case .ready: "200 until the gateway is told to stop, then 503"
        case .metrics: "Prometheus metrics"
        case .status: "everything, as JSON"
        case .pools: "every replica and why it is in its state"
        case .autoscale: "the pools' work over all gateways, as JSON; /autoscale/POOL: one of them"
        case .explain: "what happened to a request: ?id=REQUEST-ID"
        case .reload: "take the file over again"
        case .drain: "give a replica no new work: ?pool=POOL&replica=ENDPOINT"
        case .undrain: "take a drained replica back: ?pool=POOL&replica=ENDPOINT"
        }
    }
}

/// One request, in values that outlive its head.
struct AdminRequest {
    var method: Method
    var path: String
    var query: [String: String]
    /// What `Authorization: Bearer` carried.
    var token: [UInt8]?
    /// Whether a page of some web site sent it.
    var isFromWebPage: Bool

    /// Reads a head; valid only until the next suspension, like the head itself.
    init(_ head: RequestHead, of source: Span<UInt8>, _ fields: borrowing FieldTable) {
        method = head.method
        path = AdminRequest.text(source.part(head.path))
        query = [:]
        if let range = head.query {
            query = AdminRequest.parameters(of: AdminRequest.copy(source.part(range)))
        }
        isFromWebPage = false
        for index in 0..<fields.count
        where source.part(fields[index].nameRange).equalsIgnoringCase("Origin") {
            isFromWebPage = true
        }
        if let field = fields.first(.authorization) {
            token = AdminRequest.token(in: AdminRequest.copy(source.part(field.valueRange)))
        }
    }

    private static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        var copy: [UInt8] = []
        copy.replace(with: bytes)
        return copy
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: copy(bytes), as: UTF8.self)
    }

    /// The token of `Bearer TOKEN` (RFC 6750 §2.1).
    static func token(in value: [UInt8]) -> [UInt8]? {
        guard let blank = value.firstIndex(of: 0x20),
            String(decoding: value[..<blank], as: UTF8.self).lowercased() == "bearer"
        else { return nil }
        return Array(value[blank...].drop { $0 == 0x20 })
    }

    /// Splits `name=value&name=value`; of a repeated name the last counts.
    static func parameters(of query: [UInt8]) -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in query.split(separator: UInt8(ascii: "&")) {
            let parts = pair.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            parameters[decoded(parts[0])] = parts.count == 2 ? decoded(parts[1]) : ""
        }
        return parameters
    }

    /// Replaces `%41` and `+`; what is no escape stays as it is.
    private static func decoded(_ text: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(code)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the token is the wanted one; how long that takes does not tell where they differ.
    func hasToken(_ wanted: String) -> Bool {
        let (given, wanted) = (token ?? [], Array(wanted.utf8))
        var difference: UInt8 = given.count == wanted.count ? 0 : 1
        for index in wanted.indices {
            difference |= wanted[index] ^ (index < given.count ? given[index] : 0)
        }
        return difference == 0
    }
}

/// What the admin address answers.
struct AdminAnswer {
    var status: UInt16 = 200
    var contentType: StaticString = "text/plain; charset=utf-8"
    var body: [UInt8]
    /// The methods, for a 405 (RFC 9110 §15.5.6).
    var allow: StaticString?

    static func text(_ text: String, status: UInt16 = 200) -> AdminAnswer {
        AdminAnswer(status: status, body: Array(text.utf8))
    }

    static func json(
        status: UInt16 = 200,
        _ body: (inout JSONWriter) -> Void
    ) -> AdminAnswer {
        var json = JSONWriter()
        json.object(body)
        json.endLine()
        return AdminAnswer(status: status, contentType: "application/json", body: json.bytes)
    }

    /// An error as RFC 9457 has it.
    static func problem(_ status: UInt16, _ detail: String) -> AdminAnswer {
        var answer = json(status: status) { json in
            json.name("type")
            json.value("about:blank")
            json.name("status")
            json.value(Int(status))
            json.name("detail")
            json.value(detail)
        }
        answer.contentType = "application/problem+json"
        return answer
    }
}
