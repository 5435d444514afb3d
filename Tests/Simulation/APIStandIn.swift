// An API server of Kubernetes, as far as those who list, watch, create and patch can tell.
//
// It knows nothing of connections: whoever holds them hands requests in and bytes out. What it
// answers has the shape of a real server's answers: lists in pages, watches as chunks of one event
// a line, expired versions, bookmarks, refusals as objects of the kind `Status`.

import Foundation

/// A store of objects and the watches on it.
package final class APIStandIn {
    /// An object as JSON.
    package typealias Object = [String: Any]

    /// What the holder of a connection does with a request's answer.
    package struct Answer {
        package var bytes: [UInt8]
        /// nil: the answer is whole and the connection ends; else a watch that goes on so long.
        package var watchSeconds: Int?
    }

    /// A request as it came.
    package struct Seen {
        package var method: String
        package var target: String
        package var token: String?
        package var body: String

        /// Whether it asks for a watch.
        package var isWatch: Bool { target.contains("watch=true") }
        /// A parameter of the query, decoded.
        package func parameter(_ name: String) -> String? {
            APIStandIn.parameters(of: target)[name]
        }
    }

    private struct Change {
        var version: Int
        var type: String
        var path: String
        var object: Object
    }

    private struct Watch {
        var connection: Int
        var path: String
        var parameters: [String: String]
    }

    /// Hands bytes to a connection with a watch.
    package var send: (_ connection: Int, _ bytes: [UInt8]) -> Void = { _, _ in }
    /// Ends such a connection; cut: without the end of its answer.
    package var end: (_ connection: Int, _ isCut: Bool) -> Void = { _, _ in }
    /// Every request, in order.
    package private(set) var requests: [Seen] = []
    /// The tokens that are taken; nil: everybody is let in.
    package var tokens: Set<String>?
    /// What nobody may do: `list endpointslices`.
    package var forbidden: Set<String> = []
    /// What is answered instead, if anything.
    package var instead: (Seen) -> [UInt8]? = { _ in nil }
    /// Whether an expired version is refused by the status of the answer, not by an event.
    package var refusesExpiredByStatus = false
    /// Whether lists come in chunks.
    package var sendsListsInChunks = false

    private var objects: [String: Object] = [:]
    private var changes: [Change] = []
    private var watches: [Watch] = []
    private var version = 1000
    private var compacted = 0

    package init() {}

    // MARK: what the test does

    /// Watches that are open.
    package var openWatches: Int { watches.count }

    /// Puts an object at a path such as `/api/v1/namespaces/a/services/b`; whoever watches is told.
    package func put(_ path: String, _ json: String) {
        guard var object = try? JSONSerialization.jsonObject(with: Data(json.utf8)) as? Object
        else { preconditionFailure("no JSON: \(json)") }
        version += 1
        let parts = path.split(separator: "/")
        var metadata = object["metadata"] as? Object ?? [:]
        metadata["name"] = parts.last.map(String.init)
        if let place = parts.firstIndex(of: "namespaces"), place + 2 < parts.count {
            metadata["namespace"] = String(parts[place + 1])
        }
        let known = objects[path]?["metadata"] as? Object
        metadata["uid"] = metadata["uid"] ?? known?["uid"] ?? "uid-\(version)"
        metadata["creationTimestamp"] =
            metadata["creationTimestamp"] ?? known?["creationTimestamp"] ?? "2026-01-01T00:00:00Z"
        metadata["resourceVersion"] = String(version)
        object["metadata"] = metadata
        let isNew = objects[path] == nil
        objects[path] = object
        happened(isNew ? "ADDED" : "MODIFIED", path, object)
    }

    /// Takes an object away.
    package func remove(_ path: String) {
        guard var object = objects.removeValue(forKey: path) else { return }
        version += 1
        var metadata = object["metadata"] as? Object ?? [:]
        metadata["resourceVersion"] = String(version)
        object["metadata"] = metadata
        happened("DELETED", path, object)
    }

    /// An object as it is.
    package func object(at path: String) -> Object? { objects[path] }

    /// The paths of all objects below one, sorted.
    package func paths(below path: String) -> [String] {
        objects.keys.filter { $0.hasPrefix(path) }.sorted()
    }

    /// Versions up to now can no longer be watched from, and no list be continued.
    package func compact() {
        version += 1
        compacted = version
        changes = []
    }

    /// Tells every watch the version of now.
    package func bookmark() {
        for watch in watches {
            let object: Object = [
                "kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
                "metadata": ["resourceVersion": String(version), "creationTimestamp": NSNull()],
            ]
            send(watch.connection, event("BOOKMARK", object))
        }
    }

    /// Ends every watch by an event of the type ERROR.
    package func fail(code: Int, reason: String, _ message: String) {
        for watch in watches {
            send(watch.connection, event("ERROR", Self.status(code, reason, message)))
        }
        endWatches()
    }

    /// Ends every watch well, as its time being over does.
    package func endWatches() { for watch in watches { endWatch(watch.connection) } }

    /// Ends one watch well.
    package func endWatch(_ connection: Int) {
        guard forget(connection) else { return }
        send(connection, Array("0\r\n\r\n".utf8))
        end(connection, false)
    }

    /// Cuts every watch.
    package func cutWatches() {
        for watch in watches where forget(watch.connection) { end(watch.connection, true) }
    }

    /// Sends some bytes to every watch.
    package func sendToWatches(_ bytes: [UInt8]) {
        for watch in watches { send(watch.connection, bytes) }
    }

    /// A connection is gone; whether it had a watch.
    @discardableResult
    package func forget(_ connection: Int) -> Bool {
        let count = watches.count
        watches.removeAll { $0.connection == connection }
        return watches.count < count
    }

    // MARK: requests

    /// Answers a request that is whole.
    package func answer(
        _ method: String,
        _ target: String,
        token: String?,
        body: [UInt8],
        on connection: Int
    ) -> Answer {
        let seen = Seen(
            method: method,
            target: target,
            token: token,
            body: String(decoding: body, as: UTF8.self)
        )
        requests.append(seen)
        if let bytes = instead(seen) { return Answer(bytes: bytes) }
        if let tokens, token.map(tokens.contains) != true {
            return refuse(401, "Unauthorized", "Unauthorized")
        }
        let path = String(target.prefix { $0 != "?" })
        let parameters = Self.parameters(of: target)
        let verb = Self.verb(method, isWatch: parameters["watch"] == "true", path)
        if forbidden.contains("\(verb) \(Self.resource(of: path))") {
            return refuse(403, "Forbidden", Self.forbiddance(verb, path))
        }
        switch verb {
        case "list": return list(path, parameters)
        case "watch": return watch(path, parameters, connection)
        case "get":
            guard let object = objects[path] else { return notFound(path) }
            return Answer(bytes: Self.whole(200, object))
        case "create": return create(path, body)
        default: return patch(path, body)
        }
    }

    private func list(_ path: String, _ parameters: [String: String]) -> Answer {
        var start = 0
        var listed = version
        if let token = parameters["continue"], !token.isEmpty {
            let parts = token.split(separator: ".").compactMap { Int($0) }
            guard parts.count == 2, parts[0] >= compacted else {
                let why = "The provided continue parameter is too old to display a consistent list"
                return refuse(410, "Expired", why)
            }
            (listed, start) = (parts[0], parts[1])
        }
        let all = matching(path, parameters)
        let limit = parameters["limit"].flatMap { Int($0) } ?? all.count
        let items = Array(all.dropFirst(start).prefix(limit))
        var metadata: Object = ["resourceVersion": String(listed)]
        if start + items.count < all.count {
            metadata["continue"] = "\(listed).\(start + items.count)"
            metadata["remainingItemCount"] = all.count - start - items.count
        }
        let body: Object = [
            "kind": "List", "apiVersion": "v1", "metadata": metadata, "items": items,
        ]
        return Answer(bytes: Self.whole(200, body, inChunks: sendsListsInChunks))
    }

    private func watch(
        _ path: String,
        _ parameters: [String: String],
        _ connection: Int
    ) -> Answer {
        let from = parameters["resourceVersion"].flatMap { Int($0) } ?? version
        if from < compacted {
            let words = "too old resource version: \(from) (\(compacted))"
            if refusesExpiredByStatus { return refuse(410, "Expired", words) }
            let bytes =
                Self.watchHead + event("ERROR", Self.status(410, "Expired", words))
                + Array("0\r\n\r\n".utf8)
            return Answer(bytes: bytes)
        }
        let watch = Watch(connection: connection, path: path, parameters: parameters)
        watches.append(watch)
        var bytes = Self.watchHead
        for change in changes where change.version > from && concerns(change, watch) {
            bytes += event(change.type, change.object)
        }
        let seconds = parameters["timeoutSeconds"].flatMap { Int($0) } ?? 1800
        return Answer(bytes: bytes, watchSeconds: seconds)
    }

    private func create(_ path: String, _ body: [UInt8]) -> Answer {
        guard let object = try? JSONSerialization.jsonObject(with: Data(body)) as? Object,
            let name = (object["metadata"] as? Object)?["name"] as? String
        else { return refuse(400, "BadRequest", "no object") }
        let place = "\(path)/\(name)"
        guard objects[place] == nil else {
            return refuse(409, "AlreadyExists", "\(name) already exists")
        }
        put(place, String(decoding: body, as: UTF8.self))
        return Answer(bytes: Self.whole(201, objects[place] ?? [:]))
    }

    private func patch(_ path: String, _ body: [UInt8]) -> Answer {
        let place = path.hasSuffix("/status") ? String(path.dropLast(7)) : path
        guard let object = objects[place] else { return notFound(place) }
        guard let patch = try? JSONSerialization.jsonObject(with: Data(body)) as? Object else {
            return refuse(400, "BadRequest", "no object")
        }
        put(place, Self.text(Self.merge(object, patch)))
        return Answer(bytes: Self.whole(200, objects[place] ?? [:]))
    }

    /// RFC 7396.
    private static func merge(_ object: Object, _ patch: Object) -> Object {
        var object = object
        for (key, value) in patch {
            if value is NSNull {
                object[key] = nil
            } else if let inner = value as? Object {
                object[key] = merge(object[key] as? Object ?? [:], inner)
            } else {
                object[key] = value
            }
        }
        return object
    }

    // MARK: matching

    private func happened(_ type: String, _ path: String, _ object: Object) {
        let change = Change(version: version, type: type, path: path, object: object)
        changes.append(change)
        for watch in watches where concerns(change, watch) {
            send(watch.connection, event(type, object))
        }
    }

    private func concerns(_ change: Change, _ watch: Watch) -> Bool {
        Self.isIn(change.path, watch.path) && Self.matches(change.object, watch.parameters)
    }

    private func matching(_ path: String, _ parameters: [String: String]) -> [Object] {
        objects.filter { Self.isIn($0.key, path) && Self.matches($0.value, parameters) }
            .sorted { $0.key < $1.key }.map(\.value)
    }

    /// Whether an object's path belongs to a collection, of one namespace or of all.
    private static func isIn(_ path: String, _ collection: String) -> Bool {
        let parent = path.split(separator: "/").dropLast()
        let wanted = collection.split(separator: "/")[...]
        if parent.elementsEqual(wanted) { return true }
        guard let place = parent.firstIndex(of: "namespaces"), place + 2 < parent.endIndex else {
            return false
        }
        return (parent[..<place] + parent[(place + 2)...]).elementsEqual(wanted)
    }

    private static func matches(_ object: Object, _ parameters: [String: String]) -> Bool {
        let metadata = object["metadata"] as? Object ?? [:]
        if let selector = parameters["labelSelector"] {
            let parts = selector.split(separator: "=", maxSplits: 1).map(String.init)
            let labels = metadata["labels"] as? [String: String] ?? [:]
            if parts.count != 2 || labels[parts[0]] != parts[1] { return false }
        }
        if let selector = parameters["fieldSelector"] {
            let parts = selector.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { return false }
            let value = parts[0] == "metadata.name" ? metadata["name"] : object[parts[0]]
            if value as? String != parts[1] { return false }
        }
        return true
    }

    // MARK: texts

    private static func verb(_ method: String, isWatch: Bool, _ path: String) -> String {
        switch method {
        case "GET":
            let parts = path.split(separator: "/")
            let place = parts.firstIndex(of: "namespaces").map { $0 + 2 }
            let start = place ?? (parts.first == "api" ? 2 : 3)
            if parts.count > start + 1 { return "get" }
            return isWatch ? "watch" : "list"
        case "POST": return "create"
        default: return "patch"
        }
    }

    /// The plural that a path is about.
    private static func resource(of path: String) -> String {
        let parts = path.split(separator: "/")
        let start =
            parts.firstIndex(of: "namespaces").map { $0 + 2 }
            ?? (parts.first == "api" ? 2 : 3)
        return start < parts.count ? String(parts[start]) : ""
    }

    private static func forbiddance(_ verb: String, _ path: String) -> String {
        let group = path.hasPrefix("/apis/") ? String(path.split(separator: "/")[1]) : ""
        let name = resource(of: path)
        let full = group.isEmpty ? name : "\(name).\(group)"
        return "\(full) is forbidden: User \"system:serviceaccount:sluice:sluice\" cannot \(verb) "
            + "resource \"\(name)\" in API group \"\(group)\""
    }

    private func notFound(_ path: String) -> Answer {
        refuse(404, "NotFound", "\(path) not found")
    }

    private func refuse(_ code: Int, _ reason: String, _ message: String) -> Answer {
        Answer(bytes: Self.whole(code, Self.status(code, reason, message)))
    }

    /// An object of the kind `Status`, as refusals and ERROR events carry it.
    package static func status(_ code: Int, _ reason: String, _ message: String) -> Object {
        [
            "kind": "Status", "apiVersion": "v1", "metadata": [String: Any](),
            "status": "Failure", "message": message, "reason": reason, "code": code,
        ]
    }

    /// A whole answer with a JSON body.
    package static func whole(
        _ code: Int,
        _ object: Object,
        inChunks: Bool = false
    ) -> [UInt8] {
        let body = Array((text(object) + "\n").utf8)
        var head =
            "HTTP/1.1 \(code) \(code < 300 ? "OK" : "Refused")\r\n"
            + "Audit-Id: 8f2c1e7a-0000-4000-8000-000000000000\r\n"
            + "Cache-Control: no-cache, private\r\nContent-Type: application/json\r\n"
        guard inChunks else {
            head += "Content-Length: \(body.count)\r\n\r\n"
            return Array(head.utf8) + body
        }
        head += "Transfer-Encoding: chunked\r\n\r\n"
        let half = body.count / 2
        return Array(head.utf8) + chunk(Array(body[..<half])) + chunk(Array(body[half...]))
            + Array("0\r\n\r\n".utf8)
    }

    private static let watchHead = Array(
        ("HTTP/1.1 200 OK\r\nAudit-Id: 8f2c1e7a-0000-4000-8000-000000000000\r\n"
            + "Cache-Control: no-cache, private\r\nContent-Type: application/json\r\n"
            + "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n").utf8
    )

    private func event(_ type: String, _ object: Object) -> [UInt8] {
        Self.chunk(Array((Self.text(["type": type, "object": object]) + "\n").utf8))
    }

    private static func chunk(_ bytes: [UInt8]) -> [UInt8] {
        bytes.isEmpty ? [] : Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [13, 10]
    }

    private static func text(_ object: Object) -> String {
        let data = try? JSONSerialization.data(
            withJSONObject: object,
            options: [.sortedKeys, .withoutEscapingSlashes]
        )
        return String(decoding: data ?? Data(), as: UTF8.self)
    }

    fileprivate static func parameters(of target: String) -> [String: String] {
        guard let mark = target.firstIndex(of: "?") else { return [:] }
        var parameters: [String: String] = [:]
        for pair in target[target.index(after: mark)...].split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1).map {
                String($0).removingPercentEncoding ?? ""
            }
            if parts.count == 2 { parameters[parts[0]] = parts[1] }
        }
        return parameters
    }
}
