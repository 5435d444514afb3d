// `/status`: the gateway at one instant, as JSON.

internal import Balancing
internal import Kubernetes
internal import Telemetry
internal import Transport

extension GatewayStatus {
    /// The page, one JSON object and a line's end.
    func json() -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.name("version")
            json.value(sluiceVersion)
            json.name("phase")
            json.value(phase)
            json.name("generation")
            json.value(generation)
            json.name("time")
            json.value(wallTime(of: now))
            json.name("uptimeSeconds")
            json.value(seconds: uptime)
            json.name("listeners")
            json.array { json in for listener in listeners { json.value(listener) } }
            json.name("admin")
            json.value(admin)
            json.name("connections")
            write(connections, into: &json)
            json.name("reload")
            writeReload(into: &json)
            json.name("droppedLines")
            json.object { json in
                json.name("accessLog")
                json.value(Int(clamping: dropped.accessLog))
                json.name("output")
                json.value(Int(clamping: dropped.output))
            }
            json.name("pools")
            json.array { json in for pool in pools { write(pool, into: &json) } }
            json.name("kubernetes")
            json.array { json in for watch in kubernetes { write(watch, into: &json) } }
            json.name("ingress")
            writeIngress(into: &json)
        }
        json.endLine()
        return json.bytes
    }

    private func writeIngress(into json: inout JSONWriter) {
        guard let ingress else { return json.value(nil as String?) }
        json.object { json in
            json.name("class")
            json.value(ingress.className)
            json.name("ingresses")
            json.value(ingress.ingresses)
            json.name("routes")
            json.value(ingress.routes)
            json.name("problems")
            json.array { json in
                for problem in ingress.problems {
                    json.object { json in
                        json.name("ingress")
                        json.value("\(problem.ingress)")
                        json.name("reason")
                        json.value(problem.reason)
                        json.name("message")
                        json.value(problem.message)
                    }
                }
            }
        }
    }

    private func write(_ watch: KubernetesReports.Watch, into json: inout JSONWriter) {
        json.object { json in
            json.name("watch")
            json.value(watch.what)
            json.name("state")
            json.value(watch.state.rawValue)
            json.name("objects")
            json.value(watch.objects)
            json.name("failures")
            json.value(Int(clamping: watch.failures))
            json.name("error")
            json.value(watch.problem)
            json.name("problems")
            json.array { json in for problem in watch.objectProblems { json.value(problem) } }
        }
    }

    private func write(_ connections: Connections, into json: inout JSONWriter) {
        json.object { json in
            json.name("open")
            json.value(connections.open)
            json.name("limit")
            json.value(connections.limit)
            json.name("admin")
            json.value(connections.admin)
        }
    }

    private func writeReload(into json: inout JSONWriter) {
        json.object { json in
            json.name("at")
            json.value(
                lastReload.map {
                    Timestamp(nanoseconds: UInt64(max(0, $0.wallNanoseconds))).text
                }
            )
            json.name("succeeded")
            json.value(lastReload?.outcome.isApplied ?? true)
            var changes: [String] = []
            var problem: String?
            switch lastReload?.outcome {
            case .applied(let lines): changes = lines
            case .refused(let text), .unavailable(let text): problem = text
            case nil: break
            }
            json.name("changes")
            json.array { json in for line in changes { json.value(line) } }
            json.name("error")
            json.value(problem)
        }
    }

    private func write(_ pool: PoolStatus, into json: inout JSONWriter) {
        let gauges = pool.gauges
        json.object { json in
            json.name("name")
            json.value(pool.name)
            json.name("capacity")
            json.value(gauges.capacity)
            json.name("inFlight")
            json.value(gauges.inFlight)
            json.name("outstanding")
            json.value(gauges.outstanding)
            json.name("saturation")
            json.value(gauges.saturation)
            json.name("completionsPerSecond")
            json.value(gauges.completionRate)
            json.name("ended")
            json.value(Int(clamping: pool.ended))
            json.name("desiredReplicas")
            json.value(pool.desired)
            json.name("isPanicking")
            json.value(gauges.isPanicking)
            json.name("isStopping")
            json.value(gauges.isStopping)
            json.name("queue")
            writeQueue(gauges, into: &json)
            json.name("replicas")
            json.array { json in
                for replica in gauges.replicas { write(replica, into: &json) }
            }
        }
    }

    private func writeQueue(_ gauges: PoolSnapshot, into json: inout JSONWriter) {
        json.object { json in
            json.name("waiters")
            json.value(gauges.waiters)
            json.name("limit")
            json.value(gauges.queueLimit)
            json.name("bytes")
            json.value(gauges.queueBytes)
            json.name("oldestSeconds")
            json.value(seconds: gauges.oldestWaiterSince.map { time(since: $0) } ?? .zero)
        }
    }

    private func write(_ replica: ReplicaSnapshot, into json: inout JSONWriter) {
        json.object { json in
            json.name("endpoint")
            json.value(replica.endpoint)
            json.name("state")
            json.value(replica.state.rawValue)
            json.name("cause")
            json.value(replica.why.rawValue)
            json.name("why")
            json.value(why(replica))
            json.name("since")
            json.value(wallTime(of: replica.since))
            json.name("sinceSeconds")
            json.value(seconds: time(since: replica.since))
            json.name("inFlight")
            json.value(replica.inFlight)
            json.name("concurrency")
            json.value(replica.concurrencyLimit)
            json.name("limitNow")
            json.value(replica.limitNow)
            json.name("weight")
            json.value(replica.weight)
            json.name("load")
            json.value(replica.load)
            json.name("latencySeconds")
            json.value(seconds: replica.latency)
            writeHealth(replica, into: &json)
        }
    }

    private func writeHealth(_ replica: ReplicaSnapshot, into json: inout JSONWriter) {
        json.name("lastProbe")
        json.value(replica.lastProbe?.words)
        json.name("lastProbeSecondsAgo")
        json.value(seconds: replica.lastProbeAt.map { time(since: $0) })
        json.name("consecutiveFailures")
        json.value(replica.consecutiveFailures)
        json.name("ejections")
        json.value(replica.ejections)
        json.name("ejectedForSeconds")
        json.value(seconds: time(until: replica.ejectedUntil))
        json.name("heldForSeconds")
        json.value(seconds: time(until: replica.heldUntil))
        json.name("isListed")
        json.value(replica.isListed)
        json.name("isDrainedByOperator")
        json.value(replica.isDrainedByOperator)
        json.name("zone")
        json.value(replica.zone)
    }
}
