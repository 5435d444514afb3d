"""Request bodies of 1 MiB on 8 kept connections, one core for the gateway."""

from harness.figures import Figure, at_most_times_best

from . import _throughput

TITLE = "1 MiB request bodies"
TEXT = "wrk posts 1 MiB on 8 kept connections; four stand-ins read all of it, then answer."
FIGURES = [Figure("cpu", "CPU µs per body", at_most_times_best(0.5, ("nginx", "haproxy")), 0)]


def measure(stage, name):
    script = _throughput.post_script(stage, "large", 1 << 20)
    stubs = stage.start_stubs(4, "--hash", "no")
    try:
        ports = [stub.port for stub in stubs]
        return {"cpu": _throughput.cpu_per_request(
            stage, name, "/predict", 8, script, ports, tags="throughput+bodies")}, []
    finally:
        for stub in stubs:
            stub.stop()
