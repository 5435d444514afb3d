// What an Ingress controller writes: where an Ingress can be reached, and events about problems.

internal import FoundationEssentials

/// The body of a document that is sent to the API.
func encoded(_ document: some Encodable) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // `try?`: texts and numbers can always be written.
    return (try? encoder.encode(document)).map { Array($0) } ?? []
}

extension Ingress {
    /// The patch (RFC 7396) that tells where an Ingress can be reached; nil: it says so already.
    package func statusPatch(_ places: [LoadBalancer.Place]) -> [UInt8]? {
        if (status?.loadBalancer?.ingress ?? []) == places { return nil }
        struct Patch: Encodable {
            struct Status: Encodable { var loadBalancer: LoadBalancer }
            var status: Status
        }
        let balancer = LoadBalancer(ingress: places)
        return encoded(Patch(status: Patch.Status(loadBalancer: balancer)))
    }

    /// The path of its status.
    package var statusPath: String {
        let key = key
        return Self.resource.path(in: key.namespace) + "/\(percentEncoded(key.name))/status"
    }
}

extension Service {
    /// Where it can be reached from outside, in one order.
    package var places: [LoadBalancer.Place] {
        let given = status?.loadBalancer?.ingress ?? []
        let byHand = (spec?.externalIPs ?? []).map { LoadBalancer.Place(ip: $0) }
        return Set(given + byHand).sorted {
            ($0.ip ?? "", $0.hostname ?? "") < ($1.ip ?? "", $1.hostname ?? "")
        }
    }
}

extension IngressProblem {
    /// Events in a namespace.
    package static let events = APIResource(
        group: "",
        version: "v1",
        plural: "events",
        kind: "Event"
    )

    /// The event that tells the problem; `time` is in RFC 3339.
    ///
    /// Its name is the same for the same problem, so that one told by several gateways is told
    /// once.
    package func event(at time: String) -> [UInt8] {
        struct Event: Encodable {
            struct Metadata: Encodable {
                var name: String
                var namespace: String
            }
            struct Object: Encodable {
                var kind = Ingress.resource.kind
                var apiVersion = Ingress.resource.apiVersion
                var name: String
                var namespace: String
                var uid: String
            }
            struct Source: Encodable { var component = "sluice" }
            var kind = "Event"
            var apiVersion = "v1"
            var metadata: Metadata
            var involvedObject: Object
            var reason: String
            var message: String
            var type = "Warning"
            var source = Source()
            var reportingComponent = IngressClass.controller
            var firstTimestamp: String
            var lastTimestamp: String
            var count = 1
        }
        let sum = hexadecimalSum(of: "\(uid) \(reason) \(message)")
        return encoded(
            Event(
                metadata: Event.Metadata(
                    // The name of an object has at most 253 bytes.
                    name: "\(ingress.name.prefix(200)).\(sum)",
                    namespace: ingress.namespace
                ),
                involvedObject: Event.Object(
                    name: ingress.name,
                    namespace: ingress.namespace,
                    uid: uid
                ),
                reason: reason,
                // Longer ones are refused.
                message: String(message.prefix(1000)),
                firstTimestamp: time,
                lastTimestamp: time
            )
        )
    }
}
