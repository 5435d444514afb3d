import Testing

@testable import Kubernetes

@Suite struct `Failures of the API` {
    private func words(_ failure: APIFailure, _ verb: Verb = .list) -> String {
        failure.words(verb, EndpointSlice.resource, in: "shop")
    }

    @Test func `a missing permission names verb, resource and place`() {
        let status = APIStatus(message: "is forbidden: User x", reason: "Forbidden", code: 403)
        #expect(
            words(.refused(code: 403, status, retryAfter: nil), .watch)
                == "cannot watch endpointslices.discovery.k8s.io in namespace shop: 403: the "
                + "service account lacks the verb `watch` on endpointslices.discovery.k8s.io; a "
                + "Role must grant it (is forbidden: User x)"
        )
        let everywhere = APIFailure.refused(code: 403, APIStatus(), retryAfter: nil)
            .words(.list, EndpointSlice.resource, in: nil)
        #expect(everywhere.contains("in all namespaces"))
        #expect(everywhere.hasSuffix("a ClusterRole must grant it"))
    }

    @Test(arguments: [
        (APIFailure.unreachable("10.0.0.1:1: connect: refused"), "10.0.0.1:1: connect: refused"),
        (.timedOut, "did not answer in time"),
        (.malformed("x"), "not an answer of the API: x"),
        (.tooLarge, "too large"),
        (.refused(code: 401, APIStatus(message: "Unauthorized"), retryAfter: nil), "token"),
        (.refused(code: 404, APIStatus(), retryAfter: nil), "does not know it"),
        (.refused(code: 500, APIStatus(message: "etcd"), retryAfter: nil), "500 (etcd)"),
    ])
    func `each says what it is`(failure: APIFailure, part: String) {
        #expect(words(failure).hasPrefix("cannot list endpointslices.discovery.k8s.io in "))
        #expect(words(failure).contains(part))
    }

    @Test func `a long story is shortened`() {
        let status = APIStatus(message: String(repeating: "x", count: 10_000))
        #expect(words(.refused(code: 500, status, retryAfter: nil)).count < 600)
    }

    @Test func `an expired version is told in two ways`() {
        #expect(APIFailure.refused(code: 410, APIStatus(), retryAfter: nil).isExpired)
        let byReason = APIStatus(reason: "Expired", code: 500)
        #expect(APIFailure.refused(code: 500, byReason, retryAfter: nil).isExpired)
        #expect(!APIFailure.refused(code: 404, APIStatus(), retryAfter: nil).isExpired)
        #expect(!APIFailure.timedOut.isExpired)
    }

    @Test func `a pause that is asked for is bounded`() {
        let pause = { (seconds: Int?) in
            APIFailure.refused(code: 429, APIStatus(), retryAfter: seconds).pause
        }
        #expect(pause(nil) == nil)
        #expect(pause(5) == .seconds(5))
        #expect(pause(100_000) == .seconds(60))
        #expect(pause(-1) == .zero)
    }
}
