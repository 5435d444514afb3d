import Configuration
import Foundation
import Testing

@testable import sluice

@Suite struct `Loading a file` {
    @Test func `gives its configuration`() throws {
        try withFile(goodText) { path in
            let configuration = try loadConfiguration(path) { _ in }
            try #require(configuration.pools.map(\.name) == ["sales"])
        }
    }

    @Test func `gives its problems with their places`() throws {
        try withFile("{ listeners: [") { path in
            let failure = #expect(throws: LoadFailure.self) {
                try loadConfiguration(path) { _ in }
            }
            #expect(failure?.text.hasPrefix("\(path):1:14: error: ") == true)
        }
    }

    @Test func `passes warnings on`() throws {
        let text = goodText.replacing("pools: {", with: "pools: { unused: { replicas: [] },")
        try withFile(text) { path in
            var warnings: [String] = []
            _ = try loadConfiguration(path) { warnings.append($0) }
            #expect(warnings.count == 1 && warnings.first?.contains("unused") == true)
        }
    }

    @Test func `says that there is no such file`() {
        let failure = #expect(throws: LoadFailure.self) { try readText("/nowhere/x.json5") }
        #expect(failure?.text == "/nowhere/x.json5: no such file")
    }

    @Test func `says that a folder is no file`() {
        #expect(throws: LoadFailure(text: "/: cannot be read")) { try readText("/") }
    }
}
