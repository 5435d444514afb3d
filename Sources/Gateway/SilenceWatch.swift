// Looks after the attempts of one loop that wait for a replica which may have stopped.

internal import Transport

/// The attempts that may be given up when their replica is silent for too long.
///
/// One timer for all of them, since a timer for each would cost every request more than its wait.
/// It only resumes those that are due; each then decides for itself. Confined to its loop.
final class SilenceWatch {
    private let context: LoopContext
    private let parking: Parking
    private var attempts: [UpstreamConnection] = []
    /// When it looks next; nil: there was nothing to look after.
    private var looksAt: Instant?
    /// The least time between two looks.
    private static let pause = Duration.milliseconds(10)

    init(context: LoopContext) {
        self.context = context
        parking = Parking(on: context)
    }

    /// How many are watched.
    var count: Int { attempts.count }

    /// Watches an attempt until `remove`; not twice at once.
    func add(_ attempt: UpstreamConnection) {
        attempt.watchIndex = attempts.count
        attempts.append(attempt)
        guard let due = attempt.silenceDue, looksAt.map({ due < $0 }) ?? true else { return }
        // Until it has looked, which is in this turn of the loop, others need not call it.
        looksAt = due
        parking.unpark()
    }

    func remove(_ attempt: UpstreamConnection) {
        let index = attempt.watchIndex
        precondition(attempts[index] === attempt, "an attempt that is not watched")
        attempt.watchIndex = -1
        let last = attempts.removeLast()
        guard last !== attempt else { return }
        attempts[index] = last
        last.watchIndex = index
    }

    /// Resumes those whose replica has been silent for too long, as long as the loop runs.
    func keep(until isOver: () -> Bool) async {
        while !isOver() {
            looksAt = look()
            await parking.park(until: looksAt)
        }
    }

    /// Lets `keep` see that it is over.
    func wake() { parking.unpark() }

    /// One look; when the next is due.
    private func look() -> Instant? {
        var next: Instant?
        for attempt in attempts {
            guard let due = attempt.silenceDue else { continue }
            // As if something had come: its task looks again.
            if due <= context.now { attempt.socket.owner?.socketChanged() }
            let again = max(due, context.now + SilenceWatch.pause)
            next = next.map { min($0, again) } ?? again
        }
        return next
    }
}
