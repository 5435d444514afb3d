// The repository as the tests of this folder see it: its files, their lines, and their code.

import Foundation

/// One file of the repository.
struct TreeFile: Sendable, CustomStringConvertible {
    /// From the repository's root on, as `Sources/Gateway/Pool.swift`.
    let path: String
    let text: String
    /// The text line by line.
    let lines: [Substring]
    /// The code without comments and without the insides of string literals, line by line; only
    /// of Swift files.
    let code: [Substring]

    init(path: String, text: String) {
        self.path = path
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code =
            path.hasSuffix(".swift")
            ? blanked(text).split(separator: "\n", omittingEmptySubsequences: false) : []
    }

    var description: String { path }
    /// The lines, from 0, in which a pattern occurs; in the code only, or in the whole text.
    ///
    /// Foundation's expressions: in a debug build they are much the faster ones.
    func lines(with pattern: String, inCode: Bool = false) throws -> [Int] {
        let expression = try NSRegularExpression(pattern: pattern, options: .anchorsMatchLines)
        let text = (inCode ? code : lines).joined(separator: "\n")
        var numbers: [Int] = []
        var place = 0
        var number = 0
        let bytes = text.utf16
        for match in expression.matches(
            in: text,
            range: NSRange(location: 0, length: bytes.count)
        ) {
            let start = match.range.location
            let between = bytes.dropFirst(place).prefix(start - place)
            number += between.count { $0 == 0x0a }
            place = start
            if numbers.last != number { numbers.append(number) }
        }
        return numbers
    }

    /// The name without its folder and its ending.
    var stem: String { String(name.prefix { $0 != "." }) }
    var name: String { String(path.split(separator: "/").last ?? "") }
    /// The first folders of the path: `Sources/Gateway`.
    var module: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }
    var folder: String { path.split(separator: "/").dropLast().joined(separator: "/") }
}

/// All files of the repository that people write.
enum Tree {
    /// The folder with `Package.swift`.
    static let root: URL = {
        // Tests/TidyTests/Tree.swift
        var folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        for _ in 0..<3 { folder.deleteLastPathComponent() }
        return folder
    }()

    /// Files that are read and written by people: no builds, no environments, no data.
    static let files: [TreeFile] = {
        let endings = [
            "swift", "h", "modulemap", "md", "json5", "json", "py", "txt", "yaml", "yml", "sh",
            "toml", "conf",
        ]
        let names = ["Makefile", "Dockerfile", "setup", "run"]
        guard
            let walk = FileManager.default.enumerator(
                at: root,
                includingPropertiesForKeys: [.isRegularFileKey]
            )
        else { return [] }
        var files: [TreeFile] = []
        while let found = walk.nextObject() as? URL {
            let path = String(found.path.dropFirst(root.path.count + 1))
            if isForeign(found.lastPathComponent) {
                walk.skipDescendants()
                continue
            }
            guard endings.contains(found.pathExtension) || names.contains(found.lastPathComponent),
                let text = try? String(contentsOf: found, encoding: .utf8)
            else { continue }
            files.append(TreeFile(path: path, text: text))
        }
        return files.sorted { $0.path < $1.path }
    }()

    /// Folders with what was built, fetched or found, and files that editors leave behind.
    private static func isForeign(_ name: String) -> Bool {
        [".git", ".venv", ".run", "node_modules", "__pycache__", "Corpus", "Crashes"].contains(name)
            || name.hasPrefix(".build") || name.hasPrefix(".#") || name.hasSuffix("~")
    }

    static let swift = files.filter { $0.path.hasSuffix(".swift") }
    static let sources = swift.filter { $0.path.hasPrefix("Sources/") }
    static let tests = swift.filter { $0.path.hasPrefix("Tests/") }

    /// The text of a file that must be there; empty, which no test takes for right, if it is not.
    static func text(of path: String) -> String {
        files.first { $0.path == path }?.text ?? ""
    }
}

/// Swift code with spaces in place of comments and of what stands in string literals.
///
/// What is interpolated stays: it is code.
func blanked(_ text: String) -> String {
    var scanner = CodeScanner(text)
    return scanner.scan()
}

