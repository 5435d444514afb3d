// What a started program finds: descriptors, signals, environment; and what a failed start says.
import Glibc
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(2))) struct `Starting a program` {
    @Test func `gives it no descriptor but input, output and errors`() throws {
        let stray = dup(0)
        #expect(fcntl(stray, F_GETFD) == 0)
        let output = try Self.output(of: "ls /proc/$$/fd")
        close(stray)
        #expect(output == "0\n1\n2\n")
    }

    @Test func `gives it an empty input`() throws {
        #expect(try Self.output(of: "cat; echo end") == "end\n")
    }

    @Test func `gives it signals as if nobody had touched them`() throws {
        signal(SIGPIPE, SIG_IGN)
        let output = try Self.output(of: "grep -E 'Sig(Blk|Ign):' /proc/self/status | cut -f2")
        let masks = output.split(separator: "\n").compactMap { UInt64($0, radix: 16) }
        // Signals 1 to 31; the two after them belong to the C library, which lets nobody at them.
        #expect(masks.map { $0 & 0x7FFF_FFFF } == [0, 0])
    }

    @Test func `makes it the leader of its own group`() throws {
        let output = try Self.output(of: "cut -d' ' -f1,5 /proc/$$/stat")
        let numbers = output.split { $0 == " " || $0 == "\n" }
        #expect(numbers.count == 2)
        #expect(numbers.first == numbers.last)
    }

    @Test func `adds to the environment and replaces in it`() throws {
        setenv("SLUICE_TEST_KEPT", "kept", 1)
        setenv("SLUICE_TEST_REPLACED", "old", 1)
        let output = try Self.output(
            of: "env | grep ^SLUICE_TEST_ | sort",
            environment: ["SLUICE_TEST_REPLACED": "new", "SLUICE_TEST_ADDED": "a=b\nc"]
        )
        #expect(
            output == "SLUICE_TEST_ADDED=a=b\nSLUICE_TEST_KEPT=kept\nSLUICE_TEST_REPLACED=new\n"
        )
    }

    @Test func `looks for it in the PATH it will have`() throws {
        let error = #expect(throws: ProcessError.self) {
            _ = try Self.start(["sh", "-c", "true"], environment: ["PATH": "/nowhere"])
        }
        #expect(error == .commandNotFound("sh"))
    }

    @Test(arguments: [
        (["no-such-program-here"], ProcessError.commandNotFound("no-such-program-here")),
        (["/no/such/program"], .commandNotFound("/no/such/program")),
        (["/etc/passwd"], .notExecutable("/etc/passwd")),
        (["/"], .notExecutable("/")),
        ([], .invalidCommand("it is empty")),
        ([""], .invalidCommand("it is empty")),
        (["sh", "a\0b"], .invalidCommand("a NUL in \"a\\0b\"")),
    ])
    func `says why it could not`(command: [String], error: ProcessError) {
        #expect(throws: error) {
            _ = try Self.start(command, environment: [:])
        }
    }

    @Test func `reports how it ended`() throws {
        #expect(ExitStatus(3 << 8).description == "exited with status 3")
        #expect(ExitStatus(9).description == "ended by signal 9")
        #expect(ExitStatus(0x80 | 11).description == "ended by signal 11")
    }

    /// What `sh -c script` writes until it ends.
    private static func output(
        of script: String,
        environment: [String: String] = [:]
    ) throws -> String {
        let (pid, reader) = try start(["sh", "-c", script], environment: environment)
        let descriptor = Descriptor(reader)
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            var interests = [Interest(reader)]
            System.wait(for: &interests, atMost: .seconds(60))
            try #require(interests[0].isReady, "the program neither wrote nor ended")
            guard let count = System.read(descriptor, into: &buffer) else {
                continue
            }
            if count == 0 {
                break
            }
            bytes += buffer[..<count]
        }
        #expect(ProcessTable.waitForEnd(of: pid))
        #expect(System.reap(pid) != nil)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func start(
        _ command: [String],
        environment: [String: String]
    ) throws -> (pid: Int32, reader: Int32) {
        let pipe = try System.makeOutputPipe()
        let writer = Descriptor(pipe.writer)
        let processGuard = try ProcessGuard()
        defer {
            processGuard.end()
        }
        do {
            let pid = try System.spawn(
                command,
                environment: environment,
                output: writer,
                guardedBy: processGuard.socket
            )
            processGuard.forget(group: pid)
            return (pid, pipe.reader)
        } catch {
            close(pipe.reader)
            throw error
        }
    }
}
