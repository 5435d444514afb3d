// What must hold in every world, whatever goes wrong in it.

import Transport

/// The gateway's own counts of one pool, to be compared with what the world sees.
package struct PoolCounts: Equatable, Sendable {
    package var inFlight = 0
    package var waiting = 0
    /// Most that may wait.
    package var queueLimit = Int.max
    /// Most that may be in flight, all replicas together.
    package var inFlightLimit = Int.max
    /// Requests that asked for a lease, and those that got their end: leased and ended, or shed.
    package var arrived = 0
    package var ended = 0

    package init() {}
}

/// The checks of a world.
package final class Invariants {
    private unowned let world: SimulatedWorld
    private let journal: Journal
    /// Reasons that the gateway may give (the closed list of its design).
    package static let reasons: Set<String> = [
        "ok", "client_gone", "no_route", "bad_request", "too_large", "queue_full",
        "queue_timeout", "deadline", "no_replicas", "connect_failed", "upstream_reset",
        "upstream_timeout", "upstream_invalid", "stream_stalled", "stopping",
    ]
    /// How late an answer to a request with a deadline may be: travel, and a loop's turn.
    package var deadlineSlack = Duration.milliseconds(250)

    /// The routes of the world say `idempotent: true`.
    package var allAreIdempotent = false

    /// Attempts are given up when their replica is silent, so that its answer may come too late.
    package var mayGiveUp = false

    package init(of journal: Journal) {
        self.journal = journal
        world = journal.world
    }

    /// Compares the gateway's counts after every step; `counts` must be cheap.
    package func watch(_ name: String, _ counts: @escaping () -> PoolCounts) {
        var last = PoolCounts()
        world.afterStep.append { [world] in
            let now = counts()
            guard now != last else { return }
            last = now
            if now.inFlight > now.inFlightLimit {
                world.violate("\(name): \(now.inFlight) in flight of \(now.inFlightLimit)")
            }
            if now.waiting > now.queueLimit {
                world.violate("\(name): \(now.waiting) wait of \(now.queueLimit)")
            }
            if now.inFlight < 0 || now.waiting < 0 {
                world.violate("\(name): counts below zero: \(now)")
            }
            if now.arrived != now.ended + now.waiting + now.inFlight {
                world.violate("\(name): in is not out plus inside: \(now)")
            }
        }
    }

    /// Judges the journal once all traffic is over; violations go to the world.
    ///
    /// - Parameters:
    ///   - answersAreExpected: whether every patient client must have got an answer,
    ///   - before: if its request had ended by then, when the gateway was told to stop.
    package func judge(answersAreExpected: Bool, before: Duration = .seconds(1 << 30)) {
        for record in journal.records {
            let isBefore = record.endedAt.map { $0 < before } ?? true
            judge(record, answersAreExpected && isBefore)
        }
        for (number, deliveries) in journal.deliveries.sorted(by: { $0.key < $1.key }) {
            judge(deliveries, of: number)
        }
    }

    /// After a drain, nothing may be left.
    package func judgeEmptiness() {
        if world.openDescriptors > 0 {
            world.violate("\(world.openDescriptors) descriptors are open after the end")
        }
        if journal.openRequests > 0 {
            world.violate("\(journal.openRequests) requests never ended")
        }
    }

    private func judge(_ record: RequestRecord, _ answersAreExpected: Bool) {
        let number = record.plan.number
        guard let end = record.end else {
            return world.violate("request \(number) never ended: \(record.plan)")
        }
        if case .answered(let status, let reason) = end {
            judgeAnswer(record, status: status, reason: reason)
        }
        if answersAreExpected, record.plan.isPatient {
            switch end {
            case .answered, .cut: break
            case .unanswered where record.isOnKeptConnection: break
            // The fate of a neighbour on the connection is its own.
            case .unanswered where record.isPipelined, .left where record.isPipelined: break
            case .unanswered, .left, .refused:
                let ended = record.endedAt.map { "\($0)" } ?? "-"
                world.violate(
                    "request \(number) got no answer (\(end)), sent \(record.sentAt), ended "
                        + "\(ended), replicas: \(journal.deliveries[number] ?? []): \(record.plan)"
                )
            }
        }
    }

    private func judgeAnswer(_ record: RequestRecord, status: Int, reason: String?) {
        let number = record.plan.number
        if journal.excused.contains(number) { return }
        if !record.isFromReplica {
            if status < 400 { world.violate("request \(number): \(status), from no replica") }
            guard let reason, Invariants.reasons.contains(reason) else {
                return world.violate("request \(number): \(status) with reason \(reason as Any)")
            }
        } else if (journal.deliveries[number] ?? []).isEmpty {
            world.violate("request \(number) was answered, and no replica saw it")
        }
        guard let timeout = record.plan.timeout, record.plan.manner == .honest,
            !record.plan.expectsContinue, let headAt = record.headAt
        else { return }
        // A pipelined request waits for those before it; its clock starts when it is read.
        let late = headAt - record.sentAt - timeout
        if late > deadlineSlack, !record.isPipelined {
            world.violate("request \(number): its answer began \(late) after its deadline")
        }
    }

    /// RFC 9110 §9.2.2: what may have had an effect is not sent again.
    private func judge(_ deliveries: [Delivery], of number: Int) {
        guard let record = journal.requests[number] else {
            return world.violate("a replica saw request \(number), which nobody sent")
        }
        let plan = record.plan
        if plan.isNonsense {
            world.violate("a replica saw request \(number), which must be refused: \(plan.manner)")
        }
        if deliveries.count > 3 {
            world.violate("request \(number) was tried \(deliveries.count) times")
        }
        // An answer that crosses with the end of a silent attempt: once for a request.
        var crossings = 0
        for (place, delivery) in deliveries.enumerated() where place + 1 < deliveries.count {
            let next = deliveries[place + 1]
            let mayRepeat = plan.isIdempotent || allAreIdempotent
            switch delivery.end {
            case .answered(_, isFull: true): continue
            case .answered(let status, _) where mayRepeat && (502...504).contains(status): continue
            case .broken where mayRepeat, .broken(hasAnswered: false) where !delivery.isFresh:
                continue
            case .abandoned where mayRepeat, .open where mayRepeat: continue
            case .answered where mayRepeat && mayGiveUp && crossings == 0: crossings += 1
            case .answered, .broken, .abandoned, .open:
                world.violate(
                    "request \(number) (\(plan.method)) was sent to \(next.replica) after "
                        + "\(delivery.replica) had it: \(delivery.end)"
                )
            }
        }
    }
}
