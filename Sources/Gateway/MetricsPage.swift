// `/metrics`: what Telemetry has counted, and the gauges, read from the pools at this instant.

internal import Balancing
internal import Telemetry
internal import Transport

extension Gateway {
    /// The page in the Prometheus text format.
    func metricsPage(now: Instant, wallNanoseconds: Int64) -> [UInt8] {
        var text = PrometheusText()
        metrics.write(into: &text)
        status(now: now, wallNanoseconds: wallNanoseconds).writeGauges(into: &text)
        ProcessFigures.read().write(into: &text)
        return text.bytes
    }
}

extension GatewayStatus {
    /// Writes every gauge; each pool's series exist even when it has no replica.
    func writeGauges(into text: inout PrometheusText) {
        writeQueues(into: &text)
        writeReplicas(into: &text)
        writePools(into: &text)
        writeGateway(into: &text)
        writeKubernetes(into: &text)
    }

    private func writeQueues(into text: inout PrometheusText) {
        gauge("sluice_queue_waiters", help: "Requests that wait for a free slot.", into: &text) {
            Double($0.gauges.waiters)
        }
        gauge("sluice_queue_limit", help: "Most requests that may wait.", into: &text) {
            Double($0.gauges.queueLimit)
        }
        gauge(
            "sluice_queue_oldest_seconds",
            help: "How long the longest waiting request has waited; 0 when none waits.",
            into: &text
        ) { pool in
            pool.gauges.oldestWaiterSince.map { time(since: $0).inSeconds } ?? 0
        }
    }

    private func writePools(into text: inout PrometheusText) {
        text.family("sluice_pool_replicas", .gauge, help: "Replicas of the pool by state.")
        for pool in pools {
            for state in ReplicaState.allCases {
                text.sample(
                    ["pool": pool.name, "state": state.rawValue],
                    Double(pool.count(state))
                )
            }
        }
        gauge(
            "sluice_pool_capacity",
            help: "Sum of the limits of usable replicas.",
            into: &text
        ) { Double($0.gauges.capacity) }
        gauge(
            "sluice_pool_outstanding_requests",
            help: "Requests in flight and waiting: what to scale the replicas by.",
            into: &text
        ) { Double($0.gauges.outstanding) }
        gauge(
            "sluice_pool_saturation",
            help: "Share of the capacity in use; 1 when there is work and no capacity.",
            into: &text
        ) { $0.gauges.saturation }
        gauge(
            "sluice_pool_desired_replicas",
            help: "Replicas that the load asks for.",
            into: &text
        ) { Double($0.desired) }
    }

    private func writeReplicas(into text: inout PrometheusText) {
        gauge(
            "sluice_replica_in_flight",
            help: "Requests in flight on the replica.",
            into: &text
        ) { Double($0.inFlight) }
        gauge(
            "sluice_replica_concurrency_limit",
            help: "Most requests in flight on the replica once it is fully in service.",
            into: &text
        ) { Double($0.concurrencyLimit) }
        text.family("sluice_replica_state", .gauge, help: "1 for the state the replica is in.")
        for pool in pools {
            for replica in pool.gauges.replicas {
                for state in ReplicaState.allCases {
                    text.sample(
                        [
                            "pool": pool.name, "replica": replica.endpoint,
                            "state": state.rawValue,
                        ],
                        replica.state == state ? 1.0 : 0.0
                    )
                }
            }
        }
    }

    private func writeGateway(into text: inout PrometheusText) {
        single("sluice_client_connections", help: "Client connections open now.", into: &text) {
            Double(connections.open)
        }
        text.gauge(
            "sluice_tls_certificate_expiry_timestamp_seconds",
            help: "When a certificate expires, in seconds since 1970-01-01 UTC.",
            samples: expiries.map {
                GaugeSample(["listener": $0.listener, "name": $0.name], Double($0.seconds))
            }
        )
        single(
            "sluice_config_last_reload_successful",
            help: "1 unless the last attempt to reload was refused.",
            into: &text
        ) { lastReload?.outcome.isApplied == false ? 0 : 1 }
        single(
            "sluice_config_generation",
            help: "Number of the configuration in force; 1 is that of the start.",
            into: &text
        ) { Double(generation) }
        text.gauge(
            "sluice_build_info",
            help: "1; the version is the label.",
            samples: [GaugeSample(["version": sluiceVersion], 1)]
        )
        counter(
            "sluice_access_log_dropped_lines_total",
            help: "Access log lines lost because nobody took them in time.",
            dropped.accessLog,
            into: &text
        )
        counter(
            "sluice_output_dropped_lines_total",
            help: "Lines of processes and of the operator log lost for the same reason.",
            dropped.output,
            into: &text
        )
    }

    private func writeKubernetes(into text: inout PrometheusText) {
        text.gauge(
            "sluice_kubernetes_watches",
            help: "Watches of Kubernetes' API by how they fare.",
            samples: WatchState.allCases.map { state in
                let count = kubernetes.count { $0.state == state }
                return GaugeSample(["state": state.rawValue], Double(count))
            }
        )
        single(
            "sluice_ingress_problems",
            help: "What is wrong with Ingresses of the class that is served.",
            into: &text
        ) { Double(ingress?.problems.count ?? 0) }
        counter(
            "sluice_kubernetes_failures_total",
            help: "Requests to Kubernetes' API that failed.",
            kubernetesFailures,
            into: &text
        )
    }

    /// One gauge with a sample for each pool.
    private func gauge(
        _ name: String,
        help: String,
        into text: inout PrometheusText,
        _ value: (PoolStatus) -> Double
    ) {
        text.gauge(
            name,
            help: help,
            samples: pools.map { GaugeSample(["pool": $0.name], value($0)) }
        )
    }

    /// One gauge with a sample for each replica.
    private func gauge(
        _ name: String,
        help: String,
        into text: inout PrometheusText,
        _ value: (ReplicaSnapshot) -> Double
    ) {
        text.family(name, .gauge, help: help)
        for pool in pools {
            for replica in pool.gauges.replicas {
                text.sample(["pool": pool.name, "replica": replica.endpoint], value(replica))
            }
        }
    }

    private func single(
        _ name: String,
        help: String,
        into text: inout PrometheusText,
        _ value: () -> Double
    ) {
        text.gauge(name, help: help, samples: [GaugeSample(value())])
    }

    private func counter(
        _ name: String,
        help: String,
        _ value: UInt64,
        into text: inout PrometheusText
    ) {
        text.family(name, .counter, help: help)
        text.sample([:], value)
    }
}

extension ProcessFigures {
    /// Writes the `process_*` families under the names every exporter uses.
    fileprivate func write(into text: inout PrometheusText) {
        text.family(
            "process_cpu_seconds_total",
            .counter,
            help: "CPU time, user and system, in seconds."
        )
        text.sample([:], cpuSeconds)
        let gauges: [(String, String, Double)] = [
            ("process_resident_memory_bytes", "Memory in RAM.", Double(residentBytes)),
            ("process_virtual_memory_bytes", "Address space.", Double(virtualBytes)),
            ("process_open_fds", "Descriptors open now.", Double(openDescriptors)),
            ("process_max_fds", "Most descriptors that may be open.", Double(descriptorsMax)),
            (
                "process_start_time_seconds",
                "Start of the process, in seconds since 1970-01-01 UTC.", startSeconds
            ),
        ]
        for (name, help, value) in gauges {
            text.gauge(name, help: help, samples: [GaugeSample(value)])
        }
    }
}
