import Glibc
import Testing
import Transport

@Suite struct `System error` {
    @Test func `says which call failed and why`() {
        let error = SystemError(code: ECONNREFUSED, call: "connect")
        #expect(error.description == "connect: Connection refused")
    }

    @Test(arguments: [
        (ECONNREFUSED, true), (ECONNRESET, true), (EPIPE, true), (ETIMEDOUT, true),
        (EHOSTUNREACH, true), (ENETUNREACH, true), (ENOTCONN, true), (ECONNABORTED, true),
        (EMFILE, false), (ENFILE, false), (ENOMEM, false), (EADDRINUSE, false), (EBADF, false),
    ])
    func `knows whose fault it is`(code: Int32, isPeers: Bool) {
        #expect(SystemError(code: code, call: "x").isPeers == isPeers)
    }

    @Test func `is the same whatever call gave it`() {
        #expect(SystemError(code: EPIPE, call: "send") == SystemError(code: EPIPE, call: "recv"))
        #expect(SystemError(code: EPIPE, call: "send") != SystemError(code: EIO, call: "send"))
    }
}
