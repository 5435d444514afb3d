import Kubernetes
import Simulation
import Testing
import Transport

@testable import Gateway

/// One request to the API, whatever is answered.
@Suite struct `Calls of the API` {
    /// What a call came to.
    private enum Outcome: Equatable, Sendable {
        case body(String)
        case failed(APIFailure)
    }

    /// Asks an API that answers these bytes.
    private func outcome(
        _ answer: String,
        request: APIRequest = APIRequest(target: "/x"),
        url: String = "http://10.2.0.1:6443/base",
        token: String? = nil,
        resolver: @escaping Resolver = { _, _, done in done(.notFound) },
        _ prepare: (SimulatedAPI) -> Void = { _ in }
    ) throws -> (Outcome, SimulatedAPI) {
        let stage = try Stage()
        let api = SimulatedAPI(in: stage.world)
        api.store.instead = { _ in Array(answer.replacing("\n", with: "\r\n").utf8) }
        prepare(api)
        let address = try #require(APIAddress(url: url))
        let access = KubernetesAccess(address: address, token: { token })
        let loop = stage.loops[0]
        let outcome = try stage.onLoop { context -> Outcome in
            let parking = Parking(on: context)
            let call = APICall(
                on: context,
                loop,
                at: parking,
                resolver: resolver,
                trust: APITrust(),
                isOver: { false }
            )
            let deadline = context.now + .seconds(5)
            let before = context.buffers.inUse
            do throws(APIFailure) {
                try await call.send(request, to: access, until: deadline)
                let bytes = try await call.whole(bytesMax: 1000, until: deadline)
                #expect(context.buffers.inUse == before)
                return .body(String(decoding: bytes, as: UTF8.self))
            } catch {
                call.close()
                #expect(context.buffers.inUse == before)
                return .failed(error)
            }
        }
        return (outcome, api)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhe\n3\nllo\n0\n\n",
        "HTTP/1.1 200 OK\n\nhello", "HTTP/1.0 200 OK\n\nhello",
        "HTTP/1.1 103 Early Hints\n\nHTTP/1.1 201 Created\nContent-Length: 5\n\nhello",
    ])
    func `an answer is read however it ends`(answer: String) throws {
        #expect(try outcome(answer).0 == .body("hello"))
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\nContent-Length: 9\n\nhello",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nhello\n",
        "HTTP/1.1 200 O", "",
    ])
    func `an answer that is cut is none`(answer: String) throws {
        guard case .failed(.unreachable(let why)) = try outcome(answer).0 else {
            Issue.record("it was taken")
            return
        }
        #expect(why.contains("cut") || why.contains("closed before an answer"))
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\n", "HTTP/1.1 200 OK\nContent-Length: x\n\n",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\n",
    ])
    func `what is no HTTP is malformed`(answer: String) throws {
        guard case .failed(.malformed) = try outcome(answer).0 else {
            Issue.record("it was taken")
            return
        }
    }

    @Test func `a refusal carries the API's own words`() throws {
        let body = #"{"kind":"Status","message":"no","reason":"Forbidden","code":403}"#
        let answer = "HTTP/1.1 403 Forbidden\nContent-Length: \(body.utf8.count)\n\n\(body)"
        let status = APIStatus(message: "no", reason: "Forbidden", code: 403)
        let expected = Outcome.failed(.refused(code: 403, status, retryAfter: nil))
        #expect(try outcome(answer).0 == expected)
    }

    @Test func `a refusal by somebody in between carries theirs`() throws {
        let answer = "HTTP/1.1 503 No\nRetry-After: 7\nContent-Length: 5\n\n<html"
        let status = APIStatus(message: "<html")
        let expected = Outcome.failed(.refused(code: 503, status, retryAfter: 7))
        #expect(try outcome(answer).0 == expected)
        let moved = "HTTP/1.1 302 Found\nLocation: /login\nContent-Length: 0\n\n"
        guard case .failed(.refused(302, _, _)) = try outcome(moved).0 else {
            Issue.record("it was followed")
            return
        }
    }

    @Test func `a body that is too long is not kept`() throws {
        let long = String(repeating: "x", count: 1001)
        let answer = "HTTP/1.1 200 OK\nContent-Length: 1001\n\n\(long)"
        #expect(try outcome(answer).0 == .failed(.tooLarge))
    }

    @Test func `no answer is waited for in vain`() throws {
        #expect(try outcome("", { $0.isSilent = true }).0 == .failed(.timedOut))
    }

    @Test func `nobody there is told with the address`() throws {
        guard case .failed(.unreachable(let why)) = try outcome("", url: "http://10.2.0.9:1").0
        else {
            Issue.record("somebody is there")
            return
        }
        #expect(why.hasPrefix("10.2.0.9:1: connect: "))
    }

    @Test func `a name is looked up, and each address tried`() throws {
        let resolver: Resolver = { name, _, done in
            let addresses = [Address(bytes: [10, 2, 0, 9], port: 6443), SimulatedAPI.address]
            done(name == "api" ? .addresses(addresses) : .notFound)
        }
        let answer = "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"
        let (found, _) = try outcome(answer, url: "http://api:6443", resolver: resolver)
        #expect(found == .body("ok"))
        let (other, _) = try outcome(answer, url: "http://nowhere:6443", resolver: resolver)
        #expect(other == .failed(.unreachable("nowhere has no address")))
    }

    @Test func `a request carries token, path and body`() throws {
        var request = APIRequest(target: "/y?z=1")
        request.method = "PATCH"
        request.contentType = "application/merge-patch+json"
        request.body = Array("{}".utf8)
        let answer = "HTTP/1.1 200 OK\nContent-Length: 0\n\n"
        let (outcome, api) = try outcome(answer, request: request, token: "abc")
        #expect(outcome == .body(""))
        let seen = try #require(api.store.requests.first)
        #expect(seen.method == "PATCH")
        #expect(seen.target == "/base/y?z=1")
        #expect(seen.token == "abc")
        #expect(seen.body == "{}")
    }
}
