// One screen of `sluice top`, as lines of text.

/// Lays out the status of a gateway, with what has changed since the one before.
struct TopView {
    let status: Status
    /// The status before; nil: there are no rates yet.
    var previous: Status?

    /// The screen's lines, cut to its size.
    func lines(columns: Int, rows: Int) -> [String] {
        var lines = [header]
        if !status.reload.succeeded {
            lines.append("the last reload failed: `sluice status` tells why")
        }
        for pool in status.pools {
            lines.append("")
            lines += describe(pool)
        }
        let fitting = lines.count > rows ? Array(lines.prefix(max(0, rows - 1))) + ["…"] : lines
        return fitting.map { cut($0, to: columns) }
    }

    private var header: String {
        let seconds = Int(max(0, min(status.uptimeSeconds, 1e12)))
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60)
        return "sluice \(status.version)  \(status.phase)  up \(hours) h \(minutes) min "
            + "\(seconds % 60) s  generation \(status.generation)  "
            + "connections \(status.connections.open)"
    }

    private func describe(_ pool: Status.Pool) -> [String] {
        let up = pool.replicas.count {
            $0.state == "ready" || $0.state == "degraded" || $0.state == "warming"
        }
        var summary =
            "\(pool.name)  \(bar(pool)) \(pool.inFlight)/\(pool.capacity) in flight  "
            + "\(pool.queue.waiters)/\(pool.queue.limit) waiting"
        if pool.queue.waiters > 0 {
            summary += " (\(tenths(pool.queue.oldestSeconds)) s)"
        }
        summary += "  \(rate(of: pool))/s  \(up)/\(pool.replicas.count) up"
        summary += "  \(pool.desiredReplicas) wanted"
        let width = pool.replicas.map(\.endpoint.count).max() ?? 0
        return [summary]
            + pool.replicas.map { replica in
                let latency = replica.latencySeconds.map { "\(tenths($0 * 1000)) ms" } ?? "-"
                let work = "\(replica.inFlight)/\(replica.concurrency)"
                return "  \(pad(replica.endpoint, width))  \(pad(replica.state, 8))  "
                    + "\(pad(work, 7))  \(pad(latency, 10))  \(replica.why)"
            }
    }

    /// Ten cells, as many of them full as there is capacity in use.
    private func bar(_ pool: Status.Pool) -> String {
        let share = pool.capacity > 0 ? Double(pool.inFlight) / Double(pool.capacity) : 0
        let full = Int((min(max(share, 0), 1) * 10).rounded())
        return String(repeating: "█", count: full) + String(repeating: "·", count: 10 - full)
    }

    /// Exchanges that ended in a second, since the status before.
    private func rate(of pool: Status.Pool) -> String {
        guard let previous, let before = previous.pools.first(where: { $0.name == pool.name }),
            case let seconds = status.uptimeSeconds - previous.uptimeSeconds, seconds > 0,
            pool.ended >= before.ended
        else { return "-" }
        return tenths(Double(pool.ended - before.ended) / seconds)
    }

    private func tenths(_ number: Double) -> String {
        let tenths = Int((max(0, min(number, 1e12)) * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private func cut(_ line: String, to columns: Int) -> String {
        line.count <= columns ? line : String(line.prefix(max(0, columns - 1))) + "…"
    }
}
