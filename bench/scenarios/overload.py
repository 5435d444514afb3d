"""Three times as many requests as can be served, from clients that wait half a second."""

from harness.figures import Figure, at_least, at_most
from harness.processes import wait_until
from harness.statistics import quantile

TITLE = "Overload"
REPLICAS, MEAN, PATIENCE = 4, 0.020, 0.5
CAPACITY = REPLICAS / MEAN
# What the peers are told by hand: so many requests are done in the time that clients wait, less a
# margin. sluice is told no such number.
OUTSTANDING = int(CAPACITY * PATIENCE * 0.7)
TEXT = (
    f"{REPLICAS} replicas that do one request at a time (log-normal, mean {MEAN * 1000:.0f} ms, "
    f"sigma 0.5; they work on when the client has left, as model servers do), 3 × as many Poisson "
    f"arrivals; clients hang up after {PATIENCE * 1000:.0f} ms and say so in X-Request-Timeout. "
    f"The peers' queues are bounded by hand to {OUTSTANDING} outstanding requests in all; sluice "
    "has its defaults. Capacity is reckoned from the times that the stand-ins really worked.")
FIGURES = [
    Figure("share", "answers in time ÷ capacity", at_least(0.99), 3),
    Figure("refusal", "slowest refusal, p99 ms", at_most(1), 2),
    Figure("useless", "requests worked on that nobody awaits", at_most(0), 0),
    Figure("hung", "clients that hung up without an answer, %", None, 1),
]


def measure(stage, name):
    seconds = 4 if stage.quick else max(5, 2.5 * stage.seconds)
    stubs = stage.start_stubs(
        REPLICAS, "--concurrency", "1", "--latency", f"lognormal:{MEAN * 1000:g}ms,0.5")
    try:
        proxy = stage.start_proxy(
            name, "overload", [stub.port for stub in stubs], slots=1,
            outstanding=OUTSTANDING, allowance=OUTSTANDING // REPLICAS,
            waiting=OUTSTANDING - REPLICAS)
        try:
            done = stage.open_load(
                proxy.port, "--phases", f"{3 * CAPACITY:g}:{seconds}s", "--arrivals", "poisson",
                "--seed", str(stage.round), "--timeout", f"{PATIENCE}s", "--body", "{}",
                "--field", f"X-Request-Timeout: {PATIENCE * 1000:g}ms",
            ).finish(seconds + 30)
            wait_until(
                lambda: all(stub.stats()["busy"] == 0 for stub in stubs), 20, "the last answers")
            stats = [stub.stats() for stub in stubs]
        finally:
            proxy.stop()
    finally:
        for stub in stubs:
            stub.stop()
    # Not the first second, in which a queue only fills.
    whole = [
        request for request in done.requests
        if request.outcome == "200" and 1 <= request.due + request.latency < seconds]
    started = sum(stub["started"] for stub in stats)
    mean = sum(stub["worked"] for stub in stats) / 1e6 / started
    answered = sum(request.outcome == "200" for request in done.requests)
    refusals = [
        request.latency for request in done.requests
        if request.outcome.split("/")[0] in ("429", "502", "503", "504")]
    hung = sum(request.outcome == "timedOut" for request in done.requests)
    notes = [f"{name}: {done.note()}"] if done.note() else []
    return {
        "share": len(whole) / ((seconds - 1) * REPLICAS / mean),
        "refusal": quantile(refusals, 0.99) * 1000,
        "useless": max(0, started - answered),
        "hung": 100 * hung / len(done.requests),
    }, notes
