import Testing

@testable import Kubernetes

@Suite struct `What a controller writes` {
    private func text(_ bytes: [UInt8]?) -> String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `is where an Ingress can be reached`() throws {
        let ingress = try ingress("one", #""rules":[]"#)
        let places = [
            LoadBalancer.Place(ip: "1.2.3.4"), LoadBalancer.Place(hostname: "lb.example"),
        ]
        #expect(
            text(ingress.statusPatch(places))
                == #"{"status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"},"#
                + #"{"hostname":"lb.example"}]}}}"#
        )
        #expect(
            ingress.statusPath
                == "/apis/networking.k8s.io/v1/namespaces/shop/ingresses/one/status"
        )
    }

    @Test func `is nothing when it is said already`() throws {
        let said = try read(
            Ingress.self,
            """
            {"metadata":{"name":"a","namespace":"b"},
             "status":{"loadBalancer":{"ingress":[{"ip":"1.2.3.4"}]}}}
            """
        )
        #expect(said.statusPatch([LoadBalancer.Place(ip: "1.2.3.4")]) == nil)
        #expect(text(said.statusPatch([])) == #"{"status":{"loadBalancer":{"ingress":[]}}}"#)
        #expect(try ingress("one", #""rules":[]"#).statusPatch([]) == nil)
    }

    @Test func `a Service's addresses stand in one order, each once`() throws {
        let service = try read(
            Service.self,
            """
            {"metadata":{"name":"s","namespace":"n"},"spec":{"externalIPs":["9.9.9.9","1.1.1.1"]},
             "status":{"loadBalancer":{"ingress":[
               {"ip":"5.5.5.5"},{"hostname":"x"},{"ip":"1.1.1.1"}]}}}
            """
        )
        #expect(
            service.places.map { $0.ip ?? $0.hostname } == ["x", "1.1.1.1", "5.5.5.5", "9.9.9.9"]
        )
    }

    @Test func `an event has the same name for the same problem`() throws {
        let one = IngressProblem(try ingress("one", ""), "PathTaken", "a.com/ belongs to …")
        let event = try #require(text(one.event(at: "2026-01-01T00:00:00Z")))
        #expect(event.contains(#""reason":"PathTaken""#))
        #expect(
            event.contains(
                #""involvedObject":{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","#
            )
        )
        #expect(event.contains(#""uid":"uid-one""#))
        #expect(event.contains(#""type":"Warning""#))
        let name = { (problem: IngressProblem) in
            String(decoding: problem.event(at: "x"), as: UTF8.self).firstMatch(
                of: /"name":"(one\.[0-9a-f]{16})"/
            )?
            .output.1
        }
        #expect(name(one) != nil)
        var other = one
        #expect(name(other) == name(one))
        other.message = "else"
        #expect(name(other) != name(one))
    }

    @Test func `a long message is cut`() throws {
        let long = String(repeating: "x", count: 5000)
        let problem = IngressProblem(try ingress("one", ""), "R", long)
        #expect(problem.event(at: "x").count < 2000)
    }
}
