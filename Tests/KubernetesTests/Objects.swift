// Objects of the tests, read from JSON as the API sends it.

import Testing

@testable import Kubernetes

/// Reads a document that is right.
func read<Document: Decodable>(_ type: Document.Type, _ json: String) throws -> Document {
    try decode(type, from: Array(json.utf8))
}

/// A slice with these endpoints, each as JSON.
func slice(
    _ name: String,
    _ endpoints: [String],
    type: String = "IPv4",
    version: Int = 1,
    ports: String = #"[{"name":"","port":8000,"protocol":"TCP"}]"#
) throws -> EndpointSlice {
    try read(
        EndpointSlice.self,
        """
        {"metadata":{"name":"\(name)","namespace":"n","resourceVersion":"\(version)",
          "labels":{"kubernetes.io/service-name":"model"}},
         "addressType":"\(type)","ports":\(ports),
         "endpoints":[\(endpoints.joined(separator: ","))]}
        """
    )
}

/// An endpoint as JSON; conditions as they stand between the braces.
func endpoint(_ address: String, _ conditions: String = "", more: String = "") -> String {
    #"{"addresses":["\#(address)"],"conditions":{\#(conditions)}\#(more)}"#
}
