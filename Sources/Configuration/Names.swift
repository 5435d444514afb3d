// How names and addresses are written: pools, hosts, fields, methods, listeners, replicas.

extension Format<Address> {
    /// The address of a replica: an IP address or a host name, and a port.
    static var replica: Format {
        let expected = "an address such as \"10.0.0.1:5000\""
        return Format(
            expected: expected,
            parse: { item in
                guard let text = item.text(expected: expected) else { return nil }
                do throws(AddressError) {
                    let address = try parseAddress(text)
                    if address.port > 0 { return address }
                    item.problem("the port of a replica is 1 to 65535, found \(quote(text))")
                } catch {
                    item.problem(
                        "expected \(expected), found \(quote(text))",
                        hint: error.hint(text, host: "10.0.0.1")
                    )
                }
                return nil
            },
            print: { .string($0.description) }
        )
    }

    /// An address to listen on: an IP address of this machine, or `localhost`, and a port.
    static var listener: Format {
        let expected = "an address such as \"0.0.0.0:8080\""
        return Format(
            expected: expected,
            parse: { item in
                guard let text = item.text(expected: expected) else { return nil }
                do throws(AddressError) {
                    var address = try parseAddress(text)
                    if address.host == "localhost" { address.host = "127.0.0.1" }
                    if parseIP(address.host) != nil { return address }
                    item.problem(
                        "expected an IP address of this machine, found the name "
                            + quote(address.host),
                        hint: "\"0.0.0.0:\(address.port)\" is every IPv4 address"
                    )
                } catch {
                    item.problem(
                        "expected \(expected), found \(quote(text))",
                        hint: error.hint(text, host: "0.0.0.0")
                    )
                }
                return nil
            },
            print: { .string($0.description) }
        )
    }
}

extension Format<AddressRange> {
    /// IP addresses with a common beginning.
    static var range: Format {
        let expected = "an IP address or a range such as \"10.0.0.0/8\""
        return Format(
            expected: expected,
            parse: { item in
                guard let text = item.text(expected: expected) else { return nil }
                if let range = AddressRange(parsing: text) { return range }
                item.problem("expected \(expected), found \(quote(text))")
                return nil
            },
            print: { .string($0.description) }
        )
    }
}

extension Format<String> {
    /// The name of a host, lower case.
    static var hostName: Format {
        text("a host name such as \"model.internal\"", max: 253) { text in
            let name = text.lowercased()
            return isHostName(name) ? name : nil
        }
    }

    /// The name of a route: visible ASCII.
    static var routeName: Format {
        text("a name of visible ASCII characters", max: 128) { text in
            text.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? text : nil
        }
    }

    /// A request method, which is case-sensitive (RFC 9110 §9.1).
    static var method: Format {
        text("a method such as \"POST\"", max: 32, hint: "methods are upper case") { text in
            isToken(text) && text == text.uppercased() ? text : nil
        }
    }

    /// The name of a field, as it is written (RFC 9110 §5.1).
    static var fieldName: Format {
        text("the name of a field such as \"X-Model\"", max: 128) { isToken($0) ? $0 : nil }
    }

    /// A protocol to switch to, lower case (RFC 9110 §7.8).
    static var protocolName: Format {
        text("a protocol such as \"websocket\"", max: 64) { text in
            let name = text.lowercased()
            return isToken(name) ? name : nil
        }
    }

    /// A path that begins with `/`: what may stand in a request target before `?`.
    static var path: Format {
        text("a path such as \"/predict\"", max: 2048, hint: pathHint) { text in
            isPath(text) ? text : nil
        }
    }
}

/// What is said about a path that is none.
let pathHint = "it begins with `/` and has no spaces, `?` or `#`; write others as %20"

/// Whether a text is a path as it stands in a request target (RFC 9112 §3.2.1).
func isPath(_ text: String) -> Bool {
    text.hasPrefix("/")
        && text.utf8.allSatisfy {
            (0x21...0x7e).contains($0) && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#")
        }
}

/// Whether a text is a token (RFC 9110 §5.6.2).
func isToken(_ text: String) -> Bool {
    let marks = Array("!#$%&'*+-.^_`|~".utf8)
    return !text.isEmpty && text.utf8.allSatisfy { isAlphanumeric($0) || marks.contains($0) }
}

/// Whether a text names a pool: it must do as a label, in a URL and on a command line.
func isPoolName(_ text: String) -> Bool {
    let marks = Array("._-".utf8)
    guard (1...64).contains(text.utf8.count), let first = text.utf8.first else { return false }
    return isAlphanumeric(first)
        && text.utf8.allSatisfy { isAlphanumeric($0) || marks.contains($0) }
}

/// Whether a lower-case text is a host name; one that ends in a number is an address, or none.
func isHostName(_ text: String) -> Bool {
    let name = text.hasSuffix(".") ? text.dropLast() : Substring(text)
    let labels = name.split(separator: ".", omittingEmptySubsequences: false)
    guard text.utf8.count <= 253, let last = labels.last else { return false }
    let right = labels.allSatisfy { label in
        (1...63).contains(label.utf8.count) && !label.hasPrefix("-") && !label.hasSuffix("-")
            && label.utf8.allSatisfy {
                isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }
    return right && parseDecimal(last, max: .max) == nil
}

private func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
    default:
        false
    }
}

/// Why an address cannot be read.
enum AddressError: Error, Equatable {
    case scheme, noPort, badPort, noHost, badHost, noBrackets

    /// What to write instead.
    func hint(_ text: String, host: String) -> String? {
        switch self {
        case .scheme: "host and port only, without the scheme and the path"
        case .noPort:
            parseDecimal(text, max: 65535) == nil
                ? "a port is missing: \"\(text):8080\"" : "a host is missing: \"\(host):\(text)\""
        case .badPort: "a port is a number, 0 to 65535"
        case .noHost: "a host is missing: \"\(host)\(text)\""
        case .badHost: nil
        case .noBrackets: "an IPv6 address stands in brackets: \"[::1]:8080\""
        }
    }
}

/// Reads `host:port` or `[IPv6]:port`.
func parseAddress(_ text: String) throws(AddressError) -> Address {
    if text.contains("/") { throw .scheme }
    guard let colon = text.lastIndex(of: ":") else { throw .noPort }
    let host = text[..<colon]
    let port = text[text.index(after: colon)...]
    if host.hasPrefix("[") {
        if text.hasSuffix("]") { throw .noPort }
        guard host.hasSuffix("]"), host.contains(":"),
            let bytes = parseIP(String(host.dropFirst().dropLast()))
        else { throw .badHost }
        guard let number = parseDecimal(port, max: 65535) else { throw .badPort }
        let plain = AddressRange(bytes: bytes, prefixLength: 128).description
        return Address(host: plain, port: number)
    }
    if host.contains(":") { throw .noBrackets }
    if host.isEmpty { throw .noHost }
    guard let number = parseDecimal(port, max: 65535) else { throw .badPort }
    let name = host.lowercased()
    guard parseIP(name) != nil || isHostName(name) else { throw .badHost }
    return Address(host: name, port: number)
}
