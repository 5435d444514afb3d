// Those who speak TLS with a gateway of a simulated world: clients and replicas on its own loop.

import Certificates
import Foundation
import Simulation
import Testing
import Transport

@testable import Gateway

/// The authority of this module's tests, and what it has signed.
enum Signed {
    static let authority = Result { try TestAuthority() }
    static let gateway = Result { try authority.get().sign("gateway", names: ["gw.example"]) }
    static let replica = Result {
        try authority.get().sign("replica", names: ["model.example", "IP:10.1.0.1"])
    }
    static let caller = Result {
        try authority.get().sign("caller", names: ["x"], subject: "/O=Callers/CN=alice")
    }

    static func certificate(_ pair: TestAuthority.Pair) throws -> TLSCertificate {
        try TLSCertificate(certificate: .file(pair.certificate), key: .file(pair.key))
    }

    /// `certificate` and `key` as a file has them.
    static func files(_ pair: TestAuthority.Pair) -> String {
        "certificate: \"\(pair.certificate)\", key: \"\(pair.key)\""
    }

    /// A listener's settings.
    static func listener(_ more: String = "") throws -> String {
        "tls: { \(files(try gateway.get())), \(more) }"
    }

    /// A pool's settings.
    static func pool(_ more: String = "") throws -> String {
        "tls: { ca: \"\(try authority.get().certificate)\", \(more) },"
    }

    static func client(_ own: TestAuthority.Pair? = nil) throws -> TLSClient {
        try TLSClient(
            authorities: .only(.file(authority.get().certificate)),
            certificate: own.map { try certificate($0) }
        )
    }
}

/// A client's connection in TLS.
final class TLSTestClient {
    let socket: Socket
    let context: LoopContext
    let parking: Parking

    /// Connects to the stage's listener.
    init(on context: LoopContext, to address: Transport.Address = Stage.listener) async throws {
        self.context = context
        parking = Parking(on: context)
        socket = try Socket.connecting(to: address, on: context)
        socket.owner = parking
        while try !socket.finishConnecting() { await parking.park(until: nil) }
    }

    func shakeHands(_ client: TLSClient, to name: String = "gw.example") async throws {
        try socket.startTLS(with: client, to: name)
        while try !socket.handshake() { await parking.park(until: nil) }
    }

    func send(_ text: String) async throws {
        try await send(text.wire.bytes)
    }

    func send(_ bytes: [UInt8]) async throws {
        let buffer = ByteBuffer.outsidePools()
        precondition(buffer.append(bytes.span))
        while !buffer.isEmpty {
            buffer.consume(try socket.send(buffer, from: buffer.start, to: buffer.end))
            if !buffer.isEmpty { await parking.park(until: nil) }
        }
    }

    /// Everything up to the end of the stream, or until it holds `end`; nil for a stream cut off.
    func receive(until end: String? = nil) async throws -> String? {
        let buffer = ByteBuffer.outsidePools()
        var all: [UInt8] = []
        while true {
            if let end, String(decoding: all, as: UTF8.self).contains(end) { break }
            buffer.clear()
            do throws(SystemError) {
                let received = try socket.receive(into: buffer)
                if received == .end { break }
                if received == .wouldBlock {
                    await parking.park(until: nil)
                    continue
                }
            } catch {
                return nil
            }
            var piece: [UInt8] = []
            piece.replace(with: buffer.bytes)
            all += piece
        }
        return String(decoding: all, as: UTF8.self)
    }
}

extension Stage {
    /// Asks once over TLS, on a connection that ends with the answer.
    func askSecurely(
        _ request: String,
        as client: TLSClient
    ) throws -> String? {
        try onLoop { context in
            let connection = try await TLSTestClient(on: context)
            defer { connection.socket.close() }
            try await connection.shakeHands(client)
            try await connection.send(request)
            return try await connection.receive()
        }
    }

    /// A replica that answers each connection's first request in TLS, and then closes as told.
    func secureReplica(
        _ server: TLSServer,
        answer: String,
        saysGoodbye: Bool = true
    ) {
        loops[0].spawn { context in
            let address = Stage.replica(0)
            let parking = Parking(on: context)
            // The test fails by what it gets instead.
            guard let listener = try? Socket.listening(at: address, backlog: 8, on: context) else {
                return
            }
            listener.owner = parking
            var peer: Transport.Address?
            while true {
                guard let descriptor = try? listener.accept(peer: &peer) else {
                    await parking.park(until: nil)
                    continue
                }
                Self.attend(descriptor, server, answer, saysGoodbye, context)
            }
        }
    }

    private static func attend(
        _ descriptor: Int32,
        _ server: TLSServer,
        _ answer: String,
        _ saysGoodbye: Bool,
        _ context: LoopContext
    ) {
        let attendance = Attendance(server, answer, saysGoodbye)
        Lane.of(context).loop.spawn { context in
            // A connection that fails is one that the gateway gave up.
            try? await attendance.run(descriptor, context)
        }
    }

    private struct Attendance: Sendable {
        let server: TLSServer
        let answer: String
        let saysGoodbye: Bool

        init(_ server: TLSServer, _ answer: String, _ saysGoodbye: Bool) {
            self.server = server
            self.answer = answer
            self.saysGoodbye = saysGoodbye
        }

        func run(_ descriptor: Int32, _ context: LoopContext) async throws {
            let parking = Parking(on: context)
            let socket = try Socket(descriptor, on: context)
            socket.owner = parking
            try socket.startTLS(as: server)
            while try !socket.handshake() { await parking.park(until: nil) }
            let buffer = ByteBuffer.outsidePools()
            while true {
                let received = try socket.receive(into: buffer)
                if received == .end { return socket.close() }
                var bytes: [UInt8] = []
                bytes.replace(with: buffer.bytes)
                if String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") { break }
                if received == .wouldBlock { await parking.park(until: nil) }
            }
            buffer.clear()
            let bytes = answer.wire.bytes
            precondition(buffer.append(bytes.span))
            while !buffer.isEmpty {
                buffer.consume(try socket.send(buffer, from: buffer.start, to: buffer.end))
                if !buffer.isEmpty { await parking.park(until: nil) }
            }
            if !saysGoodbye { socket.abandonTLS() }
            socket.close()
        }
    }
}
