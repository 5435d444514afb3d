// EndpointSlices: who stands behind a Service, as the API tells it.

/// A part of the endpoints of a Service (discovery.k8s.io/v1).
package struct EndpointSlice: APIObject {
    package static let resource = APIResource(
        group: "discovery.k8s.io",
        version: "v1",
        plural: "endpointslices",
        kind: "EndpointSlice"
    )

    /// The label that names the Service.
    package static let serviceLabel = "kubernetes.io/service-name"

    /// Its name, its labels.
    package var metadata: ObjectMetadata
    /// `IPv4`, `IPv6` or `FQDN`.
    package var addressType: String
    /// The endpoints; null when there are none.
    package var endpoints: [Endpoint]?
    /// The ports, the same for every endpoint; null when there are none.
    package var ports: [Port]?

    /// One who stands behind the Service.
    package struct Endpoint: Decodable, Sendable, Equatable {
        /// Addresses of the same endpoint; the first is as good as any.
        package var addresses: [String]
        /// What it is fit for; nil: nothing is known, which counts as fit.
        package var conditions: Conditions?
        /// The pod behind it.
        package var targetRef: Reference?
        /// The zone it runs in.
        package var zone: String?
        /// Who should use it.
        package var hints: Hints?
    }

    /// What an endpoint is fit for; each nil: not known.
    package struct Conditions: Decodable, Sendable, Equatable {
        /// It may get new work; nil counts as true.
        package var ready: Bool?
        /// It answers, also while it is ending; nil counts as `ready`.
        package var serving: Bool?
        /// It is ending; nil counts as false.
        package var terminating: Bool?
    }

    /// An object that is meant.
    package struct Reference: Decodable, Sendable, Hashable {
        /// Its kind.
        package var kind: String?
        /// Its namespace.
        package var namespace: String?
        /// Its name.
        package var name: String?
        /// Its identity over time.
        package var uid: String?
    }

    /// Who should use an endpoint.
    package struct Hints: Decodable, Sendable, Equatable {
        /// Clients in these zones.
        package var forZones: [Zone]?
    }

    /// A zone by its name.
    package struct Zone: Decodable, Sendable, Equatable {
        /// The name.
        package var name: String
    }

    /// A port of all endpoints.
    package struct Port: Decodable, Sendable, Equatable {
        /// The name of the Service's port; empty for the only one.
        package var name: String?
        /// The number; nil: all ports, which is of no use here.
        package var port: Int?
        /// `TCP`, `UDP` or `SCTP`; nil counts as TCP.
        package var `protocol`: String?
    }
}

/// Which port of the endpoints is meant.
package enum PortChoice: Sendable, Hashable {
    /// This number, whatever the slices say.
    case number(Int)
    /// The one with the name of a Service's port; empty for a port without a name.
    case named(String)
}

/// A replica as the slices of its Service show it.
package struct ServiceEndpoint: Sendable, Hashable {
    /// A numeric address.
    package var address: String
    /// 1…65535.
    package var port: Int
    /// The zone it runs in.
    package var zone: String?
    /// The zones whose clients should use it, sorted.
    package var zonesHinted: [String]
}

/// What all slices of a Service say together.
package struct ServiceEndpoints: Sendable, Equatable {
    /// Those that may get new work, in an order that repeats.
    package var ready: [ServiceEndpoint] = []
    /// How many are there and do not answer, and how many are ending.
    package var notReady = 0
    /// How many are ending: what they have in flight finishes.
    package var terminating = 0
    /// Why others were left out, one sentence each.
    package var problems: [String] = []

    /// Puts the slices together; at most `endpointsMax` endpoints.
    ///
    /// The same address may stand in two slices for a moment: it counts once, and as ready if any
    /// says so. A pod that has an IPv4 and an IPv6 address is one replica, at the IPv4 address.
    /// O(endpoints × log endpoints).
    package init(
        _ slices: [EndpointSlice],
        port: PortChoice,
        endpointsMax: Int = 10_000
    ) {
        var found: [Place: Finding] = [:]
        for slice in slices.sorted(by: { $0.key < $1.key }) {
            take(slice, port, into: &found)
        }
        let pods = Set(found.compactMap { $0.key.isIPv4 ? $0.value.pod : nil })
        for (place, finding) in found {
            if !place.isIPv4, let pod = finding.pod, pods.contains(pod) { continue }
            if finding.isReady {
                ready.append(finding.endpoint)
            } else if finding.isTerminating {
                terminating += 1
            } else {
                notReady += 1
            }
        }
        ready.sort { ($0.address, $0.port) < ($1.address, $1.port) }
        if ready.count > endpointsMax {
            problems.append("\(ready.count - endpointsMax) endpoints beyond \(endpointsMax)")
            ready.removeLast(ready.count - endpointsMax)
        }
    }

    private struct Place: Hashable {
        var address: String
        var port: Int
        var isIPv4: Bool
    }

    private struct Finding {
        var endpoint: ServiceEndpoint
        var isReady: Bool
        var isTerminating: Bool
        var pod: EndpointSlice.Reference?
    }

    private mutating func take(
        _ slice: EndpointSlice,
        _ choice: PortChoice,
        into found: inout [Place: Finding]
    ) {
        guard slice.addressType == "IPv4" || slice.addressType == "IPv6" else {
            return complain("\(slice.key) has addresses of type \(slice.addressType)")
        }
        let endpoints = slice.endpoints ?? []
        guard !endpoints.isEmpty else { return }
        guard let port = number(choice, in: slice) else {
            return complain("\(slice.key) has no TCP port \(words(choice))")
        }
        for endpoint in endpoints {
            guard let address = endpoint.addresses.first else { continue }
            let conditions = endpoint.conditions
            let isTerminating = conditions?.terminating ?? false
            let replica = ServiceEndpoint(
                address: address,
                port: port,
                zone: endpoint.zone,
                zonesHinted: (endpoint.hints?.forZones ?? []).map(\.name).sorted()
            )
            let finding = Finding(
                endpoint: replica,
                isReady: (conditions?.ready ?? true) && !isTerminating,
                isTerminating: isTerminating,
                pod: endpoint.targetRef
            )
            let isIPv4 = slice.addressType == "IPv4"
            let place = Place(address: address, port: port, isIPv4: isIPv4)
            if let known = found[place], known.isReady || !finding.isReady { continue }
            found[place] = finding
        }
    }

    private func number(_ choice: PortChoice, in slice: EndpointSlice) -> Int? {
        switch choice {
        case .number(let number): return number
        case .named(let name):
            let port = (slice.ports ?? []).first { port in
                (port.name ?? "") == name && (port.protocol ?? "TCP") == "TCP"
            }
            guard let number = port?.port, (1...65535).contains(number) else { return nil }
            return number
        }
    }

    private func words(_ choice: PortChoice) -> String {
        switch choice {
        case .number(let number): "\(number)"
        case .named(let name): name.isEmpty ? "without a name" : "named \(name)"
        }
    }

    private mutating func complain(_ problem: String) {
        if problems.count < 20 { problems.append("EndpointSlice \(problem)") }
    }
}
