// How a command learns its port.
import Testing

@testable import Processes

@Suite struct `A child process` {
    @Test(arguments: [
        ("--port=$PORT", "--port=20001"), ("$PORT:$PORT", "20001:20001"), ("$PORTAL", "$PORTAL"),
        ("$PORT_2", "$PORT_2"), ("$PORT2", "$PORT2"), ("$PORT-2", "20001-2"), ("$POR", "$POR"),
        ("$$PORT", "$20001"), ("$", "$"), ("", ""), ("PORT", "PORT"), ("é$PORT☃", "é20001☃"),
    ])
    func `finds its port in place of the name`(argument: String, replaced: String) {
        #expect(ChildProcess.replacePort(in: argument, by: 20_001) == replaced)
    }
}
