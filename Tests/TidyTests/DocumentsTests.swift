import Foundation
import Testing

/// The documents keep up with the code, and their links lead somewhere.
@Suite struct `Documents` {
    /// Metric names as the sources write them.
    static let metrics: Set<String> = {
        var names: Set<String> = []
        for file in Tree.sources {
            for match in file.text.matches(of: /"((sluice|process)_[a-z_]+)"/) {
                names.insert(String(match.output.1))
            }
        }
        return names
    }()

    @Test func `every metric is documented`() {
        let page = Tree.text(of: "docs/metrics.md")
        #expect(Self.metrics.count > 25)
        for name in Self.metrics.sorted() {
            let isThere = page.contains("`\(name)`")
            #expect(isThere, "\(name)")
        }
    }

    @Test func `every documented metric exists`() {
        let page = Tree.text(of: "docs/metrics.md")
        for match in page.matches(of: /`((sluice|process)_[a-z_]+)/) {
            #expect(Self.metrics.contains(String(match.output.1)), "\(match.output.1)")
        }
    }

    @Test func `every reason of an exchange is documented`() {
        let page = Tree.text(of: "docs/metrics.md")
        let source = Tree.text(of: "Sources/Telemetry/Reason.swift")
        let reasons = source.matches(of: /case \.\w+: "([a-z_]+)"/).map { String($0.output.1) }
        #expect(reasons.count == 15)
        for reason in reasons {
            let isThere = page.contains("`\(reason)`")
            #expect(isThere, "\(reason)")
        }
    }

    @Test func `links to files are alive`() {
        for file in Tree.files where file.path.hasSuffix(".md") {
            for match in file.text.matches(of: /\]\(([^)\s]+)\)/) {
                let link = String(match.output.1)
                if link.contains("://") || link.hasPrefix("#") || link.hasPrefix("mailto:") {
                    continue
                }
                let path = link.prefix { $0 != "#" }
                let target = Tree.root.appendingPathComponent(file.folder)
                    .appendingPathComponent(String(path)).standardizedFileURL
                #expect(
                    FileManager.default.fileExists(atPath: target.path),
                    "\(file.path): \(link)"
                )
            }
        }
    }

    @Test func `files that documents name are there`() throws {
        let pattern = /`((?:Sources|Tests|conf|docs|docker|k8s|bench)\/[\w.\/-]+\.\w+)`/
        for file in Tree.files where file.path.hasSuffix(".md") {
            for match in file.text.matches(of: pattern) {
                let target = Tree.root.appendingPathComponent(String(match.output.1))
                #expect(
                    FileManager.default.fileExists(atPath: target.path),
                    "\(file.path): \(match.output.1)"
                )
            }
        }
    }

    @Test func `the way of a request fits on its pages`() {
        let lines = Tree.text(of: "ARCHITECTURE.md").split(separator: "\n")
        #expect((1...200).contains(lines.count), "\(lines.count) lines")
    }

    @Test func `every target of make says what it does`() {
        let lines = Tree.text(of: "Makefile").split(separator: "\n")
        for target in ["build", "run", "test", "sim", "surge", "check", "lint", "format"] {
            let isDescribed = lines.contains { $0.hasPrefix(target + ":") && $0.contains("## ") }
            #expect(isDescribed, "\(target)")
        }
    }
}
