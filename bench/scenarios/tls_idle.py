"""What an idle TLS connection costs in memory."""

import socket
import ssl
import time

from harness import load
from harness.figures import Figure, at_most_times_best
from harness.machine import LOAD_CORE

from . import _throughput

TITLE = "Idle TLS connections"
TEXT = (
    "2,000 clients connect over TLS 1.3, ask once each, and stay. Resident memory against before "
    "they came. Most of it is OpenSSL's own state of a connection; buffers are given back.")
FIGURES = [
    Figure("kib", "KiB per connection, once answered",
           at_most_times_best(1.1, ("nginx", "haproxy")), 1),
]
REQUEST = b"POST /predict HTTP/1.1\r\nHost: bench\r\nContent-Length: 2\r\n\r\n{}"


def _connect(port: int, count: int) -> list[ssl.SSLSocket]:
    context = ssl._create_unverified_context()
    clients = []
    for _ in range(count):
        raw = socket.create_connection(("127.0.0.1", port), timeout=10)
        client = context.wrap_socket(raw)
        client.sendall(REQUEST)
        answer = client.recv(4096)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a client was answered with {answer[:40]!r}")
        clients.append(client)
    return clients


def measure(stage, name):
    if name not in _throughput.TLS_PEERS:
        return {}, []
    count = 500 if stage.quick else 2000
    plain, replicas = load.start_plain_replicas(
        stage.programs["nginx"], stage.folder, 4, LOAD_CORE)
    clients = []
    try:
        proxy = stage.start_proxy(name, "idle+tls", replicas)
        try:
            # The first ones make what all share.
            clients += _connect(proxy.port, 100)
            time.sleep(1)
            before = proxy.program.resident_bytes()
            clients += _connect(proxy.port, count)
            time.sleep(2)
            answered = proxy.program.resident_bytes()
        finally:
            proxy.stop()
    finally:
        for client in clients:
            client.close()
        plain.stop()
    return {"kib": (answered - before) / 1024 / count}, []
