// What each page and command of the admin address answers.

internal import Balancing
internal import Configuration
internal import HTTPWire
internal import Synchronization
internal import Telemetry
internal import Transport

extension Lane {
    /// Decides whether a request may be answered, and answers it.
    func adminAnswer(
        to request: AdminRequest,
        from client: ClientConnection
    ) async throws(ExchangeError) -> AdminAnswer {
        let page = AdminPage(path: request.path)
        if page?.isOpen != true, let token = gateway.configuration.admin.token,
            !request.hasToken(token)
        {
            return .problem(401, "this needs `Authorization: Bearer` with the admin's token")
        }
        guard let page else {
            return .problem(404, "there is no \(request.path) here; GET / lists what there is")
        }
        let isRead = request.method == .get || request.method == .head
        guard page.isCommand ? request.method == .post : isRead else {
            var answer = AdminAnswer.problem(
                405,
                "\(page.rawValue) takes \(page.isCommand ? "POST" : "GET")"
            )
            answer.allow = page.isCommand ? "POST" : "GET, HEAD"
            return answer
        }
        // A page in the operator's browser could reach an address that only this machine can.
        if page.isCommand && request.isFromWebPage {
            return .problem(403, "commands are not taken from web pages")
        }
        return try await answer(page, request, client)
    }

    private func answer(
        _ page: AdminPage,
        _ request: AdminRequest,
        _ client: ClientConnection
    ) async throws(ExchangeError) -> AdminAnswer {
        switch page {
        case .index: return .text(Lane.index)
        case .live: return .text("live\n")
        case .ready:
            // Not a question of replicas: while all are down, the gateway is still the one who
            // can say so and hold requests for those that come back.
            return gateway.isReady
                ? .text("ready\n")
                : .text(
                    gateway.isStopping ? "stopping\n" : "the Ingresses are not known yet\n",
                    status: 503
                )
        case .metrics:
            let body = gateway.metricsPage(
                now: now,
                wallNanoseconds: context.network.wallNanoseconds
            )
            return AdminAnswer(
                contentType: "text/plain; version=0.0.4; charset=utf-8",
                body: body
            )
        case .status:
            return AdminAnswer(contentType: "application/json", body: status.json())
        case .pools: return AdminAnswer(body: status.text())
        case .autoscale: return try await autoscaleAnswer(to: request, for: client)
        case .explain: return try await explanation(request.query["id"], for: client)
        case .reload: return try await reload(for: client)
        case .drain: return setDraining(true, request)
        case .undrain: return setDraining(false, request)
        }
    }

    private var status: GatewayStatus {
        gateway.status(now: now, wallNanoseconds: context.network.wallNanoseconds)
    }

    private static let index: String = {
        let width = AdminPage.allCases.map(\.rawValue.count).max() ?? 0
        return AdminPage.allCases.map { page in
            let gap = String(repeating: " ", count: width - page.rawValue.count)
            return "\(page.isCommand ? "POST" : "GET ") \(page.rawValue)\(gap)  \(page.summary)\n"
        }.joined()
    }()

    // MARK: commands

    private func setDraining(_ isDraining: Bool, _ request: AdminRequest) -> AdminAnswer {
        guard let name = request.query["pool"], let endpoint = request.query["replica"] else {
            return .problem(400, "?pool=POOL&replica=ENDPOINT is missing")
        }
        let pools = snapshot.pools
        guard let pool = pools.first(where: { $0.name == name }) else {
            let known = pools.map(\.name).joined(separator: ", ")
            return .problem(404, "there is no pool \(name); there are: \(known)")
        }
        guard pool.setDraining(endpoint, isDraining, now: now) else {
            let known = pool.snapshot().replicas.prefix(20).map(\.endpoint)
            return .problem(
                404,
                "pool \(name) has no replica \(endpoint); it has: "
                    + (known.isEmpty ? "none" : known.joined(separator: ", "))
            )
        }
        let replica = pool.snapshot().replicas.first { $0.endpoint == endpoint }
        return .json { json in
            json.name("pool")
            json.value(name)
            json.name("replica")
            json.value(endpoint)
            json.name("state")
            json.value(replica?.state.rawValue ?? "gone")
            json.name("inFlight")
            json.value(replica?.inFlight ?? 0)
        }
    }

