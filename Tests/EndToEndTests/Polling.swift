// Waiting for what other processes do: looked for again and again, with a deadline.

import Foundation
import Testing

/// What did not happen in time.
struct Missing: Error, CustomStringConvertible {
    let description: String
}

/// Looks until `look` finds something; throws when it has not within `limit`.
///
/// The one place that lets time pass: nothing in here waits for a fixed time and hopes.
func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(10),
    _ look: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await look() { return value }
        guard ContinuousClock.now < deadline else {
            throw Missing(description: "not within \(limit): \(what)")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// Looks until the condition holds; throws when it does not within `limit`.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(10),
    holds condition: () async throws -> Bool
) async throws {
    _ = try await eventually(what, within: limit) { () -> Bool? in
        try await condition() ? true : nil
    }
}
