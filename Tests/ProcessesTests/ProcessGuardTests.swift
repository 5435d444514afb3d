// The guard against orphans, by closing its gateway's end: what the kernel does on SIGKILL.
import Glibc
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(2))) struct `The guard` {
    @Test func `ends a group with its grandchildren when the gateway is gone`() throws {
        let group = try Group("sleep 1000 & echo up; wait")
        group.releaseGuard()
        #expect(group.waitUntilNobodyWrites())
    }

    @Test func `asks politely first`() throws {
        let group = try Group("trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.01; done")
        group.releaseGuard()
        #expect(group.waitUntilNobodyWrites())
        #expect(group.output.contains("bye"))
    }

    @Test func `kills what does not listen`() throws {
        let group = try Group("trap '' TERM; echo up; while :; do sleep 1; done")
        group.releaseGuard()
        #expect(group.waitUntilNobodyWrites())
    }

    @Test func `leaves alone what it was told to forget`() throws {
        let group = try Group("echo up; exec sleep 1000")
        group.processGuard.forget(group: group.pid)
        group.releaseGuard()
        #expect(group.waitUntilGuardEnded())
        #expect(ProcessTable.isAlive(group.pid))
        group.kill()
        #expect(group.waitUntilNobodyWrites())
    }

    @Test func `does not mind signals meant for the gateway`() throws {
        let group = try Group("echo up; exec sleep 1000")
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGPIPE] {
            System.signal(group.guardPID, signal)
        }
        group.releaseGuard()
        #expect(group.waitUntilNobodyWrites())
    }

    @Test func `holds none of the gateway's descriptors`() throws {
        let pipe = try System.makeOutputPipe()
        let reader = Descriptor(pipe.reader)
        let processGuard = try ProcessGuard()
        close(pipe.writer)
        var buffer: [UInt8] = [0]
        // The end of the pipe is seen only when nobody else holds its other side.
        var interests = [Interest(reader.raw)]
        System.wait(for: &interests, atMost: .seconds(60))
        #expect(System.read(reader, into: &buffer) == 0)
        #expect(ProcessTable.isAlive(processGuard.pid))
        processGuard.end()
    }

    /// A guarded `sh -c script` that has written its first bytes.
    private final class Group {
        let pid: Int32
        let processGuard: ProcessGuard
        let guardPID: Int32
        private let reader: Descriptor
        private var bytes: [UInt8] = []

        init(_ script: String) throws {
            let pipe = try System.makeOutputPipe()
            reader = Descriptor(pipe.reader)
            let writer = Descriptor(pipe.writer)
            let made = try ProcessGuard()
            processGuard = made
            guardPID = made.pid
            pid = try System.spawn(
                ["sh", "-c", script],
                environment: [:],
                output: writer,
                guardedBy: made.socket
            )
            let isUp = readSome()
            try #require(isUp)
        }

        deinit {
            kill()
            _ = ProcessTable.waitForEnd(of: pid)
            _ = System.reap(pid)
            processGuard.end()
        }

        var output: String {
            String(decoding: bytes, as: UTF8.self)
        }

        func releaseGuard() {
            processGuard.release()
        }

        func waitUntilGuardEnded() -> Bool {
            ProcessTable.waitForEnd(of: guardPID)
        }

        func kill() {
            System.signalGroup(pid, SIGKILL)
        }

        /// The pipe ends when the last member of the group is gone.
        func waitUntilNobodyWrites() -> Bool {
            while readSome() {}
            var buffer: [UInt8] = [0]
            return System.read(reader, into: &buffer) == 0
        }

        private func readSome() -> Bool {
            var interests = [Interest(reader.raw)]
            System.wait(for: &interests, atMost: .seconds(60))
            var buffer = [UInt8](repeating: 0, count: 4_096)
            guard let count = System.read(reader, into: &buffer), count > 0 else {
                return false
            }
            bytes += buffer[..<count]
            return true
        }
    }
}
