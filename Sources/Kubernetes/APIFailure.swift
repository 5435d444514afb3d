// Why a request to the API came to nothing, in words that say what to do about it.

/// The API's own account of a failure: the kind `Status`.
package struct APIStatus: Decodable, Sendable, Equatable {
    /// For people.
    package var message: String?
    /// For programs: one word such as `Expired`.
    package var reason: String?
    /// The HTTP status.
    package var code: Int?

    /// Makes it of its parts.
    package init(message: String? = nil, reason: String? = nil, code: Int? = nil) {
        self.message = message
        self.reason = reason
        self.code = code
    }

    /// Whether the version asked for is too old: only a new list helps.
    package var isExpired: Bool { code == 410 || reason == "Expired" || reason == "Gone" }
}

/// Why a request to the API came to nothing.
package enum APIFailure: Error, Sendable, Equatable {
    /// No connection, or it broke.
    case unreachable(String)
    /// The API took too long.
    case timedOut
    /// The API refused; `retryAfter` in seconds if it said so.
    case refused(code: Int, APIStatus, retryAfter: Int?)
    /// What came is no answer of the API.
    case malformed(String)
    /// The answer is longer than anything that is expected.
    case tooLarge
    /// Nobody waits for the answer any more.
    case abandoned

    /// Whether only a new list helps.
    package var isExpired: Bool {
        guard case .refused(let code, let status, _) = self else { return false }
        return code == 410 || status.isExpired
    }

    /// Whether the token was not taken.
    package var isUnauthorized: Bool {
        guard case .refused(401, _, _) = self else { return false }
        return true
    }

    /// How long the API asks to be left alone, at most a minute.
    package var pause: Duration? {
        guard case .refused(_, _, let seconds?) = self else { return nil }
        return .seconds(min(max(seconds, 0), 60))
    }

    /// What went wrong with this request, and what permission is missing if one is.
    package func words(_ verb: Verb, _ resource: APIResource, in namespace: String?) -> String {
        words(verb, "\(resource)", in: namespace)
    }

    /// The same for a part of an object, such as `ingresses.networking.k8s.io/status`.
    package func words(_ verb: Verb, _ resource: String, in namespace: String?) -> String {
        let place = namespace.map { "in namespace \($0)" } ?? "in all namespaces"
        let what = "cannot \(verb.rawValue) \(resource) \(place)"
        switch self {
        case .unreachable(let why): return "\(what): \(why)"
        case .timedOut: return "\(what): the API did not answer in time"
        case .malformed(let why): return "\(what): not an answer of the API: \(why)"
        case .tooLarge: return "\(what): the answer is too large"
        case .abandoned: return "\(what): given up"
        case .refused(403, let status, _):
            let role = namespace == nil ? "ClusterRole" : "Role"
            return "\(what): 403: the service account lacks the verb `\(verb.rawValue)` on "
                + "\(resource); a \(role) must grant it" + said(status)
        case .refused(401, let status, _):
            return "\(what): 401: the token is not accepted" + said(status)
        case .refused(404, let status, _):
            return "\(what): 404: the API does not know it" + said(status)
        case .refused(let code, let status, _):
            return "\(what): \(code)" + said(status)
        }
    }

    /// The API's own words, shortened.
    private func said(_ status: APIStatus) -> String {
        guard let message = status.message, !message.isEmpty else { return "" }
        return " (\(message.prefix(400)))"
    }
}
