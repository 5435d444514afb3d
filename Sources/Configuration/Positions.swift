// Where in a text a key or a value stands: the way from a setting to its line and column.

/// The places of all keys and values of a text, and its first mistake in writing.
struct Positions {
    /// A mistake that keeps the text from being JSON5.
    struct Mistake: Error {
        var offset: Int
        var message: String
        var hint: String?
    }

    /// A key that stands twice in one object.
    struct Duplicate {
        var key: String
        var offset: Int
        var firstOffset: Int
    }

    /// A key in an object and the node of its value.
    struct Member {
        var key: String
        var offset: Int
        var node: Int
    }

    /// A value and what is in it.
    struct Node {
        var offset: Int
        var members: [Member] = []
        /// Members by key, the first of duplicates.
        var index: [String: Int] = [:]
        var elements: [Int] = []
    }

    /// The first mistake, if there is one.
    let mistake: Mistake?
    /// Every key that stands again where it stood before.
    let duplicates: [Duplicate]

    private let nodes: [Node]
    private let bytes: [UInt8]
    private let lineStarts: [Int]

    /// Scans a text to its end or its first mistake.
    init(of text: String) {
        let bytes = Array(text.utf8)
        let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "\n") }
        let scanner = PlaceScanner(bytes)
        self.bytes = bytes
        lineStarts = [0] + ends.map { $0 + 1 }
        nodes = scanner.nodes
        duplicates = scanner.duplicates
        mistake = scanner.mistake
    }

    /// Where a value stands; the nearest surrounding value when it does not exist itself.
    func value(at path: [PathStep]) -> Position {
        position(at: nearestNode(to: path).map { nodes[$0].offset } ?? 0)
    }

    /// Where a key stands in the object at `path`; the object when it has no such key.
    func key(_ key: String, at path: [PathStep]) -> Position {
        guard let node = nearestNode(to: path) else { return position(at: 0) }
        let member = nodes[node].index[key].map { nodes[node].members[$0] }
        return position(at: member?.offset ?? nodes[node].offset)
    }

    /// The keys of the object at `path` in the order of the text.
    func keys(at path: [PathStep]) -> [String] {
        guard let node = nearestNode(to: path) else { return [] }
        return nodes[node].members.map { $0.key }
    }

    /// Line and column of a byte; beyond the end counts as the end.
    func position(at offset: Int) -> Position {
        let offset = min(offset, bytes.count)
        var line = 0
        var end = lineStarts.count
        while end - line > 1 {
            let middle = (line + end) / 2
            if lineStarts[middle] <= offset { line = middle } else { end = middle }
        }
        let before = String(decoding: bytes[lineStarts[line]..<offset], as: UTF8.self)
        return Position(line: line + 1, column: before.count + 1)
    }

    /// The text of a line, counted from 1, without its end.
    func line(_ number: Int) -> String {
        guard lineStarts.indices.contains(number - 1) else { return "" }
        let end = number < lineStarts.count ? lineStarts[number] : bytes.count
        var line = bytes[lineStarts[number - 1]..<end]
        while let last = line.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") {
            line.removeLast()
        }
        return String(decoding: line, as: UTF8.self)
    }

    private func nearestNode(to path: [PathStep]) -> Int? {
        guard !nodes.isEmpty else { return nil }
        var node = 0
        for step in path {
            switch step {
            case .key(let key):
                guard let member = nodes[node].index[key] else { return node }
                node = nodes[node].members[member].node
            case .index(let index):
                guard nodes[node].elements.indices.contains(index) else { return node }
                node = nodes[node].elements[index]
            }
        }
        return node
    }
}
