// The words of events.
import Testing

@testable import Processes

@Suite struct `Process events` {
    @Test(arguments: [
        (
            ProcessEvent.started(replica: "sales-1", pid: 7, port: 21_000),
            "sales-1: started as process 7 on port 21000", false
        ),
        (
            .exited(
                replica: "sales-1",
                pid: 7,
                how: "exited with status 1",
                after: .milliseconds(349),
                restartIn: .milliseconds(500)
            ),
            "sales-1: process 7 exited with status 1 after 0.3 s, starts again in 0.5 s", true
        ),
        (
            .startFailed(
                replica: "sales-1",
                error: .commandNotFound("x"),
                retryIn: .milliseconds(29_960)
            ),
            "sales-1: not started: command not found: x; next try in 30.0 s", true
        ),
        (
            .draining(replica: "sales-1", pid: 7),
            "sales-1: process 7 no longer wanted, draining", false
        ),
        (.stopping(replica: "sales-1", pid: 7), "sales-1: stopping process 7", false),
        (
            .killed(replica: "sales-1", pid: 7),
            "sales-1: process 7 did not stop in time, killed", true
        ),
        (
            .stopped(replica: "sales-1", pid: 7, how: "ended by signal 15"),
            "sales-1: process 7 stopped (ended by signal 15)", false
        ),
        (
            .guardReplaced(pid: 7),
            "the guard against orphans had ended; replaced by process 7", true
        ),
        (
            .guardFailed(error: .noFreePort),
            "no guard against orphans: no free port for the process", true
        ),
    ])
    func `read well in a log`(event: ProcessEvent, words: String, isProblem: Bool) {
        #expect(event.description == words)
        #expect(event.isProblem == isProblem)
    }
}
