import Glibc
import Testing

@testable import Transport

@Suite struct `Signal mask` {
    @Test func `holds signals back on the thread that asks, and on those it starts`() async {
        let isBlocked = await withCheckedContinuation { continuation in
            Thread.start(name: "outer") {
                SignalMask.block([SIGURG])
                Thread.start(name: "inner") {
                    var set = sigset_t()
                    pthread_sigmask(SIG_BLOCK, nil, &set)
                    continuation.resume(returning: sigismember(&set, SIGURG) == 1)
                }
            }
        }
        #expect(isBlocked)
    }
}
