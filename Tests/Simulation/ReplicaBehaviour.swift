// How a simulated replica serves and how it fails.

import Glibc

/// How long a request takes.
package enum ServiceTime: Sendable {
    case constant(Duration)
    case exponential(mean: Duration)
    /// Pareto, shape 1.5: mostly short, now and then very long, at most 100 times the least.
    case heavyTail(least: Duration)
    /// The body comes in so many pieces, with a pause before each.
    case tokens(ClosedRange<Int>, every: Duration)
}

/// What may go wrong with one request at a replica.
package enum ReplicaFault: CaseIterable, Sendable {
    /// Resets before a byte of the answer.
    case resetBeforeHead
    /// Resets in the middle of the body.
    case resetAfterHead
    /// Closes orderly before a byte of the answer.
    case closesBeforeHead
    /// Never answers, and keeps the connection.
    case stall
    /// Stops in the middle of the body, and keeps the connection.
    case stallInBody
    /// Sends its body a few bytes at a time.
    case drip
    /// Ends the stream before the announced length.
    case shortBody
    /// Sends more than the announced length.
    case longBody
    /// Answers with what is not HTTP.
    case garbage
    /// Sends a second answer that nobody asked for.
    case answersTwice
    /// Says that it is full: 503 with Retry-After.
    case full
    /// Fails: 500.
    case error
    /// Closes the connection after the answer without having said so.
    case closesAfterAnswer
    /// Answers before it has read the body, and then closes.
    case answersEarly
}

/// How an answer's end is marked.
package enum AnswerFraming: CaseIterable, Sendable { case length, chunked, close }

/// What a replica does, by chance.
package struct ReplicaBehaviour: Sendable {
    package var service = ServiceTime.constant(.milliseconds(5))
    /// Each request suffers at most one fault; the chances add up.
    package var faults: [(fault: ReplicaFault, probability: Double)] = []
    package var framings: [AnswerFraming] = [.length]
    /// Closes a connection that was idle so long.
    package var idleTimeout: Duration?
    /// How often an interim 103 response comes before the answer.
    package var interim = 0.0

    package init() {}

    func fault(using generator: inout SeededGenerator) -> ReplicaFault? {
        var chance = generator.unit()
        for (fault, probability) in faults {
            if chance < probability { return fault }
            chance -= probability
        }
        return nil
    }

    /// How long until the answer begins, in how many pieces it comes, and with which pauses.
    func pace(using generator: inout SeededGenerator) -> (Duration, pieces: Int, pause: Duration) {
        switch service {
        case .constant(let duration):
            return (duration, 1, .zero)
        case .exponential(let mean):
            return (generator.exponential(mean: mean), 1, .zero)
        case .heavyTail(let least):
            // (1 - u)^(-1/1.5), bounded.
            let share = min(100, pow(1 - generator.unit(), -1 / 1.5))
            return (.nanoseconds(Int64(Double(least.nanoseconds) * share)), 1, .zero)
        case .tokens(let count, let pause):
            return (pause, generator.number(in: count), pause)
        }
    }
}
