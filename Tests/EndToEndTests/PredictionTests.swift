// Real predictions: the example's Flask service, plain and under gunicorn, behind the gateway.

import Foundation
import Testing

@Suite struct `Real predictions` {
    private let features = #"{"features": [2015, 6, 150000, 500, 4.5]}"#

    private func parts(_ command: [String], count: Int) -> String {
        let words = command.map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            pools: { sales: {
              processes: { command: [\(words)], env: { MODEL_PATH: "\(Places.model)" },
                min: \(count), max: \(count) },
              health: { path: "/health" } } },
            routes: [{ path: "/predict", pool: "sales", idempotent: true }],
            """
    }

    private func predict(_ address: String, _ body: String) async throws -> Reply {
        try await ask(
            address,
            "POST",
            "/predict",
            fields: ["Content-Type": "application/json"],
            body: body,
            within: .seconds(60)
        )
    }

    @Test func `come from three Flask processes, wrong input with its reason`() async throws {
        try await onStage { stage in
            let script = Places.worker.appendingPathComponent("model_service.py").path
            let sluice = try await stage.sluice(parts([Places.python, script], count: 3))

            // The first one is asked before any model is loaded: it waits.
            let first = try await predict(sluice.address, features)
            #expect(first.status == 200, "\(first)")
            #expect(first.body.contains("\"prediction\""))

            var seen: Set<String> = []
            try await eventually("answers of all three", within: .seconds(60)) {
                let reply = try await self.predict(sluice.address, self.features)
                #expect(reply.status == 200)
                if let replica = reply["x-sluice-replica"] { seen.insert(replica) }
                return seen.count == 3
            }

            let wrong = try await predict(sluice.address, #"{"features": ["many"]}"#)
            #expect(wrong.status == 400)
            #expect(wrong["x-sluice-reason"] == nil)
            #expect(wrong.body.contains("error") || wrong.body.contains("features"), "\(wrong)")
        }
    }

    @Test func `come from gunicorn, over connections that it closes`() async throws {
        try await onStage { stage in
            let folder = Places.worker.path
            let command = [
                Places.gunicorn, "-c", "\(folder)/gunicorn.conf.py", "--chdir", folder,
                "model_service:app",
            ]
            let sluice = try await stage.sluice(parts(command, count: 2))
            let first = try await predict(sluice.address, features)
            #expect(first.status == 200, "\(first)")

            // Pauses longer than gunicorn's keep-alive lie between the requests of the last phase.
            let load = try stage.load(
                sluice.address,
                "--phases",
                "40:2s,0.4:5s",
                "--body",
                features
            )
            let result = try await load.result(within: .seconds(60))
            #expect(result.answered == result.offered, "\(result)")
        }
    }
}
