// A file that lasts as long as a test.

import Foundation

/// Writes a text to a new file, and removes it afterwards.
func withFile(_ text: String, _ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory
        .appendingPathComponent("sluice-\(UUID().uuidString).json5").path
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
}

/// A configuration that is in order.
let goodText = """
    { listeners: [{ address: "127.0.0.1:0" }], pools: { sales: { replicas: ["10.0.0.1:1"] } },
      routes: [{ path: "/", pool: "sales" }] }
    """
