// `/pools`: every pool and replica as a table for a terminal, each with why it is in its state.

internal import Balancing
internal import Transport

extension GatewayStatus {
    /// The page; plain text.
    func text() -> [UInt8] {
        var text =
            "sluice \(sluiceVersion), \(phase) for \(uptime.inWords), generation \(generation), "
            + "\(connections.open) client connections\n"
        switch lastReload?.outcome {
        case .refused(let problem), .unavailable(let problem):
            text += "the last reload failed; the configuration before it stays in force:\n"
            text += problem + "\n"
        case .applied, nil: break
        }
        for pool in pools { text += "\n" + describe(pool) }
        if pools.isEmpty { text += "\nno pools\n" }
        return Array(text.utf8)
    }

    private func describe(_ pool: PoolStatus) -> String {
        let gauges = pool.gauges
        let oldest = gauges.oldestWaiterSince.map { ", the first for \(time(since: $0).inWords)" }
        var text =
            "\(pool.name): \(gauges.inFlight) in flight of \(gauges.capacity), "
            + "\(gauges.waiters) waiting of \(gauges.queueLimit)\(oldest ?? ""), "
            + "\(pool.desired) \(pool.desired == 1 ? "replica" : "replicas") wanted\n"
        if gauges.isPanicking { text += "  too few replicas are fit: ejections are ignored\n" }
        if gauges.replicas.isEmpty { return text + "  no replicas\n" }
        var rows = [["REPLICA", "STATE", "FOR", "IN FLIGHT", "LATENCY", "WHY"]]
        for replica in gauges.replicas {
            rows.append([
                replica.endpoint, replica.state.rawValue, time(since: replica.since).inWords,
                "\(replica.inFlight)/\(replica.concurrencyLimit)",
                replica.latency?.inMilliseconds ?? "-", why(replica),
            ])
        }
        return text + table(rows)
    }

    /// Rows with their columns aligned; the last one ends where it ends.
    private func table(_ rows: [[String]]) -> String {
        var widths = [Int](repeating: 0, count: rows.first?.count ?? 0)
        for row in rows {
            for (column, cell) in row.enumerated() {
                widths[column] = max(widths[column], cell.count)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                let isLast = column == row.count - 1
                let gap = isLast ? 0 : widths[column] - cell.count
                text += "  " + cell + String(repeating: " ", count: gap)
            }
            text += "\n"
        }
        return text
    }
}
