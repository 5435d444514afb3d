// Reads the gateway's metrics from inside a world, over its admin address.

import Simulation
import Transport

/// One request for `/metrics`, and what came back.
final class MetricsReader {
    private var reader = MessageReader(readsResponses: true)
    private var text: [UInt8] = []
    private(set) var isComplete = false

    init(in world: SimulatedWorld, at address: Address) {
        reader.expectedMethods = ["GET"]
        let peer = world.connect(
            from: Address(bytes: [127, 0, 0, 1], port: 50_000),
            to: address
        ) { [self] peer in
            reader.feed(peer.read())
            while let part = reader.next() {
                switch part {
                case .head: continue
                case .body(let bytes): text += bytes
                case .invalid(let reason): world.violate("metrics: \(reason)")
                case .end:
                    isComplete = true
                    return peer.close()
                }
            }
        }
        peer.write(Array("GET /metrics HTTP/1.1\r\nHost: admin\r\n\r\n".utf8))
    }

    /// The sum of a metric's series for each value of a label that is a number.
    func sum(_ metric: String, by label: String) -> [Int: Int] {
        var sums: [Int: Int] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n")
        where line.hasPrefix(metric + "{") {
            guard let mark = line.firstRange(of: "\(label)=\""),
                let key = Int(line[mark.upperBound...].prefix { $0 != "\"" }),
                let value = line.split(separator: " ").last.flatMap({ Double($0) }), value > 0
            else { continue }
            sums[key, default: 0] += Int(value)
        }
        return sums
    }
}
