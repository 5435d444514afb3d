// What every object of the API has: a kind, a name, a version; and lists of such objects.

internal import FoundationEssentials

/// A kind of object that can be listed and watched.
package protocol APIObject: Decodable, Sendable, Equatable {
    /// Where objects of this kind are asked for.
    static var resource: APIResource { get }
    /// Name, version, labels.
    var metadata: ObjectMetadata { get }
}

extension APIObject {
    /// Who the object is among those of its kind.
    package var key: ObjectKey {
        ObjectKey(namespace: metadata.namespace ?? "", name: metadata.name)
    }
}

/// Who an object is among those of its kind; sorted by namespace, then name.
package struct ObjectKey: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Its namespace; empty for kinds without any.
    package let namespace: String
    /// Its name.
    package let name: String

    /// Makes it of namespace and name.
    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    package var description: String { namespace.isEmpty ? name : "\(namespace)/\(name)" }

    package static func < (one: ObjectKey, other: ObjectKey) -> Bool {
        (one.namespace, one.name) < (other.namespace, other.name)
    }
}

/// The `metadata` of an object, as far as it matters here.
package struct ObjectMetadata: Decodable, Sendable, Equatable {
    /// Its name, unique in its namespace and kind.
    package var name: String
    /// Its namespace; nil for kinds without any.
    package var namespace: String?
    /// Unique over time: another object of the same name has another one.
    package var uid: String?
    /// Its version; opaque.
    package var resourceVersion: String?
    /// When it was made, `2026-01-31T12:00:00Z`: sorted as text it is sorted by time.
    package var creationTimestamp: String?
    /// Labels.
    package var labels: [String: String]?
    /// Annotations.
    package var annotations: [String: String]?

    /// Makes it of names; for objects made by hand.
    package init(name: String, namespace: String? = nil) {
        self.name = name
        self.namespace = namespace
    }
}

/// One page of a list.
package struct ObjectPage<Object: APIObject>: Sendable {
    /// The objects that could be read.
    package var objects: [Object] = []
    /// Why others could not, one sentence each.
    package var problems: [String] = []
    /// The version of the whole list: where a watch takes up.
    package var resourceVersion = ""
    /// What to ask for the next page with; nil: this is the last one.
    package var continuing: String?
}

extension ObjectPage: Decodable {
    private struct ListMetadata: Decodable {
        var resourceVersion: String?
        var `continue`: String?
    }

    private enum Key: CodingKey { case metadata, items }

    /// Reads `{"metadata": …, "items": […]}`; an element that is wrong spoils no other.
    package init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: Key.self)
        let metadata = try members.decode(ListMetadata.self, forKey: .metadata)
        resourceVersion = metadata.resourceVersion ?? ""
        continuing = metadata.continue.flatMap { $0.isEmpty ? nil : $0 }
        // An empty list may be written as null.
        let items = try members.decodeIfPresent([Readable<Object>].self, forKey: .items) ?? []
        for item in items {
            switch item {
            case .object(let object): objects.append(object)
            case .unreadable(let why): problems.append(why)
            }
        }
    }
}

/// An object, or why it is none.
enum Readable<Object: APIObject>: Decodable {
    case object(Object)
    case unreadable(String)

    private struct Named: Decodable {
        var metadata: ObjectMetadata
    }

    init(from decoder: any Decoder) throws {
        do {
            self = .object(try Object(from: decoder))
        } catch {
            // `try?`: one that does not even have a name is nobody in particular.
            let named = try? Named(from: decoder)
            self = .unreadable(Self.words(named?.metadata, error))
        }
    }

    private static func words(_ metadata: ObjectMetadata?, _ error: any Error) -> String {
        let key = metadata.map { ObjectKey(namespace: $0.namespace ?? "", name: $0.name) }
        let name = key.map { " \($0)" } ?? ""
        return "\(Object.resource.kind)\(name) cannot be read: \(reason(of: error))"
    }
}

/// Where and why decoding failed, in a few words.
func reason(of error: any Error) -> String {
    guard let error = error as? DecodingError else { return "no JSON" }
    let (context, what): (DecodingError.Context, String) =
        switch error {
        case .typeMismatch(let type, let context): (context, "expected \(type)")
        case .valueNotFound(let type, let context): (context, "expected \(type), found null")
        case .keyNotFound(let key, let context): (context, "\(key.stringValue) is missing")
        case .dataCorrupted(let context): (context, "not valid")
        @unknown default: (DecodingError.Context(codingPath: [], debugDescription: ""), "wrong")
        }
    let path = context.codingPath.map { key in
        key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)"
    }.joined()
    return path.isEmpty ? what : "\(path.drop { $0 == "." }): \(what)"
}

/// Reads a document of the API.
///
/// - Throws: `APIFailure.malformed` when it is no such document.
package func decode<Document: Decodable>(
    _ type: Document.Type,
    from bytes: [UInt8]
) throws(APIFailure) -> Document {
    do {
        return try JSONDecoder().decode(type, from: Data(bytes))
    } catch {
        throw .malformed(reason(of: error))
    }
}
