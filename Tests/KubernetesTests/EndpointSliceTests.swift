import Testing

@testable import Kubernetes

@Suite struct `Endpoints of a Service` {
    private func addresses(
        _ slices: [EndpointSlice],
        _ port: PortChoice = .number(8000)
    ) -> [String] {
        ServiceEndpoints(slices, port: port).ready.map { "\($0.address):\($0.port)" }
    }

    private let ready = #""ready":true,"serving":true,"terminating":false"#
    private let pod = #","targetRef":{"kind":"Pod","namespace":"n","name":"p","uid":"1"}"#

    @Test func `of all slices stand together, in one order`() throws {
        let one = try slice("s-1", [endpoint("10.0.0.2"), endpoint("10.0.0.1")])
        let two = try slice("s-2", [endpoint("10.0.0.3")])
        #expect(addresses([one, two]) == addresses([two, one]))
        #expect(addresses([two, one]) == ["10.0.0.1:8000", "10.0.0.2:8000", "10.0.0.3:8000"])
    }

    @Test(arguments: [
        ("", true), (#""ready":true"#, true), (#""ready":null"#, true), (#""ready":false"#, false),
        (#""ready":true,"serving":true,"terminating":true"#, false),
        (#""ready":false,"serving":true,"terminating":true"#, false),
        (#""ready":false,"serving":false"#, false), (#""terminating":null"#, true),
    ])
    func `are ready, or not`(conditions: String, isReady: Bool) throws {
        let slice = try slice("s", [endpoint("10.0.0.1", conditions)])
        #expect(addresses([slice]) == (isReady ? ["10.0.0.1:8000"] : []))
    }

    @Test func `without conditions are ready`() throws {
        let slice = try slice("s", [#"{"addresses":["10.0.0.1"]}"#])
        #expect(addresses([slice]) == ["10.0.0.1:8000"])
    }

    @Test func `that are not ready or ending are counted`() throws {
        let slice = try slice(
            "s",
            [
                endpoint("10.0.0.1", ready), endpoint("10.0.0.2", #""ready":false"#),
                endpoint("10.0.0.3", #""ready":false,"terminating":true"#),
            ]
        )
        let endpoints = ServiceEndpoints([slice], port: .number(1))
        #expect(endpoints.ready.count == 1)
        #expect(endpoints.notReady == 1)
        #expect(endpoints.terminating == 1)
    }

    @Test func `in two slices for a moment count once, and as ready if any says so`() throws {
        let old = try slice("s-1", [endpoint("10.0.0.1", #""ready":false"#)])
        let new = try slice("s-2", [endpoint("10.0.0.1", ready), endpoint("10.0.0.1", ready)])
        #expect(addresses([old, new]) == ["10.0.0.1:8000"])
        #expect(addresses([new, old]) == ["10.0.0.1:8000"])
        #expect(ServiceEndpoints([old, new], port: .number(1)).notReady == 0)
    }

    @Test func `may have IPv6 addresses`() throws {
        let slice = try slice("s", [endpoint("fd00::5")], type: "IPv6")
        #expect(ServiceEndpoints([slice], port: .number(8000)).ready.map(\.address) == ["fd00::5"])
    }

    @Test func `of one pod in both families are one replica`() throws {
        let four = try slice("s-4", [endpoint("10.0.0.1", ready, more: pod)])
        let six = try slice(
            "s-6",
            [endpoint("fd00::1", ready, more: pod), endpoint("fd00::2", ready)],
            type: "IPv6"
        )
        #expect(addresses([six, four]) == ["10.0.0.1:8000", "fd00::2:8000"])
    }

    @Test func `have the port that their slice gives a name`() throws {
        let ports = """
            [{"name":"metrics","port":9000},{"name":"http","port":8080,"protocol":"TCP"},
             {"name":"http3","port":8443,"protocol":"UDP"}]
            """
        let one = try slice("s-1", [endpoint("10.0.0.1")], ports: ports)
        let other = #"[{"name":"http","port":8081}]"#
        let two = try slice("s-2", [endpoint("10.0.0.2")], ports: other)
        #expect(addresses([one, two], .named("http")) == ["10.0.0.1:8080", "10.0.0.2:8081"])
        let none = ServiceEndpoints([one], port: .named("http3"))
        #expect(none.ready == [])
        #expect(none.problems == ["EndpointSlice n/s-1 has no TCP port named http3"])
    }

    @Test func `have the only port when it has no name`() throws {
        let null = #"[{"port":8000}]"#
        #expect(addresses([try slice("s", [endpoint("10.0.0.1")])], .named("")).count == 1)
        let slice = try slice("s", [endpoint("10.0.0.1")], ports: null)
        #expect(addresses([slice], .named("")) == ["10.0.0.1:8000"])
        let all = try sliceWithPort("null")
        #expect(addresses([all], .named("")) == [])
    }

    private func sliceWithPort(_ port: String) throws -> EndpointSlice {
        try slice("s", [endpoint("10.0.0.1")], ports: #"[{"name":"","port":\#(port)}]"#)
    }

    @Test func `keep their zone and whom they are hinted to`() throws {
        let more = #","zone":"eu-1a","hints":{"forZones":[{"name":"b"},{"name":"a"}]}"#
        let slice = try slice("s", [endpoint("10.0.0.1", ready, more: more)])
        let found = ServiceEndpoints([slice], port: .number(80)).ready
        let expected = ServiceEndpoint(
            address: "10.0.0.1",
            port: 80,
            zone: "eu-1a",
            zonesHinted: ["a", "b"]
        )
        #expect(found == [expected])
    }

    @Test func `that are names are left out, and said`() throws {
        let slice = try slice("s", [endpoint("example.com")], type: "FQDN")
        let endpoints = ServiceEndpoints([slice], port: .number(80))
        #expect(endpoints.ready == [])
        #expect(endpoints.problems == ["EndpointSlice n/s has addresses of type FQDN"])
    }

    @Test func `are none when a slice has none`() throws {
        let text = """
            {"metadata":{"name":"s","namespace":"n"},"addressType":"IPv4",
             "endpoints":null,"ports":null}
            """
        let empty = try read(EndpointSlice.self, text)
        let endpoints = ServiceEndpoints([empty], port: .named("http"))
        #expect(endpoints.ready == [] && endpoints.problems == [])
        let bare = try slice("s", [#"{"addresses":[]}"#])
        #expect(ServiceEndpoints([bare], port: .number(80)).ready == [])
    }

    @Test func `have a bound`() throws {
        let slices = try (0..<3).map { part in
            try slice("s-\(part)", (0..<10).map { endpoint("10.0.\(part).\($0)") })
        }
        let endpoints = ServiceEndpoints(slices, port: .number(80), endpointsMax: 25)
        #expect(endpoints.ready.count == 25)
        #expect(endpoints.problems == ["5 endpoints beyond 25"])
    }
}
