// Why an exchange ended: the closed list of words used alike in the access log, the metrics and
// the `X-Sluice-Reason` field.

/// The one reason with which every exchange ends.
///
/// A closed list: dashboards, alerts and tests rely on these spellings.
package enum Reason: UInt8, CaseIterable, Sendable, MetricKey {
    case ok
    case clientGone
    case noRoute
    case badRequest
    case tooLarge
    case queueFull
    case queueTimeout
    case deadline
    case noReplicas
    case connectFailed
    case upstreamReset
    case upstreamTimeout
    case upstreamInvalid
    case streamStalled
    case stopping

    /// The spelling in logs, metrics and fields: lower-case ASCII words joined by `_`.
    package var token: StaticString {
        switch self {
        case .ok: "ok"
        case .clientGone: "client_gone"
        case .noRoute: "no_route"
        case .badRequest: "bad_request"
        case .tooLarge: "too_large"
        case .queueFull: "queue_full"
        case .queueTimeout: "queue_timeout"
        case .deadline: "deadline"
        case .noReplicas: "no_replicas"
        case .connectFailed: "connect_failed"
        case .upstreamReset: "upstream_reset"
        case .upstreamTimeout: "upstream_timeout"
        case .upstreamInvalid: "upstream_invalid"
        case .streamStalled: "stream_stalled"
        case .stopping: "stopping"
        }
    }

    /// The tokens as strings, by raw value, made once: a log line copies from here.
    static let texts: [String] = allCases.map { $0.token.description }
}
