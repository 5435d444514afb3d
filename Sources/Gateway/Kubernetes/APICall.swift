// One request to the API of Kubernetes and its answer, on a connection of its own.

internal import HTTPWire
internal import Kubernetes
internal import Synchronization
internal import Transport

/// What is asked of the API.
struct APIRequest: Sendable {
    var method = "GET"
    /// Path and query, without the address's prefix.
    var target: String
    var accept = "application/json"
    var contentType = "application/json"
    var body: [UInt8]?
}

/// A request on its way, and its answer piece by piece.
///
/// Confined to its loop. While it waits it holds no slab: a watch waits most of its life.
final class APICall {
    private let context: LoopContext
    private let loop: Loop
    private let parking: Parking
    private let resolver: Resolver
    private let trust: APITrust
    private let isOver: () -> Bool
    private var socket: Socket?
    private var buffer: ByteBuffer?
    private var body = BodyTransfer(.none, sendsChunked: false, limits: Limits())

    /// Waits in `parking`; whoever ends the call early, so that `isOver` says so, wakes it there.
    init(
        on context: LoopContext,
        _ loop: Loop,
        at parking: Parking,
        resolver: @escaping Resolver,
        trust: APITrust,
        isOver: @escaping () -> Bool
    ) {
        self.context = context
        self.loop = loop
        self.parking = parking
        self.resolver = resolver
        self.trust = trust
        self.isOver = isOver
    }

    deinit { close() }

    /// Ends the connection and gives the memory back; harmless when repeated.
    func close() {
        socket?.close()
        socket = nil
        releaseBuffer()
    }

    /// Sends a request and waits for a good answer's head.
    ///
    /// - Throws: `refused` with the API's own words for a status of 300 and more.
    func send(
        _ request: APIRequest,
        to access: KubernetesAccess,
        until deadline: Instant
    ) async throws(APIFailure) {
        close()
        try await connect(to: access.address, until: deadline)
        if access.address.isSecure { try await secure(access, until: deadline) }
        try await sendBytes(bytes(of: request, access), until: deadline)
        let (status, retryAfter) = try await receiveHead(until: deadline)
        guard status >= 300 else { return }
        // A refusal is short; what is beyond is not read.
        var text = [UInt8]()
        while text.count < 64 * 1024, let piece = try await next(until: deadline) { text += piece }
        close()
        // `try?`: a proxy in between may answer in words of its own.
        let said =
            (try? decode(APIStatus.self, from: text))
            ?? APIStatus(message: String(decoding: text.prefix(200), as: UTF8.self))
        throw .refused(code: status, said, retryAfter: retryAfter)
    }

    /// The next piece of the answer's body, never empty; nil at its end.
    ///
    /// - Throws: `timedOut` at the deadline, `unreachable` when the body was cut.
    func next(until deadline: Instant) async throws(APIFailure) -> [UInt8]? {
        while true {
            if let buffer, !buffer.isEmpty {
                let piece = try takePiece(from: buffer)
                if !piece.isEmpty { return piece }
            }
            if body.isComplete { return nil }
            if try await receive(until: deadline) { continue }
            try endBody()
        }
    }

    /// The whole body, at most so many bytes.
    func whole(bytesMax: Int, until deadline: Instant) async throws(APIFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await next(until: deadline) {
            guard bytes.count + piece.count <= bytesMax else { throw .tooLarge }
            bytes += piece
        }
        close()
        return bytes
    }

    // MARK: connecting

    private func connect(
        to address: APIAddress,
        until deadline: Instant
    ) async throws(APIFailure) {
        var why = "\(address.host) has no address"
        for candidate in try await resolve(address, until: deadline) {
            do throws(SystemError) {
                let socket = try Socket.connecting(to: candidate, on: context)
                socket.owner = parking
                while try !socket.finishConnecting() {
                    if isOver() { throw SystemError(code: 0, call: "connect") }
                    await parking.park(until: deadline)
                    if context.now >= deadline && !socket.isWritable { break }
                }
                guard socket.isWritable else {
                    socket.close()
                    throw SystemError.timedOut
                }
                self.socket = socket
                return
            } catch {
                if isOver() { throw .abandoned }
                why = "\(candidate): \(error)"
            }
        }
        throw .unreachable(why)
    }

    /// Makes sure that it is the API's server, and nobody listens in.
    private func secure(
        _ access: KubernetesAccess,
        until deadline: Instant
    ) async throws(APIFailure) {
        guard let socket else { throw .abandoned }
        let host = access.address.host
        var isDone = false
        while !isDone {
            do throws(TLSError) {
                if !socket.isSecure {
                    let client = try trust.client(access.authorities())
                    try socket.startTLS(with: client, to: host)
                }
                isDone = try socket.handshake()
            } catch {
                throw .unreachable("TLS with \(host): \(error)")
            }
            if !isDone { try await wait(until: deadline) }
        }
    }

