import Testing

@testable import Transport

@Suite struct `Kernel thread` {
    @Test func `runs its body once, under its name`() async {
        let name = await withCheckedContinuation { continuation in
            Thread.start(name: "a-name-that-is-too-long") {
                continuation.resume(returning: ThreadName.current)
            }
        }
        #expect(name == "a-name-that-is-")
    }
}
