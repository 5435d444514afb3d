import Testing

@testable import Kubernetes

@Suite struct `Copies of objects` {
    private typealias Copy = Reflector<EndpointSlice>

    private func page(
        _ names: [String],
        version: String = "100",
        continuing: String? = nil
    ) throws -> ObjectPage<EndpointSlice> {
        var page = ObjectPage<EndpointSlice>()
        page.objects = try names.map { try slice($0, []) }
        page.resourceVersion = version
        page.continuing = continuing
        return page
    }

    private func names(_ copy: Copy) -> [String] { copy.sorted.map(\.metadata.name) }

    /// A copy that is watching from version 100.
    private func watching(_ names: [String] = ["a", "b"], objectsMax: Int = 100) throws -> Copy {
        var copy = Copy(objectsMax: objectsMax)
        _ = copy.take(try page(names))
        return copy
    }

    private func refused(_ code: Int) -> APIFailure {
        .refused(code: code, APIStatus(), retryAfter: nil)
    }

    @Test func `lists first, then watches from the list's version`() throws {
        var copy = Copy()
        #expect(copy.next == .list(limit: 250, continuing: nil))
        #expect(!copy.isSynced)
        let hasChanged = copy.take(try page(["b", "a"], version: "17"))
        #expect(hasChanged)
        #expect(copy.next == .watch(after: "17"))
        #expect(copy.isSynced)
        #expect(names(copy) == ["a", "b"])
    }

    @Test func `an empty first list is news, the same list again is none`() throws {
        var copy = Copy()
        let first = copy.take(try page([]))
        _ = copy.failed(refused(410), random: 0)
        let second = copy.take(try page([]))
        #expect(first && !second)
    }

    @Test func `pages take effect together`() throws {
        var copy = try watching(["old"])
        _ = copy.failed(refused(410), random: 0)
        #expect(!copy.take(try page(["a"], continuing: "t1")))
        #expect(copy.next == .list(limit: 250, continuing: "t1"))
        #expect(names(copy) == ["old"])
        let hasChanged = copy.take(try page(["b"], version: "200"))
        #expect(hasChanged)
        #expect(names(copy) == ["a", "b"])
        #expect(copy.next == .watch(after: "200"))
    }

    @Test func `a list that breaks off is begun anew, and what was known stands`() throws {
        var copy = try watching(["old"])
        _ = copy.failed(refused(410), random: 0)
        _ = copy.take(try page(["a"], continuing: "t1"))
        _ = copy.failed(.unreachable("cut"), random: 0)
        #expect(copy.next == .list(limit: 250, continuing: nil))
        #expect(names(copy) == ["old"])
        _ = copy.take(try page(["b"]))
        #expect(names(copy) == ["b"])
    }

    @Test func `events change the copy and move its version on`() throws {
        var copy = try watching()
        #expect(copy.take(.changed(try slice("c", [], version: 101))) == .changed)
        #expect(copy.next == .watch(after: "101"))
        #expect(copy.take(.changed(try slice("c", [], version: 101))) == .unchanged)
        #expect(copy.take(.deleted(try slice("a", [], version: 102))) == .changed)
        #expect(copy.take(.deleted(try slice("zzz", [], version: 103))) == .unchanged)
        #expect(names(copy) == ["b", "c"])
        #expect(copy.take(.bookmark("150")) == .unchanged)
        #expect(copy.next == .watch(after: "150"))
        #expect(copy.take(.bookmark("")) == .unchanged)
        #expect(copy.take(.unknown("X")) == .unchanged)
        #expect(copy.next == .watch(after: "150"))
    }

    @Test func `an object that cannot be read stays as it was`() throws {
        var copy = try watching()
        #expect(copy.take(.unreadable("a is odd", resourceVersion: "104")) == .changed)
        #expect(copy.take(.unreadable("a is odd", resourceVersion: "105")) == .unchanged)
        #expect(names(copy) == ["a", "b"])
        #expect(copy.problems == ["a is odd"])
        #expect(copy.next == .watch(after: "105"))
        for number in 0..<100 {
            _ = copy.take(.unreadable("\(number)", resourceVersion: nil))
        }
        #expect(copy.problems.count == 20)
    }