    private func reload(for client: ClientConnection) async throws(ExchangeError) -> AdminAnswer {
        let mailbox = Mailbox<ReloadOutcome>()
        let (loop, parking) = (loop, client.parking)
        gateway.reload { outcome in
            mailbox.put(outcome)
            loop.wake(parking)
        }
        let deadline = now + .seconds(60)
        while true {
            if let outcome = mailbox.contents.first { return .reload(outcome) }
            guard now < deadline else { return .problem(504, "the reload takes too long") }
            try await client.waitForOwner(until: deadline)
        }
    }

    // MARK: explain

    /// Asks every loop what it knows of a request.
    private func explanation(
        _ id: String?,
        for client: ClientConnection
    ) async throws(ExchangeError) -> AdminAnswer {
        guard let id, !id.isEmpty else { return .problem(400, "?id=REQUEST-ID is missing") }
        let mailbox = Mailbox<Finding>()
        let (wanted, own, parking) = (Array(id.utf8), loop, client.parking)
        for loop in gateway.loops {
            loop.spawn { context in
                mailbox.put(Lane.of(context).find(wanted))
                own.wake(parking)
            }
        }
        let deadline = now + .seconds(2)
        while mailbox.contents.count < gateway.loops.count, now < deadline {
            try await client.waitForOwner(until: deadline)
        }
        let findings = mailbox.contents
        for finding in findings {
            if case .inFlight(let story) = finding {
                return .explanation(of: id, state: "in_flight", story, line: nil)
            }
        }
        let ended = findings.compactMap { finding in
            if case .ended(let exchange) = finding { exchange } else { nil }
        }
        guard let newest = ended.max(by: { $0.record.time < $1.record.time }) else {
            return .problem(404, Lane.unknown(id, isLogging: snapshot.settings.logsAccess))
        }
        return .explanation(of: id, state: "ended", newest.story, line: newest.line)
    }

    private static func unknown(_ id: String, isLogging: Bool) -> String {
        isLogging
            ? "no request \(id) among those in flight and the last 1,000 or so"
            : "no request \(id) in flight; with the access log off, ended ones are not kept"
    }

    /// What this loop knows of a request.
    private func find(_ requestID: [UInt8]) -> Finding {
        for client in clients.all where client.kind == .client {
            if client.isBusy, let exchange = client.exchange,
                exchange.requestID.span.equals(requestID.span)
            {
                return .inFlight(exchange.storySoFar)
            }
        }
        return recent.find(requestID).map { .ended($0) } ?? .nothing
    }
}

/// What one loop knows of a request.
private enum Finding: Sendable {
    case nothing
    case inFlight([String])
    case ended(EndedExchange)
}

/// Where other threads leave answers for a task.
private final class Mailbox<Content: Sendable>: Sendable {
    private let state = Mutex<[Content]>([])
    var contents: [Content] { state.withLock { $0 } }
    func put(_ content: Content) { state.withLock { $0.append(content) } }
}

extension AdminAnswer {
    fileprivate static func reload(_ outcome: ReloadOutcome) -> AdminAnswer {
        switch outcome {
        case .applied(let lines):
            .json { json in
                json.name("succeeded")
                json.value(true)
                json.name("changes")
                json.array { json in for line in lines { json.value(line) } }
            }
        case .refused(let problems): .problem(422, problems)
        case .unavailable(let why): .problem(409, why)
        }
    }

    fileprivate static func explanation(
        of id: String,
        state: String,
        _ story: [String],
        line: [UInt8]?
    ) -> AdminAnswer {
        .json { json in
            json.name("requestId")
            json.value(id)
            json.name("state")
            json.value(state)
            json.name("explanation")
            json.array { json in for sentence in story { json.value(sentence) } }
            json.name("exchange")
            if let line { json.value(json: line) } else { json.value(nil as String?) }
        }
    }
}
