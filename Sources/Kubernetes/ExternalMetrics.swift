// Kubernetes' external metrics API as a server of it speaks: what is asked, and what is answered.

/// What is asked of the server.
package enum MetricsQuestion: Sendable, Equatable {
    /// Whether it is there.
    case health
    /// Which versions of the group there are.
    case group
    /// Which metrics there are.
    case resources
    /// A metric of the pools that a selector chooses.
    case values(metric: String, LabelSelector)
    /// A selector that cannot be read, and why.
    case badSelector(String)
    /// Nothing that is here.
    case unknown

    /// Reads the path and the query of a GET.
    package init(path: String, selector: String?) {
        let parts = path.split(separator: "/").map(String.init)
        if parts.count == 1, ["healthz", "livez", "readyz"].contains(parts[0]) {
            self = .health
            return
        }
        guard parts.count >= 2, parts[0] == "apis", parts[1] == ExternalMetrics.group else {
            self = .unknown
            return
        }
        if parts.count == 2 {
            self = .group
        } else if parts[2] != ExternalMetrics.version {
            self = .unknown
        } else if parts.count == 3 {
            self = .resources
        } else if parts.count == 6, parts[3] == "namespaces" {
            guard let selector = LabelSelector(selector ?? "") else {
                self = .badSelector(selector ?? "")
                return
            }
            self = .values(metric: parts[5], selector)
        } else {
            self = .unknown
        }
    }
}

/// The documents of the external metrics API.
package enum ExternalMetrics {
    /// The API group.
    package static let group = "external.metrics.k8s.io"
    /// Its version.
    package static let version = "v1beta1"

    private struct Resource: Encodable {
        var name: String
        var singularName = ""
        var namespaced = true
        var kind = "ExternalMetricValueList"
        var verbs = ["get"]
    }

    /// The metrics that there are.
    package static func resources(_ names: [String]) -> [UInt8] {
        struct List: Encodable {
            var kind = "APIResourceList"
            var apiVersion = "v1"
            var groupVersion = "\(ExternalMetrics.group)/\(ExternalMetrics.version)"
            var resources: [Resource]
        }
        return encoded(List(resources: names.map { Resource(name: $0) }))
    }

    /// The group and its only version.
    package static func groupDocument() -> [UInt8] {
        struct Version: Encodable {
            var groupVersion = "\(ExternalMetrics.group)/\(ExternalMetrics.version)"
            var version = ExternalMetrics.version
        }
        struct Group: Encodable {
            var kind = "APIGroup"
            var apiVersion = "v1"
            var name = ExternalMetrics.group
            var versions = [Version()]
            var preferredVersion = Version()
        }
        return encoded(Group())
    }

    /// One value for each pool, in that order; `time` is in RFC 3339.
    package static func values(
        of metric: String,
        _ values: [(pool: String, value: Double)],
        at time: String
    ) -> [UInt8] {
        struct Value: Encodable {
            var metricName: String
            var metricLabels: [String: String]
            var timestamp: String
            var value: String
        }
        struct List: Encodable {
            struct Metadata: Encodable {}
            var kind = "ExternalMetricValueList"
            var apiVersion = "\(ExternalMetrics.group)/\(ExternalMetrics.version)"
            var metadata = Metadata()
            var items: [Value]
        }
        let items = values.map { pool, value in
            Value(
                metricName: metric,
                metricLabels: ["pool": pool],
                timestamp: time,
                value: quantity(value)
            )
        }
        return encoded(List(items: items))
    }

    /// A refusal, as the API's clients understand it.
    package static func refusal(_ code: Int, _ reason: String, _ message: String) -> [UInt8] {
        struct Status: Encodable {
            struct Metadata: Encodable {}
            var kind = "Status"
            var apiVersion = "v1"
            var metadata = Metadata()
            var status = "Failure"
            var message: String
            var reason: String
            var code: Int
        }
        return encoded(Status(message: message, reason: reason, code: code))
    }

    /// A number as a quantity: whole, or in thousandths with an `m`.
    static func quantity(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "0" }
        let thousandths = Int((value * 1000).rounded())
        return thousandths % 1000 == 0 ? "\(thousandths / 1000)" : "\(thousandths)m"
    }
}
