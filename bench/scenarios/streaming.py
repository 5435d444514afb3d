"""Token streams: how soon the first byte comes, and how evenly the others follow."""

from harness.figures import Figure, at_most_times_best
from harness.statistics import quantile

TITLE = "Streaming"
STREAMS, INTERVAL, TOKENS = 200, 0.020, 100
PEERS = ("nginx", "haproxy", "envoy", "caddy")
TEXT = (
    f"A hundred streams begin each second and last {TOKENS * INTERVAL:.0f} s: {STREAMS} at a time, "
    f"with an event every {INTERVAL * 1000:.0f} ms each. First byte from the intended send time; "
    "jitter is how far a gap between two events is off. `direct`: without any gateway.")
FIGURES = [
    Figure("first", "time to first byte, p99 ms", at_most_times_best(1.0, PEERS), 2),
    Figure("jitter", "gap jitter, p99 ms", at_most_times_best(1.0, PEERS), 2),
]
WITH_DIRECT = True


def measure(stage, name):
    seconds = 4 if stage.quick else max(5, 2 * stage.seconds)
    stubs = stage.start_stubs(4)
    proxy = None
    try:
        if name != "direct":
            proxy = stage.start_proxy(
                name, "streaming", [stub.port for stub in stubs], slots=2 * STREAMS)
        path = f"/stream?tokens={TOKENS}&interval={INTERVAL * 1000:g}ms"
        done = stage.open_load(
            proxy.port if proxy else stubs[0].port, "--phases",
            f"{STREAMS / TOKENS / INTERVAL:g}:{seconds}s", "--method", "GET", "--path", path,
        ).finish(seconds + 30)
    finally:
        if proxy:
            proxy.stop()
        for stub in stubs:
            stub.stop()
    # Not the first two seconds, in which the streams only become so many.
    settled = [request for request in done.requests if request.due >= TOKENS * INTERVAL]
    broken = [request.outcome for request in done.requests if request.outcome != "200"]
    notes = [f"{name}: {len(broken)} streams failed ({broken[0]})"] if broken else []
    if done.note():
        notes.append(f"{name}: {done.note()}")
    gaps = [abs(gap - INTERVAL) for request in settled for gap in request.gaps]
    first = [request.first for request in settled if request.first is not None]
    return {"first": quantile(first, 0.99) * 1000, "jitter": quantile(gaps, 0.99) * 1000}, notes
