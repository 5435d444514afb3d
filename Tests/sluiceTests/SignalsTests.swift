import Dispatch
import Foundation
import Testing

@testable import sluice

@Suite struct `Signals that are handled` {
    @Test func `become calls`() {
        // One that is ignored unless somebody handles it, since this is not the first thread.
        let signals = Signals(taking: [SIGURG])
        let called = DispatchSemaphore(value: 0)
        signals.handle(SIGURG) { called.signal() }
        var tries = 0
        repeat {
            kill(getpid(), SIGURG)
            tries += 1
        } while called.wait(timeout: .now() + .milliseconds(10)) == .timedOut && tries < 1000
        #expect(tries < 1000)
        withExtendedLifetime(signals) {}
    }
}
