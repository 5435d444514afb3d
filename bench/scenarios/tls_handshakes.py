"""A TLS handshake and one request on each connection: full ones, and resumed ones."""

import subprocess
import sys

from harness import load
from harness.figures import Figure, at_most_times_best
from harness.machine import BENCH, LOAD_CORE

from . import _throughput

TITLE = "TLS handshakes"
TEXT = (
    "A client connects over TLS 1.3 (ECDSA P-256, X25519), asks once and closes, one connection "
    "after the other: with a full handshake each, and resuming the session before.")
FIGURES = [
    Figure("full", "CPU µs per full handshake with a request", at_most_times_best(1.0, ("nginx",))),
    Figure("resumed", "CPU µs per resumed one", at_most_times_best(1.0, ("nginx",))),
]


def _connect(proxy, kind: str, seconds: float) -> int:
    """Connects again and again for a time; how often."""
    command = [
        "setpriv", "--pdeathsig", "TERM", "--", "taskset", "-c", ",".join(map(str, LOAD_CORE)),
        sys.executable, BENCH / "harness" / "handshakes.py", str(proxy.port), str(seconds), kind]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=seconds + 30)
    if done.returncode != 0 or int(done.stdout) == 0:
        raise RuntimeError(f"no connections: {done.stderr}")
    return int(done.stdout)


def measure(stage, name):
    if name not in _throughput.TLS_PEERS:
        return {}, []
    plain, replicas = load.start_plain_replicas(
        stage.programs["nginx"], stage.folder, 4, LOAD_CORE)
    try:
        proxy = stage.start_proxy(name, "throughput+tls", replicas)
        try:
            measured = {}
            for kind in ("full", "resumed"):
                _connect(proxy, kind, _throughput.WARM_UP)
                before = proxy.program.cpu_seconds()
                count = _connect(proxy, kind, stage.seconds)
                measured[kind] = (proxy.program.cpu_seconds() - before) / count * 1e6
            return measured, []
        finally:
            proxy.stop()
    finally:
        plain.stop()