    @Test func `an expired version means a new list, at once the first time`() throws {
        var copy = try watching()
        #expect(copy.failed(refused(410), random: .max) == .zero)
        #expect(copy.next == .list(limit: 250, continuing: nil))
        #expect(copy.failed(refused(410), random: .max) > .milliseconds(900))
        #expect(names(copy) == ["a", "b"])
    }

    @Test func `an ERROR event ends the watch`() throws {
        var copy = try watching()
        let status = APIStatus(message: "x", reason: "InternalError", code: 500)
        let reaction = copy.take(.failed(status))
        #expect(reaction == .over(.refused(code: 500, status, retryAfter: nil)))
    }

    @Test func `a connection that broke is taken up again where it was`() throws {
        var copy = try watching()
        for failure in [APIFailure.unreachable("x"), .timedOut] {
            for _ in 0..<20 { _ = copy.failed(failure, random: 0) }
        }
        #expect(copy.next == .watch(after: "100"))
    }

    @Test func `a watch that is refused three times is listed anew`() throws {
        var copy = try watching()
        _ = copy.failed(refused(504), random: 0)
        _ = copy.failed(refused(504), random: 0)
        #expect(copy.next == .watch(after: "100"))
        _ = copy.failed(refused(504), random: 0)
        #expect(copy.next == .list(limit: 250, continuing: nil))
    }

    @Test func `a refused token is tried again at once, but once only`() throws {
        var copy = try watching()
        #expect(copy.failed(refused(401), random: 0) == .zero)
        #expect(copy.failed(refused(401), random: 0) > .zero)
        #expect(copy.next == .watch(after: "100"))
    }

    @Test func `what is no answer of the API means a new list`() throws {
        for failure in [APIFailure.malformed("x"), .tooLarge, refused(400)] {
            var copy = try watching()
            _ = copy.failed(failure, random: 0)
            #expect(copy.next == .list(limit: 250, continuing: nil))
        }
    }

    @Test func `a page that is too large is asked for in smaller ones`() throws {
        var copy = Copy()
        var limits: [Int] = []
        for _ in 0..<4 {
            let pause = copy.failed(.tooLarge, random: 0)
            guard case .list(let limit, _) = copy.next else { return }
            limits.append(limit)
            #expect((pause == .zero) == (limits.count < 4))
        }
        #expect(limits == [31, 3, 1, 1])
    }

    @Test func `the API's own pause is kept`() throws {
        var copy = try watching()
        let busy = APIFailure.refused(code: 429, APIStatus(), retryAfter: 20)
        #expect(copy.failed(busy, random: 0) == .seconds(20))
    }

    @Test func `a watch that ends well goes on without a pause, unless it was very short`()
        throws
    {
        var copy = try watching()
        let soon = Duration.milliseconds(10)
        #expect(copy.watchEnded(after: soon, gaveEvents: true, random: 0) == .zero)
        #expect(copy.watchEnded(after: .seconds(60), gaveEvents: false, random: 0) == .zero)
        #expect(copy.watchEnded(after: soon, gaveEvents: false, random: 0) > .zero)
        #expect(copy.failures == 1)
        #expect(copy.next == .watch(after: "100"))
    }

    @Test func `objects beyond the bound are counted and left out`() throws {
        var copy = Copy(objectsMax: 2)
        _ = copy.take(try page(["a", "b", "c", "d"]))
        #expect(names(copy) == ["a", "b"])
        #expect(copy.omitted == 2)
        #expect(copy.take(.changed(try slice("e", [], version: 101))) == .changed)
        #expect(copy.omitted == 3)
        #expect(copy.take(.changed(try slice("a", [], version: 102))) == .changed)
        #expect(names(copy) == ["a", "b"])
        #expect(copy.take(.deleted(try slice("c", [], version: 103))) == .changed)
        #expect(copy.omitted == 2)
    }
}