    private func resolve(
        _ address: APIAddress,
        until deadline: Instant
    ) async throws(APIFailure) -> [Address] {
        if let numeric = Address(address.host, port: address.port) { return [numeric] }
        let box = Box()
        let (loop, parking) = (loop, parking)
        resolver(address.host, address.port) { resolution in
            box.answer.withLock { $0 = resolution }
            loop.wake(parking)
        }
        while true {
            switch box.answer.withLock({ $0 }) {
            case .addresses(let addresses): return addresses
            case .notFound: throw .unreachable("\(address.host) has no address")
            case .failed(let why): throw .unreachable("\(address.host): \(why)")
            case nil: break
            }
            if isOver() { throw .abandoned }
            guard context.now < deadline else { throw .timedOut }
            await parking.park(until: deadline)
        }
    }

    /// Where a resolver thread leaves its answer.
    private final class Box: Sendable {
        let answer = Mutex<Resolution?>(nil)
    }

    // MARK: sending

    private func bytes(of request: APIRequest, _ access: KubernetesAccess) -> [UInt8] {
        let address = access.address
        var head =
            "\(request.method) \(address.prefix)\(request.target) HTTP/1.1\r\n"
            + "Host: \(address.authority)\r\nUser-Agent: sluice/\(sluiceVersion)\r\n"
            + "Accept: \(request.accept)\r\nConnection: close\r\n"
        if let token = access.token() { head += "Authorization: Bearer \(token)\r\n" }
        if let body = request.body {
            head += "Content-Type: \(request.contentType)\r\nContent-Length: \(body.count)\r\n"
        }
        return Array((head + "\r\n").utf8) + (request.body ?? [])
    }

    private func sendBytes(_ bytes: [UInt8], until deadline: Instant) async throws(APIFailure) {
        guard let socket else { throw .abandoned }
        guard let buffer = context.buffers.take() else { throw .unreachable("no memory left") }
        defer { context.buffers.giveBack(buffer) }
        guard buffer.append(bytes.span) else { throw .tooLarge }
        while !buffer.isEmpty {
            do throws(SystemError) {
                buffer.consume(try socket.send(buffer, from: buffer.start, to: buffer.end))
            } catch {
                throw .unreachable("\(error)")
            }
            if !buffer.isEmpty { try await wait(until: deadline) }
        }
    }

    // MARK: receiving

    private func receiveHead(
        until deadline: Instant
    ) async throws(APIFailure) -> (status: Int, retryAfter: Int?) {
        var parser = ResponseParser()
        var fields = FieldTable(capacity: 128)
        while true {
            if let buffer, !buffer.isEmpty {
                let head: ResponseHead?
                do throws(WireError) {
                    head = try parser.parse(buffer.bytes, answering: .get, into: &fields)
                } catch {
                    throw .malformed("\(error)")
                }
                if let head {
                    let retryAfter = fields.first(.retryAfter)
                        .flatMap { buffer.bytes.part($0.valueRange).retryAfter }
                    buffer.consume(head.headLength)
                    parser.reset()
                    if head.isInformational { continue }
                    body = BodyTransfer(head.framing, sendsChunked: false, limits: Limits())
                    return (Int(head.status), retryAfter.map { Int($0.components.seconds) })
                }
            }
            guard try await receive(until: deadline) else {
                throw .unreachable("closed before an answer")
            }
        }
    }

    /// Receives what is there, waiting if nothing is; false when the API has sent its last byte.
    private func receive(until deadline: Instant) async throws(APIFailure) -> Bool {
        guard let socket else { return false }
        while true {
            if let buffer, buffer.isEmpty, !socket.isReadable { release(buffer) }
            if socket.isReadable {
                guard let buffer = buffer ?? context.buffers.take() else {
                    throw .unreachable("no memory left")
                }
                self.buffer = buffer
                if buffer.isEmpty { buffer.clear() } else if buffer.room == 0 { buffer.compact() }
                guard buffer.room > 0 else { throw .tooLarge }
                do throws(SystemError) {
                    switch try socket.receive(into: buffer) {
                    case .bytes: return true
                    case .end: return false
                    case .wouldBlock: continue
                    }
                } catch {
                    throw .unreachable("\(error)")
                }
            }
            try await wait(until: deadline)
        }
    }

    private func wait(until deadline: Instant) async throws(APIFailure) {
        if isOver() { throw .abandoned }
        await parking.park(until: deadline)
        if isOver() { throw .abandoned }
        guard context.now < deadline || socket?.isReadable == true else { throw .timedOut }
    }

    private func takePiece(from buffer: ByteBuffer) throws(APIFailure) -> [UInt8] {
        do throws(WireError) {
            let region = try body.take(from: buffer)
            guard region.count > 0 else { return [] }
            let rest = (buffer.start, buffer.end)
            buffer.setRun(from: region.start, to: region.end)
            var piece: [UInt8] = []
            piece.replace(with: buffer.bytes)
            buffer.setRun(from: rest.0, to: rest.1)
            return piece
        } catch {
            throw .malformed("\(error)")
        }
    }

    /// The stream has ended: the body with it, if that is how it ends.
    private func endBody() throws(APIFailure) {
        guard let buffer = buffer ?? context.buffers.take() else { throw .unreachable("cut") }
        self.buffer = buffer
        do throws(WireError) {
            _ = try body.end(in: buffer)
        } catch {
            throw .unreachable("the connection was cut in the middle of an answer")
        }
    }

    private func release(_ buffer: ByteBuffer) {
        context.buffers.giveBack(buffer)
        self.buffer = nil
    }

    private func releaseBuffer() {
        if let buffer { release(buffer) }
    }
}
