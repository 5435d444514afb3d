"""Small predictions: 200 bytes of JSON posted on 64 kept connections, one core for the gateway."""

from harness.figures import Figure, at_most_times_best

from . import _throughput

TITLE = "Small JSON"
TEXT = "wrk posts 200 bytes on 64 kept connections; four replicas answer 29 bytes at once."
FIGURES = [
    Figure("cpu", "CPU µs per request", at_most_times_best(0.85, ("nginx", "haproxy")), 1)]


def measure(stage, name):
    script = _throughput.post_script(stage, "small", 200)
    return {"cpu": _throughput.cpu_per_request(stage, name, "/predict", 64, script)}, []
