"""Small predictions over TLS: kept connections, one core for the gateway."""

from harness.figures import Figure, at_most_times_best

from . import _throughput

TITLE = "Small JSON over TLS"
TEXT = (
    "As small JSON, over TLS 1.3 with AES-256-GCM and an ECDSA P-256 certificate; the replicas are "
    "spoken to in plain HTTP. Envoy and Caddy are not set up for it.")
FIGURES = [
    Figure("cpu", "CPU µs per request", at_most_times_best(0.95, ("nginx", "haproxy")), 1)]


def measure(stage, name):
    if name not in _throughput.TLS_PEERS:
        return {}, []
    script = _throughput.post_script(stage, "small", 200)
    cpu = _throughput.cpu_per_request(
        stage, name, "/predict", 64, script, tags="throughput+tls")
    return {"cpu": cpu}, []
