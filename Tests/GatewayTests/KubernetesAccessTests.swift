import Configuration
import Kubernetes
import Testing

@testable import Gateway

@Suite struct `Access to Kubernetes` {
    private let pod = ["KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"]

    private func files(_ contents: [String: String]) -> @Sendable (String, Int) -> [UInt8]? {
        { path, bytesMax in
            contents[path].map { Array($0.utf8) }.flatMap { $0.count > bytesMax ? nil : $0 }
        }
    }

    @Test func `is found in a pod`() throws {
        let machine = Machine(
            environment: pod,
            readFile: files([
                ServiceAccount.tokenFile: "abc\n", ServiceAccount.authorityFile: "PEM",
                ServiceAccount.namespaceFile: "sluice\n",
            ])
        )
        let access = try #require(machine.access(Configuration.KubernetesAPI()))
        #expect("\(access.address)" == "https://10.96.0.1")
        #expect(access.token() == "abc")
        #expect(access.authorities() == Array("PEM".utf8))
        #expect(machine.ownNamespace == "sluice")
    }

    @Test func `is what the settings say, then a variable, then the pod's`() throws {
        var environment = pod
        environment["SLUICE_KUBERNETES_API"] = "http://127.0.0.1:8001"
        let machine = Machine(environment: environment)
        #expect(machine.access(Configuration.KubernetesAPI())?.address.port == 8001)
        var settings = Configuration.KubernetesAPI()
        settings.url = "https://example.com"
        #expect(machine.access(settings)?.address.host == "example.com")
    }

    @Test func `is nowhere without any of them`() {
        #expect(Machine().access(Configuration.KubernetesAPI()) == nil)
        #expect(Machine().ownNamespace == nil)
        let broken = Machine(environment: ["SLUICE_KUBERNETES_API": "what"])
        #expect(broken.access(Configuration.KubernetesAPI()) == nil)
    }

    @Test func `goes without a token where there is none`() throws {
        let access = try #require(Machine(environment: pod).access(Configuration.KubernetesAPI()))
        #expect(access.token() == nil)
        #expect(access.authorities() == nil)
    }
}
