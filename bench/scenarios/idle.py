"""What an idle client connection costs in memory."""

import resource
import socket
import time

from harness import load
from harness.figures import Figure, at_most
from harness.machine import LOAD_CORE

TITLE = "Idle client connections"
TEXT = (
    "10,000 clients connect, ask once each, and stay. Resident memory (what processes share "
    "counted once) against before they came: when all have connected, and when all were answered.")
FIGURES = [
    Figure("kib", "KiB per connection, once answered", at_most(1.1, " (aim: 0.55)"), 2),
    Figure("connected", "KiB per connection, only connected", None, 2),
]
REQUEST = b"POST /predict HTTP/1.1\r\nHost: bench\r\nContent-Length: 2\r\n\r\n{}"


def _connect(port: int, count: int) -> list[socket.socket]:
    clients = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", port), timeout=10)
        clients.append(client)
    return clients


def _ask(clients: list[socket.socket]) -> None:
    for client in clients:
        client.sendall(REQUEST)
        answer = client.recv(4096)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"a client was answered with {answer[:40]!r}")


def measure(stage, name):
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    # sluice takes at most half as many clients as it has descriptors: each may need a replica too.
    count = 2000 if stage.quick else min(10_000, limit // 2 - 200)
    plain, replicas = load.start_plain_replicas(
        stage.programs["nginx"], stage.folder, 4, LOAD_CORE)
    clients = []
    try:
        proxy = stage.start_proxy(
            name, "idle", replicas, connections=min(10_500, limit - 500), descriptors=limit)
        try:
            # The first requests make what all share.
            first = _connect(proxy.port, 8)
            clients += first
            for _ in range(100):
                _ask(first)
            time.sleep(1)
            before = proxy.program.resident_bytes()
            late = _connect(proxy.port, count)
            clients += late
            time.sleep(1)
            connected = proxy.program.resident_bytes()
            _ask(late)
            time.sleep(2)
            answered = proxy.program.resident_bytes()
        finally:
            proxy.stop()
    finally:
        for client in clients:
            client.close()
        plain.stop()
    scale = 1024 * count
    notes = [] if count == 10_000 else [f"{count} connections, not 10,000: {limit} descriptors"]
    return {"kib": (answered - before) / scale, "connected": (connected - before) / scale}, notes
