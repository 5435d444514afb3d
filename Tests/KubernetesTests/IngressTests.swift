import Testing

@testable import Kubernetes

@Suite struct `Objects of an Ingress controller` {
    @Test func `are asked for where the API has them`() {
        #expect(
            Ingress.resource.path(in: "a") == "/apis/networking.k8s.io/v1/namespaces/a/ingresses"
        )
        #expect(IngressClass.resource.path(in: nil) == "/apis/networking.k8s.io/v1/ingressclasses")
        #expect(Service.resource.path(in: "a") == "/api/v1/namespaces/a/services")
        #expect(Secret.resource.path(in: nil) == "/api/v1/secrets")
    }

    @Test func `a Secret's bytes are base 64`() throws {
        let secret = try read(
            Secret.self,
            #"{"metadata":{"name":"s"},"data":{"a":"aGk=","b":"","c":"?"}}"#
        )
        #expect(secret.bytes("a") == Array("hi".utf8))
        for name in ["b", "c", "d"] { #expect(secret.bytes(name) == nil) }
        let bare = try read(Secret.self, #"{"metadata":{"name":"s"}}"#)
        #expect(bare.bytes("a") == nil)
    }
}
