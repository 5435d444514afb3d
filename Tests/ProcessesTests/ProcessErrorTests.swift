// The words of errors.
import Glibc
import Testing

@testable import Processes

@Suite struct `Process errors` {
    @Test(arguments: [
        (ProcessError.commandNotFound("serv"), "command not found: serv"),
        (.notExecutable("/etc/passwd"), "not executable: /etc/passwd"),
        (.invalidCommand("it is empty"), "invalid command: it is empty"),
        (.noFreePort, "no free port for the process"),
        (.system(call: "pipe", code: EMFILE), "pipe failed: Too many open files"),
    ])
    func `say what to look at`(error: ProcessError, words: String) {
        #expect(error.description == words)
    }
}
