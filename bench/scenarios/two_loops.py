"""What a second loop (worker, thread) brings."""

from harness import load
from harness.figures import Figure, at_least_best
from harness.machine import BOTH_CORES

from . import _throughput

TITLE = "Two loops"
TEXT = (
    "As `small`, all on both cores. Load and replicas need the same two cores, so requests per "
    "second show little; what counts is how many requests a gateway could answer for each second "
    "that its busiest loop computes: with two loops, over with one. Threads of Caddy are taken "
    "as equally busy.")
FIGURES = [
    Figure("gain", "gain of two over one", at_least_best(("nginx", "haproxy", "envoy", "caddy")),
           2),
    Figure("share", "share of the busiest loop", None, 2),
    Figure("rate", "requests/s with two ÷ with one", None, 2),
]


def _run(stage, name, replicas, workers, script):
    proxy = stage.start_proxy(name, "throughput", replicas, cores=BOTH_CORES, workers=workers)
    try:
        wrk = stage.programs["wrk"]
        load.wrk(wrk, proxy.port, "/predict", 64, _throughput.WARM_UP, BOTH_CORES, script)
        before = proxy.program.thread_seconds()
        done = load.wrk(wrk, proxy.port, "/predict", 64, stage.seconds, BOTH_CORES, script)
        after = proxy.program.thread_seconds()
    finally:
        proxy.stop()
    used = [after[thread] - before.get(thread, 0) for thread in after]
    busiest = sum(used) / workers if name == "caddy" else max(used)
    return done["requests"] / busiest, busiest / sum(used), done["requests"] / done["seconds"]


def measure(stage, name):
    script = _throughput.post_script(stage, "small", 200)
    plain, replicas = load.start_plain_replicas(
        stage.programs["nginx"], stage.folder, 4, BOTH_CORES)
    try:
        one, _, rate_one = _run(stage, name, replicas, 1, script)
        two, share, rate_two = _run(stage, name, replicas, 2, script)
    finally:
        plain.stop()
    return {"gain": two / one, "share": share, "rate": rate_two / rate_one}, []
