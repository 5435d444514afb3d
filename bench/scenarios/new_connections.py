"""A new client connection for each request, one core for the gateway."""

from harness.figures import Figure, at_most_times_best

from . import _throughput

TITLE = "New connection per request"
TEXT = "wrk posts 200 bytes and asks for `Connection: close`, 64 at a time."
FIGURES = [
    Figure("cpu", "CPU µs per request", at_most_times_best(1.0, ("nginx", "haproxy")), 1)]


def measure(stage, name):
    script = _throughput.post_script(
        stage, "close", 200, 'wrk.headers["Connection"] = "close"\n')
    return {"cpu": _throughput.cpu_per_request(stage, name, "/predict", 64, script)}, []
