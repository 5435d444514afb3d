import Testing

@testable import Kubernetes

@Suite struct `Pages of a list` {
    private typealias Page = ObjectPage<EndpointSlice>

    @Test func `have a version, and what to go on with`() throws {
        let page = try read(
            Page.self,
            """
            {"kind":"EndpointSliceList","apiVersion":"discovery.k8s.io/v1",
             "metadata":{"resourceVersion":"17","continue":"abc","remainingItemCount":3},
             "items":[{"metadata":{"name":"a","namespace":"n"},"addressType":"IPv4",
                       "endpoints":null,"ports":null}]}
            """
        )
        #expect(page.resourceVersion == "17")
        #expect(page.continuing == "abc")
        #expect(page.objects.map(\.key) == [ObjectKey(namespace: "n", name: "a")])
        #expect(page.problems == [])
    }

    @Test(arguments: [#""items":null"#, #""items":[]"#, #""x":1"#])
    func `may be empty`(items: String) throws {
        let page = try read(
            Page.self,
            #"{"metadata":{"resourceVersion":"1","continue":""},\#(items)}"#
        )
        #expect(page.objects == [])
        #expect(page.continuing == nil)
    }

    @Test func `keep what is right when something is wrong`() throws {
        let page = try read(
            Page.self,
            """
            {"metadata":{"resourceVersion":"1"},"items":[
              {"metadata":{"name":"bad","namespace":"n"},"addressType":7},
              {"nonsense":true}, 5,
              {"metadata":{"name":"good","namespace":"n"},"addressType":"IPv4"}]}
            """
        )
        #expect(page.objects.map(\.metadata.name) == ["good"])
        #expect(page.problems.count == 3)
        #expect(
            page.problems.first
                == "EndpointSlice n/bad cannot be read: items[0].addressType: expected String"
        )
    }

    @Test(arguments: ["", "[]", "{", #"{"items":[]}"#, "<html>", "\u{0}"])
    func `are nothing else`(text: String) {
        #expect(throws: APIFailure.self) { _ = try read(Page.self, text) }
    }

    @Test func `nesting without end is refused`() {
        let text = String(repeating: "[", count: 100_000)
        #expect(throws: APIFailure.self) { _ = try read(Page.self, text) }
    }

    @Test func `keys are in the order of namespace and name`() {
        let keys = [("b", "a"), ("a", "b"), ("a", "a")].map { ObjectKey(namespace: $0, name: $1) }
        #expect(keys.sorted().map { "\($0)" } == ["a/a", "a/b", "b/a"])
        #expect("\(ObjectKey(namespace: "", name: "x"))" == "x")
    }
}
