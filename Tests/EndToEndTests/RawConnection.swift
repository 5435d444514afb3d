// A bare TCP connection of a test, and the answers that are read off it.

import Foundation
import Glibc

/// A connection that says just what it is told to, byte by byte if need be.
final class RawConnection {
    private let descriptor: Int32
    /// What has come so far.
    private(set) var received = ""
    /// Whether the peer has ended the connection, and how.
    private(set) var end: End?

    enum End: Equatable {
        case closed
        case reset
    }

    /// Connects to an IPv4 address and port, such as `127.0.0.1:8080`.
    init(to address: String) throws {
        let parts = address.split(separator: ":")
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = in_port_t(parts.last.flatMap { UInt16($0) } ?? 0).bigEndian
        inet_pton(AF_INET, String(parts[0]), &target.sin_addr)
        let result = withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            Glibc.close(descriptor)
            throw Missing(description: "no connection to \(address)")
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Sends all of the text; lines end as they are written.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(
                    descriptor,
                    raw.baseAddress.map { $0 + done },
                    bytes.count - done,
                    Int32(MSG_NOSIGNAL)
                )
            }
            if count <= 0 { return }
            done += count
        }
    }

    /// Tells the peer that nothing more comes.
    func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends the connection with a reset.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_LINGER,
            &linger,
            socklen_t(MemoryLayout<linger>.size)
        )
        shutdown(descriptor, Int32(SHUT_RDWR))
    }

    /// Takes what has come by now.
    private func take() {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        while end == nil {
            let count = recv(descriptor, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                received += String(decoding: bytes[..<count], as: UTF8.self)
            } else if count == 0 {
                end = .closed
            } else if errno == EAGAIN {
                return
            } else if errno != EINTR {
                end = .reset
            }
        }
    }

    /// Waits until what has come contains a text.
    func wait(for text: String, within limit: Duration = .seconds(10)) async throws {
        try await eventually("\(text) in \(received)", within: limit) {
            self.take()
            return self.received.contains(text)
        }
    }

    /// Waits until the peer ends the connection; returns how.
    func waitForEnd(within limit: Duration = .seconds(10)) async throws -> End {
        try await eventually("the end of a connection", within: limit) {
            self.take()
            return self.end
        }
    }

    /// Forgets what has come.
    func forget() { received = "" }
}

/// An answer: its head taken apart, its body as text.
struct Reply {
    var status = 0
    var fields: [(name: String, value: String)] = []
    var body = ""

    /// Reads a whole answer with `Content-Length`, chunked, or ended by the close.
    init?(_ text: String, isEnded: Bool, answersHead: Bool = false) {
        guard let gap = text.range(of: "\r\n\r\n") else { return nil }
        let lines = text[..<gap.lowerBound].components(separatedBy: "\r\n")
        status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            fields.append((String(line[..<colon]).lowercased(), value))
        }
        let rest = text[gap.upperBound...]
        if status == 204 || status == 304 || status < 200 || answersHead { return }
        if let length = self["content-length"].flatMap({ Int($0) }) {
            guard rest.utf8.count >= length else { return nil }
            body = String(decoding: rest.utf8.prefix(length), as: UTF8.self)
        } else if self["transfer-encoding"] == "chunked" {
            guard let whole = Reply.unchunk(rest) else { return nil }
            body = whole
        } else {
            guard isEnded else { return nil }
            body = String(rest)
        }
    }

    subscript(_ name: String) -> String? {
        fields.first { $0.name == name.lowercased() }?.value
    }

    /// The body of a chunked answer; nil while its end is missing.
    private static func unchunk(_ text: Substring) -> String? {
        var rest = Array(text.utf8)[...]
        var body: [UInt8] = []
        while true {
            guard let lineEnd = rest.firstIndex(of: 10), lineEnd > rest.startIndex,
                let size = Int(String(decoding: rest[..<(lineEnd - 1)], as: UTF8.self), radix: 16),
                rest.endIndex - lineEnd - 1 >= size + 2
            else { return nil }
            let start = lineEnd + 1
            if size == 0 { return String(decoding: body, as: UTF8.self) }
            body += rest[start..<start + size]
            rest = rest[(start + size + 2)...]
        }
    }
}

/// One request on a connection of its own.
func ask(
    _ address: String,
    _ method: String = "GET",
    _ target: String = "/",
    fields: [String: String] = [:],
    body: String? = nil,
    within limit: Duration = .seconds(20)
) async throws -> Reply {
    let connection = try RawConnection(to: address)
    var head = "\(method) \(target) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n"
    for (name, value) in fields { head += "\(name): \(value)\r\n" }
    if let body { head += "Content-Length: \(body.utf8.count)\r\n" }
    connection.send(head + "\r\n" + (body ?? ""))
    _ = try await connection.waitForEnd(within: limit)
    guard let reply = Reply(connection.received, isEnded: true, answersHead: method == "HEAD")
    else {
        throw Missing(description: "a whole answer: \(connection.received)")
    }
    return reply
}
