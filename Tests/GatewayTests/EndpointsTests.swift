import Telemetry
import Testing
import Transport

@testable import Balancing
@testable import Gateway

@Suite struct `Endpoints of a pool` {
    private func endpoint(_ id: Int, key: Int = 0) -> Endpoint {
        Endpoint(
            id: ReplicaID(raw: id),
            key: key,
            address: Address(bytes: [127, 0, 0, 1], port: 80),
            name: "127.0.0.1:80",
            metrics: GatewayMetrics().pool("p").replica("127.0.0.1:80"),
            patience: SharedPatience()
        )
    }

    private func endpoints(_ ids: [Int]) -> Endpoints {
        var endpoints = Endpoints()
        for id in ids { endpoints.set(endpoint(id)) }
        return endpoints
    }

    private func ids(_ endpoints: Endpoints) -> [Int] { endpoints.all.map(\.id.raw) }

    @Test(arguments: [[], [0], [0, 1, 2, 3], [5, 6, 8, 11, 12, 40], [3, 9]])
    func `are found by id, and no others`(_ ids: [Int]) {
        let endpoints = endpoints(ids)
        for id in 0..<50 {
            #expect(endpoints[ReplicaID(raw: id)]?.id.raw == (ids.contains(id) ? id : nil))
        }
    }

    @Test func `stand in the order of their ids, however they came`() {
        #expect(ids(endpoints([7, 2, 9, 4, 3])) == [2, 3, 4, 7, 9])
    }

    @Test func `replace one another under the same id`() {
        var endpoints = endpoints([1, 2])
        endpoints.set(endpoint(2, key: 17))
        #expect(ids(endpoints) == [1, 2])
        #expect(endpoints[ReplicaID(raw: 2)]?.key == 17)
    }

    @Test func `are gone once removed, which is told once`() {
        var endpoints = endpoints([1, 2, 3])
        let removed = endpoints.remove(ReplicaID(raw: 2))
        let again = endpoints.remove(ReplicaID(raw: 2))
        #expect(removed?.id.raw == 2 && again == nil)
        #expect(ids(endpoints) == [1, 3])
        #expect(endpoints[ReplicaID(raw: 3)] != nil)
    }
}
