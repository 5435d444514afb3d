// The gateway's families: their names, what exists from the start, and what a reload removes.
import Testing

@testable import Telemetry

@Suite struct `Gateway metrics` {
    @Test func `hold every counter and histogram of the design`() throws {
        let page = try Self.page(GatewayMetrics())
        #expect(
            page.types == [
                "sluice_requests_total": "counter",
                "sluice_request_duration_seconds": "histogram",
                "sluice_queue_wait_seconds": "histogram",
                "sluice_upstream_seconds": "histogram",
                "sluice_upstream_attempts_total": "counter",
                "sluice_retries_total": "counter",
                "sluice_probes_total": "counter",
                "sluice_ejections_total": "counter",
                "sluice_client_connections_total": "counter",
                "sluice_tls_handshakes_total": "counter",
                "sluice_tls_handshake_work_seconds": "histogram",
            ]
        )
    }

    @Test func `show a pool's series before anything happened to it`() throws {
        let metrics = GatewayMetrics(stripes: 2)
        _ = metrics.pool("sales")
        _ = metrics.route("predict", pool: "sales")
        let page = try Self.page(metrics)

        let names = Set(page.samples.filter { $0.labels["pool"] == "sales" }.map(\.name))
        #expect(
            names == [
                "sluice_requests_total", "sluice_retries_total", "sluice_probes_total",
                "sluice_ejections_total",
                "sluice_request_duration_seconds_bucket", "sluice_request_duration_seconds_sum",
                "sluice_request_duration_seconds_count",
                "sluice_queue_wait_seconds_bucket", "sluice_queue_wait_seconds_sum",
                "sluice_queue_wait_seconds_count",
                "sluice_upstream_seconds_bucket", "sluice_upstream_seconds_sum",
                "sluice_upstream_seconds_count",
            ]
        )
        #expect(page.samples.allSatisfy { $0.value == 0 })
    }

    @Test func `count what the handles are told`() throws {
        let metrics = GatewayMetrics(stripes: 2)
        let route = metrics.route("predict", pool: "sales")
        route.ended(code: 200, reason: .ok, duration: .milliseconds(20), stripe: 0)
        route.ended(code: 429, reason: .queueFull, duration: .zero, stripe: 1)
        metrics.unrouted.ended(code: 404, reason: .noRoute, duration: .zero)
        let pool = metrics.pool("sales")
        pool.waited(.seconds(2), .shed)
        pool.spent(.milliseconds(7), .connect)
        pool.retried(.staleConnection)
        pool.probed(.timedOut)
        pool.ejected(.stalled)
        pool.replica("10.0.0.1:5000").attempted(.full, stripe: 1)
        metrics.connections.add(.refused, 4)

        let page = try Self.page(metrics)
        func value(_ name: String, _ labels: [String: String]) -> Double? {
            page.value(name, labels)
        }
        let requests = ["pool": "sales", "route": "predict"]
        let ok = ["code": "200", "reason": "ok"]
        let full = ["code": "429", "reason": "queue_full"]
        #expect(value("sluice_requests_total", requests.merging(ok) { $1 }) == 1)
        #expect(value("sluice_requests_total", requests.merging(full) { $1 }) == 1)
        #expect(value("sluice_request_duration_seconds_count", requests) == 2)
        let lost = ["pool": "", "route": "", "code": "404", "reason": "no_route"]
        #expect(value("sluice_requests_total", lost) == 1)
        let shed = ["pool": "sales", "outcome": "shed"]
        #expect(value("sluice_queue_wait_seconds_count", shed) == 1)
        let connect = ["pool": "sales", "phase": "connect"]
        #expect(value("sluice_upstream_seconds_count", connect) == 1)
        let stale = ["pool": "sales", "cause": "stale_connection"]
        #expect(value("sluice_retries_total", stale) == 1)
        #expect(value("sluice_probes_total", ["pool": "sales", "result": "timed_out"]) == 1)
        #expect(value("sluice_ejections_total", ["pool": "sales", "cause": "stalled"]) == 1)
        let attempt = ["pool": "sales", "replica": "10.0.0.1:5000", "result": "full"]
        #expect(value("sluice_upstream_attempts_total", attempt) == 1)
        #expect(value("sluice_client_connections_total", ["result": "refused"]) == 4)
    }

    @Test func `keep a handle's counts across a reload`() throws {
        let metrics = GatewayMetrics()
        metrics.pool("sales").retried(.reset)
        metrics.retain(pools: ["sales"], routes: [])
        #expect(metrics.pool("sales") === metrics.pool("sales"))
        let labels = ["pool": "sales", "cause": "reset"]
        #expect(try Self.page(metrics).value("sluice_retries_total", labels) == 1)
    }

    @Test func `forget what a reload removed`() throws {
        let metrics = GatewayMetrics()
        _ = metrics.pool("old")
        _ = metrics.route("predict", pool: "old")
        _ = metrics.route("predict", pool: "sales")
        _ = metrics.route("gone", pool: "sales")
        metrics.retain(pools: ["sales"], routes: ["predict"])

        let page = try Self.page(metrics)
        #expect(!page.samples.contains { $0.labels["pool"] == "old" })
        #expect(Set(page.samples.compactMap { $0.labels["route"] }) == ["", "predict"])
    }

    @Test func `forget replicas that are gone`() throws {
        let metrics = GatewayMetrics()
        let pool = metrics.pool("sales")
        pool.replica("a:1").attempted(.success)
        pool.replica("b:1").attempted(.success)
        pool.retainReplicas(["b:1"])
        let replicas = try Self.page(metrics).samples.compactMap { $0.labels["replica"] }
        #expect(Set(replicas) == ["b:1"])
    }

    @Test func `stay bounded however many replicas come by`() {
        let pool = GatewayMetrics().pool("sales")
        for number in 0...GatewayMetrics.namesMax + 5 {
            pool.replica("r\(number)").attempted(.success)
        }
        #expect(pool.sortedReplicas().count == GatewayMetrics.namesMax + 1)
        #expect(pool.replica("yet another").endpoint == "other")
        #expect(pool.replica("r0").endpoint == "r0")
    }

    @Test func `are written in the same order every time`() {
        let metrics = GatewayMetrics()
        for name in ["b", "a", "c"] {
            _ = metrics.pool(name)
            _ = metrics.route("r", pool: name)
        }
        var first = PrometheusText()
        metrics.write(into: &first)
        var second = PrometheusText()
        metrics.write(into: &second)
        #expect(first.bytes == second.bytes)
    }

    private static func page(_ metrics: GatewayMetrics) throws -> Exposition {
        var text = PrometheusText()
        metrics.write(into: &text)
        return try Exposition(text.bytes)
    }
}
