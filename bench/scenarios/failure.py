"""One replica of four dies, stands still or gets slow while 500 requests a second go on."""

import signal
import time

from harness.figures import Figure, at_most

TITLE = "Failure"
REPLICAS, RATE, LATENCY = 4, 500, 3
TEXT = (
    f"{REPLICAS} replicas with four slots each answer in {LATENCY} ms; {RATE} requests/s, posted, "
    "which may be sent again. One replica is killed and restarted two seconds later, stopped "
    "(SIGSTOP) and continued, or slowed ten times. Every gateway but nginx, which cannot, probes "
    "every 100 ms; each may try three times; the peers' answer timeout is 1 s. Slowest: the worst "
    "latency of any request. Time until it works again: from when the replica listens (is "
    "continued) until a request reaches it.")
FIGURES = [
    Figure("killed-errors", "killed: client errors", at_most(0), 0),
    Figure("killed-slowest", "killed: slowest ms", at_most(10), 1),
    Figure("killed-return", "killed: s until it works again", at_most(0.5), 2),
    Figure("stopped-errors", "stopped: client errors", at_most(0), 0),
    Figure("stopped-slowest", "stopped: slowest ms", at_most(300), 1),
    Figure("stopped-return", "stopped: s until it works again", at_most(0.5), 2),
    Figure("slowed-errors", "slowed: client errors", at_most(0), 0),
    Figure("slowed-p99", "slowed: p99 ms", None, 1),
    Figure("slowed-slowest", "slowed: slowest ms", None, 1),
]


def _until_used(stub, limit: float) -> float:
    """Seconds until a request reaches the replica; the limit when none did."""
    begin = time.monotonic()
    before = None
    while time.monotonic() - begin < limit:
        try:
            seen = stub.stats()["arrived"]
        except OSError:
            seen = None  # it does not listen yet
            begin = time.monotonic() if before is None else begin
        if seen is not None:
            # What came before it could be asked came while it stood still.
            before = seen if before is None else before
            if seen > before:
                return time.monotonic() - begin
        time.sleep(0.002)
    return limit


def _hurt_and_heal(case: str, stub) -> float:
    """Does it to the replica for two seconds; returns when it worked again."""
    if case == "killed":
        stub.program.signal(signal.SIGKILL)
        time.sleep(2)
        stub.stop()
        stub.start(wait=False)
        return _until_used(stub, 3)
    if case == "stopped":
        stub.program.signal(signal.SIGSTOP)
        time.sleep(2)
        stub.program.signal(signal.SIGCONT)
        return _until_used(stub, 3)
    stub.behave(f"latency={10 * LATENCY}ms")
    time.sleep(2)
    stub.behave(f"latency={LATENCY}ms")
    return _until_used(stub, 3)


def _run(stage, name, case):
    stubs = stage.start_stubs(REPLICAS, "--concurrency", "4", "--latency", f"{LATENCY}ms")
    try:
        proxy = stage.start_proxy(name, "failure", [stub.port for stub in stubs], slots=4)
        try:
            time.sleep(0.5)  # probes have passed
            load = stage.open_load(
                proxy.port, "--phases", f"{RATE}:6s", "--timeout", "5s", "--body", "{}")
            time.sleep(1)
            back = _hurt_and_heal(case, stubs[0])
            return load.finish(30), back
        finally:
            proxy.stop()
    finally:
        for stub in stubs:
            stub.stop()


def measure(stage, name):
    figures, notes = {}, []
    for case in ("killed", "stopped", "slowed"):
        done, back = _run(stage, name, case)
        latencies = [request.latency for request in done.requests]
        errors = [request.outcome for request in done.requests if request.outcome != "200"]
        figures |= {
            f"{case}-errors": len(errors),
            f"{case}-slowest": max(latencies) * 1000,
            f"{case}-return": back,
            f"{case}-p99": sorted(latencies)[int(len(latencies) * 0.99)] * 1000,
        }
        if errors:
            kinds = {kind: errors.count(kind) for kind in sorted(set(errors))}
            notes.append(f"{name}, {case}: {kinds}")
        if done.note():
            notes.append(f"{name}, {case}: {done.note()}")
    return figures, notes
