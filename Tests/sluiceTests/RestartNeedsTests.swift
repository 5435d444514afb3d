import Configuration
import Testing

@testable import sluice

private typealias Change = @Sendable (inout Configuration) -> Void

private let atStartOnly: [(String, Change)] = [
    ("listeners", { $0.listeners = [.init(address: Address(host: "::1", port: 1))] }),
    ("admin.address", { $0.admin.address.port = 1 }),
    ("ingress", { $0.ingress = Configuration.Ingress(className: "sluice") }),
    ("externalMetrics", { $0.externalMetrics = Address(host: "::1", port: 2) }),
    ("loops", { $0.loops = 3 }),
    ("limits.bufferBytes", { $0.limits.bufferBytes *= 2 }),
    ("limits.headBytes", { $0.limits.headBytes += 1 }),
    ("limits.fields", { $0.limits.fields += 1 }),
    ("accessLog.bufferBytes", { $0.accessLog.bufferBytes *= 2 }),
]

private let anyTime: [Change] = [
    { $0.admin.token = "x" }, { $0.limits.fields -= 1 }, { $0.limits.bodyBytes = 1 },
    { $0.watch = true }, { $0.shutdown.grace = .zero },
]

@Suite struct `Restart needs` {
    @Test func `there are none without a change`() {
        #expect(restartNeeds(from: Configuration(), to: Configuration()).isEmpty)
    }

    @Test(arguments: atStartOnly)
    fileprivate func `name what is read at the start only`(
        name: String,
        change: Change
    ) {
        var wanted = Configuration()
        change(&wanted)
        #expect(
            restartNeeds(from: Configuration(), to: wanted)
                == ["\(name): needs a restart to take effect"]
        )
    }

    @Test(arguments: anyTime)
    fileprivate func `do not name what a reload changes`(change: Change) {
        var wanted = Configuration()
        change(&wanted)
        #expect(restartNeeds(from: Configuration(), to: wanted).isEmpty)
    }
}
