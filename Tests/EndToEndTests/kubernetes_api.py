"""An API server of Kubernetes on real TLS sockets, for clients that list, watch, create and patch.

    python3 kubernetes_api.py CERTIFICATE KEY TOKEN PORT VERSION

Prints `serving at PORT, told at HOST:PORT`. The test tells it at the second place, without TLS:

    PUT PATH      puts an object there, such as /api/v1/namespaces/a/services/b
    DELETE PATH   takes it away
    GET PATH      the object there; below a collection, all of them
    POST /tokens  the tokens that are taken, a list of texts
    POST /forbid  what nobody may do, a list such as ["list secrets"]
    POST /end     ends every watch, as their time being over does
    GET /seen     the requests so far: method, target, token, status
"""

import json
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CERTIFICATE, KEY, TOKEN, PORT, VERSION = sys.argv[1:]

# Guards everything below; whoever watches waits for it.
news = threading.Condition()
objects = {}
history = []
seen = []
forbidden = set()
tokens = {TOKEN}
version = oldest = int(VERSION)
era = 0


def place_of(path):
    """Namespace, plural and name of a path, each None where it has none."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2:
        namespace, rest = rest[1], rest[2:]
    return namespace, rest[0], rest[1] if len(rest) > 1 else None


def group_of(path):
    parts = path.strip("/").split("/")
    return "" if parts[0] == "api" else parts[1]


def is_meant(path, item, collection, query):
    namespace, plural, _ = place_of(path)
    wanted, kind, _ = place_of(collection)
    if (group_of(path), plural) != (group_of(collection), kind):
        return False
    if wanted is not None and wanted != namespace:
        return False
    for text in query.get("labelSelector", []):
        name, value = text.split("=", 1)
        if item["metadata"].get("labels", {}).get(name) != value:
            return False
    for text in query.get("fieldSelector", []):
        name, value = text.split("=", 1)
        if (item["metadata"]["name"] if name == "metadata.name" else item.get(name)) != value:
            return False
    return True


def happened(kind, path, item):
    """Notes a change; called with `news` held."""
    global version
    version += 1
    item["metadata"]["resourceVersion"] = str(version)
    history.append((version, kind, path, json.loads(json.dumps(item))))
    news.notify_all()


def put(path, item):
    namespace, _, name = place_of(path)
    known = objects.get(path, {}).get("metadata", {})
    metadata = item.setdefault("metadata", {})
    metadata.update(name=name, uid=known.get("uid", f"uid-{version}"))
    metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
    if namespace is not None:
        metadata["namespace"] = namespace
    objects[path] = item
    happened("MODIFIED" if known else "ADDED", path, item)


def merge(item, patch):
    """RFC 7396."""
    for name, value in patch.items():
        if value is None:
            item.pop(name, None)
        elif isinstance(value, dict):
            item[name] = merge(dict(item.get(name) or {}), value)
        else:
            item[name] = value
    return item


def failure(code, reason, message):
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "null")

    def answer(self, code, value):
        text = json.dumps(value).encode() + b"\n"
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


class Clients(Handler):
    """What the gateway sees."""

    def do_GET(self):
        is_watch = parse_qs(urlsplit(self.path).query).get("watch") == ["true"]
        self.serve("watch" if is_watch else "list")

    def do_POST(self):
        self.serve("create")

    def do_PATCH(self):
        self.serve("patch")

    def serve(self, verb):
        address = urlsplit(self.path)
        query = parse_qs(address.query)
        given = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        body = self.body() if verb in ("create", "patch") else None
        with news:
            code, value = self.decide(verb, address.path, query, given, body)
            seen.append({"method": self.command, "target": self.path, "token": given,
                         "status": code})
        if value is None:
            self.watch(address.path, query)
        else:
            self.answer(code, value)

    def decide(self, verb, path, query, given, body):
        if given not in tokens:
            return 401, failure(401, "Unauthorized", "Unauthorized")
        _, plural, name = place_of(path)
        part = "/".join([plural, *path.split(f"/{name}/")[1:]]) if name else plural
        if f"{verb} {part}" in forbidden:
            words = (f'{part} is forbidden: User "system:serviceaccount:sluice:sluice" cannot '
                     f'{verb} resource "{part}" in API group "{group_of(path)}"')
            return 403, failure(403, "Forbidden", words)
        if verb == "watch":
            return 200, None
        if verb == "list":
            start = int((query.get("continue") or ["0"])[0])
            limit = int(query["limit"][0])
            found = [item for place, item in sorted(objects.items())
                     if is_meant(place, item, path, query)]
            metadata = {"resourceVersion": str(version)}
            if len(found) > start + limit:
                metadata["continue"] = str(start + limit)
            return 200, {"kind": "List", "apiVersion": "v1", "metadata": metadata,
                         "items": found[start:start + limit]}
        if verb == "create":
            place = f"{path}/{body['metadata']['name']}"
            if place in objects:
                return 409, failure(409, "AlreadyExists", f"{place} already exists")
            put(place, body)
            return 201, objects[place]
        place = path.removesuffix("/status")
        if place not in objects:
            return 404, failure(404, "NotFound", f"{place} not found")
        put(place, merge(objects[place], body))
        return 200, objects[place]

    def send(self, kind, item):
        line = json.dumps({"type": kind, "object": item}).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

    def watch(self, path, query):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        begun, last = era, int(query["resourceVersion"][0])
        if last < oldest:
            words = f"too old resource version: {last} ({oldest})"
            self.send("ERROR", failure(410, "Expired", words))
        else:
            self.follow(path, query, begun, last)
        self.wfile.write(b"0\r\n\r\n")

    def follow(self, path, query, begun, last):
        while True:
            with news:
                news.wait_for(lambda: era != begun or version > last)
                if era != begun:
                    return
                changes = [change for change in history if change[0] > last]
                last = version
            for _, kind, place, item in changes:
                if is_meant(place, item, path, query):
                    self.send(kind, item)
            self.send("BOOKMARK", {"metadata": {"resourceVersion": str(last)}})


class Test(Handler):
    """What the test tells and asks."""

    def do_PUT(self):
        with news:
            put(self.path, self.body())
        self.answer(200, {})

    def do_DELETE(self):
        with news:
            happened("DELETED", self.path, objects.pop(self.path))
        self.answer(200, {})

    def do_GET(self):
        with news:
            if self.path == "/seen":
                value = list(seen)
            elif self.path in objects:
                value = objects[self.path]
            else:
                value = [item for place, item in sorted(objects.items())
                         if place.startswith(self.path + "/")]
        self.answer(200, value)

    def do_POST(self):
        global era
        body = self.body()
        with news:
            if self.path == "/end":
                era += 1
            else:
                those = {"/tokens": tokens, "/forbid": forbidden}[self.path]
                those.clear()
                those.update(body)
            news.notify_all()
        self.answer(200, {})


class Secure(ThreadingHTTPServer):
    """Shakes hands in the connection's own thread, so that nobody holds up the others."""

    daemon_threads = True

    def get_request(self):
        connection, address = super().get_request()
        return context.wrap_socket(connection, server_side=True,
                                   do_handshake_on_connect=False), address

    def handle_error(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(CERTIFICATE, KEY)
clients = Secure(("127.0.0.1", int(PORT)), Clients)
test = ThreadingHTTPServer(("127.0.0.1", 0), Test)
threading.Thread(target=test.serve_forever, daemon=True).start()
print(f"serving at {clients.server_port}, told at 127.0.0.1:{test.server_port}", flush=True)
clients.serve_forever()
