"""Answers of 64 KiB on 64 kept connections, one core for the gateway."""

from harness.figures import Figure, at_most_times_best

from . import _throughput

TITLE = "64 KiB answers"
TEXT = "wrk gets 64 KiB on 64 kept connections; four replicas answer from memory."
FIGURES = [Figure("cpu", "CPU µs per answer", at_most_times_best(0.9, ("nginx", "haproxy")), 1)]


def measure(stage, name):
    return {"cpu": _throughput.cpu_per_request(
        stage, name, "/large", 64, tags="throughput+answers")}, []
