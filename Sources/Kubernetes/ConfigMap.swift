// Who may speak for Kubernetes' API: the authority and the names of its front proxy.

/// The API's configuration of who may speak for it, from the ConfigMap
/// `kube-system/extension-apiserver-authentication`.
package struct ConfigMap: APIObject {
    package static let resource = APIResource(
        group: "",
        version: "v1",
        plural: "configmaps",
        kind: "ConfigMap"
    )
    /// Where it stands.
    package static let authentication = ObjectSelection(
        namespace: "kube-system",
        fields: "metadata.name=extension-apiserver-authentication"
    )

    /// Its name.
    package var metadata: ObjectMetadata
    /// Its texts.
    package var data: [String: String]?

    /// Who signs the certificates of the API's front proxy, PEM.
    package var frontProxyAuthority: String? { data?["requestheader-client-ca-file"] }

    /// The names that may stand in such a certificate; empty: any; nil: they cannot be read.
    package var frontProxyNames: [String]? {
        guard let text = data?["requestheader-allowed-names"], !text.isEmpty else { return [] }
        // `try?`: what cannot be read allows nobody.
        return try? decode([String].self, from: Array(text.utf8))
    }
}
