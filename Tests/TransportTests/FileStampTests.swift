import Glibc
import Testing

@testable import Transport

@Suite struct `File stamp` {
    @Test func `stays the same while nobody touches the file`() throws {
        try withFolder { folder in
            write("a", to: folder + "/a")
            let stamp = try #require(FileStamp(of: folder + "/a"))
            #expect(FileStamp(of: folder + "/a") == stamp)
        }
    }

    @Test func `changes when the file is written to`() throws {
        try withFolder { folder in
            write("a", to: folder + "/a")
            let before = FileStamp(of: folder + "/a")
            write("ab", to: folder + "/a")
            #expect(FileStamp(of: folder + "/a") != before)
        }
    }

    @Test func `changes when another file takes its name`() throws {
        try withFolder { folder in
            write("a", to: folder + "/a")
            let before = FileStamp(of: folder + "/a")
            write("b", to: folder + "/b")
            rename(folder + "/b", folder + "/a")
            #expect(FileStamp(of: folder + "/a") != before)
        }
    }

    @Test func `changes when a link on the way leads elsewhere`() throws {
        try withFolder { folder in
            write("a", to: folder + "/a")
            write("a", to: folder + "/b")
            symlink("a", folder + "/link")
            let before = FileStamp(of: folder + "/link")
            unlink(folder + "/link")
            symlink("b", folder + "/link")
            #expect(before != nil && FileStamp(of: folder + "/link") != before)
        }
    }

    @Test func `is none for a file that is not there`() {
        #expect(FileStamp(of: "/nowhere/at/all") == nil)
    }

    private func write(_ text: String, to path: String) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = StandardStreams.write(Array(text.utf8), to: descriptor)
        close(descriptor)
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/sluice-stamp-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let folder = String(
            decoding: template.dropLast().map(UInt8.init(bitPattern:)),
            as: UTF8.self
        )
        defer {
            for name in ["a", "b", "link"] { unlink(folder + "/" + name) }
            rmdir(folder)
        }
        try body(folder)
    }
}
