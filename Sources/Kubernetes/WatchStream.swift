// A watch: an answer that goes on, one JSON object a line, each an event.

/// What happened to an object, or to the watch itself.
package enum WatchEvent<Object: APIObject>: Sendable, Equatable {
    /// It is new, or as it is now.
    case changed(Object)
    /// It is gone.
    case deleted(Object)
    /// Nothing happened up to this version.
    case bookmark(String)
    /// The watch is over.
    case failed(APIStatus)
    /// It changed into something that cannot be read: why, and its version.
    case unreadable(String, resourceVersion: String?)
    /// A type that this version does not know.
    case unknown(String)
}

extension WatchEvent: Decodable {
    private enum Key: CodingKey { case type, object }

    /// The metadata of any object at all: a bookmark has nothing else.
    private struct Versioned: Decodable {
        struct Metadata: Decodable { var resourceVersion: String? }
        var metadata: Metadata?
    }

    /// Reads `{"type": "ADDED", "object": {…}}`.
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        let type = try members.decode(String.self, forKey: .type)
        switch type {
        case "ADDED", "MODIFIED", "DELETED":
            switch try members.decode(Readable<Object>.self, forKey: .object) {
            case .object(let object): self = type == "DELETED" ? .deleted(object) : .changed(object)
            case .unreadable(let why):
                let bare = try members.decode(Versioned.self, forKey: .object)
                self = .unreadable(why, resourceVersion: bare.metadata?.resourceVersion)
            }
        case "BOOKMARK":
            let bare = try members.decode(Versioned.self, forKey: .object)
            self = .bookmark(bare.metadata?.resourceVersion ?? "")
        case "ERROR":
            self = .failed(try members.decode(APIStatus.self, forKey: .object))
        default:
            self = .unknown(type)
        }
    }
}

/// Cuts the bytes of a watch into lines, however they arrive.
package struct LineSplitter: Sendable {
    /// A longer line is refused: an object has at most 1.5 MiB in the API's own store.
    package static let lineBytesMax = 4 << 20

    private var pending: [UInt8] = []

    /// A splitter at the start of a line.
    package init() {}

    /// Bytes of a line whose end has not come.
    package var pendingBytes: Int { pending.count }

    /// Takes what has come; returns the lines that are whole now, without their ends.
    ///
    /// O(bytes). Empty lines are left out.
    /// - Throws: `tooLarge` when a line has no end within `lineBytesMax`.
    package mutating func take(_ bytes: [UInt8]) throws(APIFailure) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var start = bytes.startIndex
        while let end = bytes[start...].firstIndex(of: 0x0a) {
            guard pending.count + (end - start) <= Self.lineBytesMax else { throw .tooLarge }
            var line = pending
            line.append(contentsOf: bytes[start..<end])
            pending.removeAll()
            if line.last == 0x0d { line.removeLast() }
            if !line.isEmpty { lines.append(line) }
            start = end + 1
        }
        guard pending.count + (bytes.endIndex - start) <= Self.lineBytesMax else {
            throw .tooLarge
        }
        pending.append(contentsOf: bytes[start...])
        return lines
    }
}
