import Certificates
import Foundation
import Kubernetes
import Simulation
import Testing
import Transport

@testable import Gateway

@Suite struct `Trust in the API` {
    private static let authority = Result { try TestAuthority() }
    private static let other = Result { try TestAuthority("Another Authority") }

    private func bytes(of path: String) throws -> [UInt8] {
        try Array(Data(contentsOf: URL(fileURLWithPath: path)))
    }

    @Test func `settings are made once for each set of authorities`() throws {
        let trust = APITrust()
        let one = try bytes(of: Self.authority.get().certificate)
        let two = try bytes(of: Self.other.get().certificate)
        let first = try trust.client(one)
        #expect(try trust.client(one) === first)
        #expect(try trust.client(two) !== first)
        #expect(try trust.client(nil) !== first)
    }

    @Test func `what are no authorities is told`() {
        let error = #expect(throws: TLSError.self) { _ = try APITrust().client([1, 2, 3]) }
        #expect(error?.kind == .unusable)
    }

    /// Answers one request over TLS; returns what a call came to.
    private func call(
        names: [String] = ["IP:10.0.0.1"],
        authorities: TestAuthority
    ) throws -> Result<String, APIFailure> {
        let pair = try Self.authority.get().sign("api-\(UUID().uuidString)", names: names)
        let certificate = try TLSCertificate(
            certificate: .file(pair.certificate),
            key: .file(pair.key)
        )
        let server = try TLSServer([certificate], tickets: TLSTickets())
        let stage = try Stage()
        let address = Address(bytes: Stage.listener.bytes, port: 6443)
        stage.loops[0].spawn { context in await serveOnce(at: address, server, context) }
        let pem = try bytes(of: authorities.certificate)
        let url = try #require(APIAddress(url: "https://10.0.0.1:6443"))
        let access = KubernetesAccess(address: url, authorities: { pem })
        let loop = stage.loops[0]
        return try stage.onLoop { context -> Result<String, APIFailure> in
            let call = APICall(
                on: context,
                loop,
                at: Parking(on: context),
                resolver: { _, _, done in done(.notFound) },
                trust: APITrust(),
                isOver: { false }
            )
            let deadline = context.now + .seconds(5)
            do throws(APIFailure) {
                try await call.send(APIRequest(target: "/x"), to: access, until: deadline)
                let body = try await call.whole(bytesMax: 100, until: deadline)
                return .success(String(decoding: body, as: UTF8.self))
            } catch {
                return .failure(error)
            }
        }
    }

    @Test func `a server that proves to be the API is talked to`() throws {
        #expect(try call(authorities: Self.authority.get()).get() == "hello")
    }

    @Test func `somebody else's signature is not believed`() throws {
        guard case .failure(.unreachable(let why)) = try call(authorities: Self.other.get()) else {
            Issue.record("it was believed")
            return
        }
        #expect(why.hasPrefix("TLS with 10.0.0.1: "))
    }

    @Test func `a certificate for another address is not believed`() throws {
        let outcome = try call(names: ["IP:10.0.0.2"], authorities: Self.authority.get())
        guard case .failure(.unreachable) = outcome else {
            Issue.record("it was believed")
            return
        }
    }
}

/// Takes one connection, shakes hands, and answers one request.
private func serveOnce(at address: Address, _ server: TLSServer, _ context: LoopContext) async {
    do {
        let parking = Parking(on: context)
        let listener = try Socket.listening(at: address, backlog: 1, on: context)
        defer { listener.close() }
        listener.owner = parking
        var peer: Address?
        var accepted = try listener.accept(peer: &peer)
        while accepted == nil {
            await parking.park(until: nil)
            accepted = try listener.accept(peer: &peer)
        }
        guard let accepted, let buffer = context.buffers.take() else { return }
        defer { context.buffers.giveBack(buffer) }
        let socket = try Socket(accepted, on: context)
        defer { socket.close() }
        socket.owner = parking
        try socket.startTLS(as: server)
        while try !socket.handshake() { await parking.park(until: nil) }
        while try socket.receive(into: buffer) == .wouldBlock { await parking.park(until: nil) }
        buffer.clear()
        _ = buffer.append(Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".utf8).span)
        buffer.consume(try socket.send(buffer, from: buffer.start, to: buffer.end))
    } catch {
        // The call tells what became of it.
    }
}
