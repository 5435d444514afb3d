"""How near a gateway comes to one perfect queue before several replicas."""

import random

from harness.figures import Figure, at_most
from harness.statistics import central_queue, log_normal, poisson_arrivals, quantile

TITLE = "Scheduling"
REPLICAS, MEAN, SIGMA = 8, 0.020, 0.7
LOADS = [50, 70, 80, 90, 95]
TEXT = (
    f"{REPLICAS} replicas that do one request at a time, log-normal service times (mean "
    f"{MEAN * 1000:.0f} ms, sigma {SIGMA}), Poisson arrivals. Latency from the intended send time, "
    "over that of a simulated first-come-first-served queue with no overhead, for the same "
    "arrivals and the very times that the stand-ins then worked. Every gateway gets the same "
    "requests; each round has others. HAProxy with maxconn 1, nginx, Envoy and Caddy with "
    "least connections.")
FIGURES = [
    Figure(f"p{share}-{load}", f"p{share} ÷ optimum at {load} %", at_most(1.05), 3)
    for share in (50, 99) for load in LOADS
]


def _trace(stage, load: int, seconds: float) -> str:
    """Writes down the requests of a round; the same for every gateway."""
    chance = random.Random(1000 * stage.round + load)
    rate = load / 100 * REPLICAS / MEAN
    file = stage.folder / "trace"
    file.write_text("".join(
        f"{due * 1000:.3f} /predict?latency={log_normal(MEAN, SIGMA, chance) * 1000:.3f}ms\n"
        for due in poisson_arrivals(rate, seconds, chance)))
    return str(file)


def measure(stage, name):
    figures, notes = {}, []
    seconds = 3 if stage.quick else 2.5 * stage.seconds
    for load in [80] if stage.quick else LOADS:
        stubs = stage.start_stubs(REPLICAS, "--concurrency", "1")
        try:
            ports = [stub.port for stub in stubs]
            proxy = stage.start_proxy(name, "scheduling", ports, slots=1)
            try:
                done = stage.open_load(
                    proxy.port, "--trace", _trace(stage, load, seconds), "--body", "{}",
                ).finish(seconds + 60)
            finally:
                proxy.stop()
        finally:
            for stub in stubs:
                stub.stop()
        requests = sorted(done.requests, key=lambda request: request.due)
        failed = [request.outcome for request in requests if request.worked is None]
        if failed:
            notes.append(f"{name} at {load} %: {len(failed)} failed ({failed[0]})")
            continue
        best = central_queue(
            [request.due for request in requests], [request.worked for request in requests],
            REPLICAS)
        for share in (50, 99):
            real = quantile([request.latency for request in requests], share / 100)
            figures[f"p{share}-{load}"] = real / quantile(best, share / 100)
        if done.note():
            notes.append(f"{name} at {load} %: {done.note()}")
    return figures, notes
