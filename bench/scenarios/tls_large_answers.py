"""Answers of 64 KiB over TLS on kept connections, one core for the gateway."""

from harness.figures import Figure, at_most_times_best

from . import _throughput

TITLE = "64 KiB answers over TLS"
TEXT = "wrk gets 64 KiB on 16 kept connections over TLS 1.3; each replica answers from memory."
FIGURES = [
    Figure("cpu", "CPU µs per request", at_most_times_best(0.95, ("nginx", "haproxy")), 1)]


def measure(stage, name):
    if name not in _throughput.TLS_PEERS:
        return {}, []
    cpu = _throughput.cpu_per_request(
        stage, name, "/large", 16, tags="throughput+answers+tls")
    return {"cpu": cpu}, []
