import Foundation
import Testing

@testable import Transport

@Suite struct `Small file` {
    /// A file that is removed when the test is over.
    private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
        let place = FileManager.default.temporaryDirectory
            .appending(path: "sluice-\(UUID().uuidString)")
        try Data(bytes).write(to: place)
        defer { try? FileManager.default.removeItem(at: place) }
        try body(place.path)
    }

    @Test(arguments: [0, 1, 16_384, 16_385, 50_000])
    func `is read whole`(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try withFile(bytes) { path in
            let read = try readSmallFile(path, bytesMax: 50_000)
            #expect(read == bytes)
        }
    }

    @Test func `is refused when it is longer than allowed`() throws {
        try withFile([1, 2, 3]) { path in
            let read = try readSmallFile(path, bytesMax: 3)
            #expect(read == [1, 2, 3])
            let error = #expect(throws: SystemError.self) {
                _ = try readSmallFile(path, bytesMax: 2)
            }
            #expect(error?.code == EFBIG)
        }
    }

    @Test func `that is not there is an error with its cause`() {
        let error = #expect(throws: SystemError.self) {
            _ = try readSmallFile("/nowhere/at/all", bytesMax: 10)
        }
        #expect(error?.code == ENOENT)
        #expect(throws: SystemError.self) { _ = try readSmallFile("/", bytesMax: 10) }
    }

    @Test func `is read up to a length, and waited for when it is a pipe`() throws {
        try withFile([1, 2, 3]) { path in
            let two = try readBeginning(of: path, upTo: 2)
            #expect(two == [1, 2])
            let all = try readBeginning(of: path, upTo: 4)
            #expect(all == [1, 2, 3])
        }
        let pipe = FileManager.default.temporaryDirectory
            .appending(path: "sluice-\(UUID().uuidString)").path
        try #require(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        let writer = Thread {
            let file = FileHandle(forWritingAtPath: pipe)
            file?.write(Data([1, 2]))
            file?.write(Data([3]))
            file?.closeFile()
        }
        writer.start()
        #expect(try readBeginning(of: pipe, upTo: 100) == [1, 2, 3])
        let error = #expect(throws: SystemError.self) {
            _ = try readBeginning(of: "/nowhere/at/all", upTo: 10)
        }
        #expect(error?.code == ENOENT)
    }
}
