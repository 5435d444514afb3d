import Foundation
import Telemetry
import Testing

@testable import sluice

@Suite struct `Line writer` {
    @Test func `writes lines in their order`() {
        let pipe = Pipe()
        let writer = LineWriter(to: pipe.fileHandleForWriting.fileDescriptor)
        writer.start(name: "test")
        for number in 0..<100 { writer.write("\(number)\n") }
        writer.finish()
        #expect(read(pipe) == (0..<100).map { "\($0)\n" }.joined())
    }

    @Test func `writes the access log too`() {
        let pipe = Pipe()
        let log = AccessLogBuffer()
        let writer = LineWriter(to: pipe.fileHandleForWriting.fileDescriptor)
        log.append(Array("before\n".utf8))
        writer.start(name: "test", taking: log)
        log.append(Array("after\n".utf8))
        writer.finish()
        #expect(read(pipe) == "before\nafter\n")
    }

    @Test func `counts what finds no room`() {
        let writer = LineWriter(to: -1, bytesMax: 10)
        for _ in 0..<3 { writer.write("12345\n") }
        #expect(writer.dropped == 2)
    }

    @Test func `ends although nobody reads any more`() {
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        try? pipe.fileHandleForReading.close()
        let writer = LineWriter(to: pipe.fileHandleForWriting.fileDescriptor)
        writer.start(name: "test")
        writer.write("lost\n")
        writer.finish()
    }

    private func read(_ pipe: Pipe) -> String {
        try? pipe.fileHandleForWriting.close()
        let data = try? pipe.fileHandleForReading.readToEnd()
        return String(decoding: data ?? Data(), as: UTF8.self)
    }
}
