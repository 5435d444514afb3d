import Testing

@testable import Kubernetes

@Suite struct `Resources of the API` {
    private let slices = EndpointSlice.resource
    private let secrets = APIResource(group: "", version: "v1", plural: "secrets", kind: "Secret")

    @Test func `have their path`() {
        let path = "/apis/discovery.k8s.io/v1/namespaces/a/endpointslices"
        #expect(slices.path(in: "a") == path)
        #expect(slices.path(in: nil) == "/apis/discovery.k8s.io/v1/endpointslices")
        #expect(secrets.path(in: "a") == "/api/v1/namespaces/a/secrets")
        #expect(secrets.path(in: nil) == "/api/v1/secrets")
    }

    @Test func `have the name that roles use`() {
        #expect("\(slices)" == "endpointslices.discovery.k8s.io")
        #expect("\(secrets)" == "secrets")
        #expect(slices.apiVersion == "discovery.k8s.io/v1")
        #expect(secrets.apiVersion == "v1")
    }

    @Test func `are asked for page by page`() {
        let selection = ObjectSelection(namespace: "a", labels: "x=y", fields: "type=b/c")
        #expect(
            selection.listTarget(of: secrets, limit: 5, continuing: "t+/=")
                == "/api/v1/namespaces/a/secrets?labelSelector=x%3Dy&fieldSelector=type%3Db%2Fc"
                + "&limit=5&continue=t%2B%2F%3D"
        )
        #expect(
            ObjectSelection().listTarget(of: secrets, limit: 5, continuing: nil)
                == "/api/v1/secrets?limit=5"
        )
    }

    @Test func `are watched from a version on`() {
        #expect(
            ObjectSelection(namespace: "a").watchTarget(of: secrets, after: "12", seconds: 60)
                == "/api/v1/namespaces/a/secrets?watch=true&allowWatchBookmarks=true"
                + "&resourceVersion=12&timeoutSeconds=60"
        )
    }

    @Test func `a text in a query is encoded byte by byte`() {
        #expect(percentEncoded("aZ09-._~") == "aZ09-._~")
        #expect(percentEncoded("a b&c=d\n") == "a%20b%26c%3Dd%0A")
        #expect(percentEncoded("ü") == "%C3%BC")
    }
}