/// Walks over Swift code and tells code from comments and texts.
private struct CodeScanner {
    /// A literal that is open: its delimiter, and the parentheses open in its interpolation.
    private struct Literal {
        let hashes: Int
        let isMultiline: Bool
        var parentheses = 0
    }

    private let bytes: [UInt8]
    private var place = 0
    private var output: [UInt8] = []
    private var literals: [Literal] = []
    /// Whether the place is inside the last literal's text, not its interpolation.
    private var isInText = false

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func scan() -> String {
        while place < bytes.count {
            if isInText { scanText() } else { scanCode() }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private func starts(_ text: String, at place: Int) -> Bool {
        bytes[place...].starts(with: text.utf8)
    }

    private mutating func keep(_ count: Int) {
        output += bytes[place..<min(place + count, bytes.count)]
        place += count
    }

    /// Puts spaces in place of so many bytes, but keeps the lines.
    private mutating func blank(_ count: Int) {
        for byte in bytes[place..<min(place + count, bytes.count)] {
            output.append(byte == 0x0a ? byte : 0x20)
        }
        place += count
    }

    /// Bytes at which code may turn into something else.
    private static let turns: Set<UInt8> = [0x22, 0x23, 0x28, 0x29, 0x2f, 0x60]
    /// Bytes at which a text may turn into something else.
    private static let textTurns: Set<UInt8> = [0x22, 0x5c]

    /// Bytes from here on that are only themselves.
    private func plainBytes(until turns: Set<UInt8>) -> Int {
        var end = place
        while end < bytes.count, !turns.contains(bytes[end]) { end += 1 }
        return end - place
    }

    private mutating func scanCode() {
        let plain = plainBytes(until: CodeScanner.turns)
        if plain > 0 { return keep(plain) }
        if starts("//", at: place) {
            let end = bytes[place...].firstIndex(of: 0x0a) ?? bytes.count
            return blank(end - place)
        }
        if starts("/*", at: place) { return blankComment() }
        if bytes[place] == UInt8(ascii: "`") {
            // A name that is a sentence: nothing in it is code.
            let end = bytes[(place + 1)...].firstIndex(of: UInt8(ascii: "`")) ?? bytes.count - 1
            output.append(UInt8(ascii: "_"))
            return blankName(until: end + 1)
        }
        var hashes = 0
        while place + hashes < bytes.count, bytes[place + hashes] == UInt8(ascii: "#") {
            hashes += 1
        }
        if place + hashes < bytes.count, bytes[place + hashes] == UInt8(ascii: "\"") {
            let isMultiline = starts("\"\"\"", at: place + hashes)
            literals.append(Literal(hashes: hashes, isMultiline: isMultiline))
            isInText = true
            return keep(hashes + (isMultiline ? 3 : 1))
        }
        countParentheses()
        keep(1)
    }

    private mutating func blankName(until end: Int) {
        place += 1
        blank(end - place)
    }

    private mutating func countParentheses() {
        guard let last = literals.indices.last else { return }
        if bytes[place] == UInt8(ascii: "(") { literals[last].parentheses += 1 }
        guard bytes[place] == UInt8(ascii: ")") else { return }
        literals[last].parentheses -= 1
        if literals[last].parentheses == 0 { isInText = true }
    }

    private mutating func blankComment() {
        var depth = 0
        repeat {
            if starts("/*", at: place) {
                depth += 1
                blank(2)
            } else if starts("*/", at: place) {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && place < bytes.count
    }

    private mutating func scanText() {
        guard let last = literals.last else { return }
        let plain = plainBytes(until: CodeScanner.textTurns)
        if plain > 0 { return blank(plain) }
        let marks = String(repeating: "#", count: last.hashes)
        if starts((last.isMultiline ? "\"\"\"" : "\"") + marks, at: place) {
            keep((last.isMultiline ? 3 : 1) + last.hashes)
            literals.removeLast()
            // Back in the interpolation of the literal around it, or in plain code.
            isInText = false
        } else if starts("\\" + marks + "(", at: place) {
            blank(1 + last.hashes)
            keep(1)
            literals[literals.count - 1].parentheses = 1
            isInText = false
        } else if starts("\\" + marks, at: place) {
            blank(2 + last.hashes)
        } else {
            blank(1)
        }
    }
}
