import Telemetry
import Testing
import Transport

@testable import Balancing
@testable import Gateway

@Suite struct `Metrics page` {
    @Test(arguments: [
        "sluice_queue_waiters", "sluice_queue_limit", "sluice_queue_oldest_seconds",
        "sluice_pool_capacity", "sluice_pool_outstanding_requests", "sluice_pool_saturation",
        "sluice_pool_desired_replicas",
    ])
    func `has the series of a pool without replicas`(name: String) {
        let page = gauges([.sample("empty")])
        #expect(page.contains { $0.hasPrefix("\(name){pool=\"empty\"} ") })
    }

    @Test(arguments: ReplicaState.allCases)
    func `counts replicas in every state, also those nobody is in`(state: ReplicaState) {
        let page = gauges([.sample("p", [.sample("a", .down), .sample("b", .down)])])
        let count = state == .down ? 2 : 0
        #expect(
            page.contains("sluice_pool_replicas{pool=\"p\",state=\"\(state.rawValue)\"} \(count)")
        )
    }

    @Test func `says 1 for the state a replica is in and 0 for the others`() {
        let page = gauges([.sample("p", [.sample("a", .ejected)])])
        let states = page.filter { $0.hasPrefix("sluice_replica_state{") }
        #expect(states.count == ReplicaState.allCases.count)
        #expect(
            states.filter { $0.hasSuffix(" 1") }
                == [#"sluice_replica_state{pool="p",replica="a",state="ejected"} 1"#]
        )
    }

    @Test func `has each replica's limit and what is in flight there`() {
        var replica = ReplicaSnapshot.sample("a")
        replica.inFlight = 3
        let page = gauges([.sample("p", [replica])])
        #expect(page.contains(#"sluice_replica_in_flight{pool="p",replica="a"} 3"#))
        #expect(page.contains(#"sluice_replica_concurrency_limit{pool="p",replica="a"} 4"#))
    }

    @Test(arguments: [
        (nil, 1), (ReloadOutcome.applied([]), 1), (.refused("bad"), 0),
    ])
    func `says whether the last reload worked`(outcome: ReloadOutcome?, value: Int) {
        var status = GatewayStatus.sample()
        status.lastReload = outcome.map { .init(outcome: $0, wallNanoseconds: 0) }
        #expect(lines(status).contains("sluice_config_last_reload_successful \(value)"))
    }

    @Test(arguments: [
        "sluice_client_connections 3", "sluice_config_generation 1",
        "sluice_build_info{version=\"\(sluiceVersion)\"} 1",
        "sluice_access_log_dropped_lines_total 0", "sluice_output_dropped_lines_total 0",
    ])
    func `has the gateway's own`(line: String) {
        #expect(gauges([]).contains(line))
    }

    @Test(arguments: [
        "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
        "process_max_fds", "process_start_time_seconds", "sluice_requests_total",
        "sluice_queue_wait_seconds",
    ])
    func `of a gateway that runs has counters and the process`(name: String) throws {
        try withAdminStage({ $0.addPool("p", path: "/") }) { stage in
            let page = stage.gateway.metricsPage(now: .now, wallNanoseconds: 0)
            #expect(String(decoding: page, as: UTF8.self).contains("# TYPE \(name) "))
        }
    }

    private func gauges(_ pools: [PoolStatus]) -> [String] { lines(.sample(pools)) }

    private func lines(_ status: GatewayStatus) -> [String] {
        var text = PrometheusText()
        status.writeGauges(into: &text)
        return String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
