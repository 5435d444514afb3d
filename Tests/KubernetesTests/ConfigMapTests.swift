import Testing

@testable import Kubernetes

@Suite struct `Config maps` {
    @Test func `the front proxy is known from a ConfigMap`() throws {
        let map = try read(
            ConfigMap.self,
            """
            {"metadata":{"name":"extension-apiserver-authentication","namespace":"kube-system"},
             "data":{"requestheader-client-ca-file":"PEM",
                     "requestheader-allowed-names":"[\\"front-proxy-client\\"]"}}
            """
        )
        #expect(map.frontProxyAuthority == "PEM")
        #expect(map.frontProxyNames == ["front-proxy-client"])
        let bare = try read(ConfigMap.self, #"{"metadata":{"name":"x"}}"#)
        #expect(bare.frontProxyAuthority == nil)
        #expect(bare.frontProxyNames == [])
        let broken = try read(
            ConfigMap.self,
            #"{"metadata":{"name":"x"},"data":{"requestheader-allowed-names":"oops"}}"#
        )
        #expect(broken.frontProxyNames == nil)
        #expect(
            ConfigMap.authentication.listTarget(of: ConfigMap.resource, limit: 1, continuing: nil)
                == "/api/v1/namespaces/kube-system/configmaps"
                + "?fieldSelector=metadata.name%3Dextension-apiserver-authentication&limit=1"
        )
    }
}
