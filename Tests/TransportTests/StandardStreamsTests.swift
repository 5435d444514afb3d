import Glibc
import Testing

@testable import Transport

@Suite struct `Standard streams` {
    @Test func `are written whole, also through a pipe that does not block`() throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (reading, writing) = (ends[0], ends[1])
        try #require(fcntl(writing, F_SETFL, O_NONBLOCK) == 0)
        // More than a pipe holds, so that the writer has to wait.
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        Thread.start(name: "writer") {
            _ = StandardStreams.write(bytes, to: writing)
            close(writing)
        }
        var arrived: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(reading, &piece, piece.count), count > 0 {
            arrived += piece.prefix(count)
        }
        close(reading)
        #expect(arrived == bytes)
    }

    @Test func `say that nobody reads any more`() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        close(ends[0])
        #expect(!StandardStreams.write([1], to: ends[1]))
        close(ends[1])
    }

    @Test func `say that there is nothing to write to`() {
        #expect(!StandardStreams.write([1], to: -1))
    }

    @Test func `are left alone while they are open`() {
        var before = stat()
        var after = stat()
        fstat(2, &before)
        StandardStreams.secure()
        fstat(2, &after)
        #expect(before.st_ino == after.st_ino && before.st_dev == after.st_dev)
    }
}
