"""Replicas, and the load on a gateway."""

import http.client
import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .machine import BENCH, LOAD_CORE, free_port
from .processes import Program, wait_until
from .proxies import answers, fill_in
from .statistics import quantile

LATE = 0.001  # s; a request that leaves later than that is late
LATE_SHARE = 0.01  # and with more of them than that the generator did not keep up


class Stub:
    """A stand-in for a model server (Sources/StubReplica)."""

    def __init__(self, binary: Path, folder: Path, *options: str):
        self.port = free_port()
        self.binary, self.folder, self.options = binary, folder, options
        self.program: Program | None = None

    def start(self, wait: bool = True) -> "Stub":
        command = [self.binary, "--port", self.port, "--finish", "yes", *self.options]
        self.program = Program(command, LOAD_CORE, self.folder / "stubs.out")
        if wait:
            wait_until(lambda: answers(self.port), 10, "a stand-in")
        return self

    def stop(self) -> None:
        if self.program:
            self.program.stop()

    def behave(self, query: str) -> None:
        """Lets it answer differently from now on."""
        self._ask(f"/behave?{query}")

    def stats(self) -> dict:
        """What it has seen so far."""
        return json.loads(self._ask("/stats"))

    def _ask(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


def start_plain_replicas(nginx: str, folder: Path, count: int, cores: list[int]):
    """Replicas that answer at once, from one nginx; returns it and their ports."""
    ports = [free_port() for _ in range(count)]
    (folder / "large").write_bytes(b"x" * 65536)
    file = folder / "replica.conf"
    text = (BENCH / "peers" / "replica.conf").read_text()
    file.write_text(fill_in(text, "", ports, {"folder": folder}))
    program = Program([nginx, "-c", file], cores, folder / "replica.out")
    wait_until(lambda: answers(ports[0]), 10, "the replicas")
    return program, ports


def wrk(binary: str, port: int, path: str, connections: int, seconds: float, cores: list[int],
        script: Path | None = None, scheme: str = "http") -> dict:
    """A closed load: each connection sends its next request when the last was answered."""
    command = ["setpriv", "--pdeathsig", "TERM", "--", "taskset", "-c", ",".join(map(str, cores)),
               binary, "-t", "1", "-c", str(connections), "-d", f"{max(1, round(seconds))}s"]
    if script:
        command += ["-s", str(script)]
    command.append(f"{scheme}://127.0.0.1:{port}{path}")
    said = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30).stdout
    total = re.search(r"(\d+) requests in ([\d.]+)(\w+),", said)
    if not total or int(total[1]) == 0:
        raise RuntimeError(f"wrk got no answer:\n{said}")
    scale = {"ms": 0.001, "s": 1, "m": 60}[total[3]]
    errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", said)))
    if errors > int(total[1]) / 1000:
        raise RuntimeError(f"wrk saw errors:\n{said}")
    return {"requests": int(total[1]), "seconds": float(total[2]) * scale, "errors": errors}


@dataclass
class Request:
    """One request of an open load; times in seconds, latency and first since it was due."""

    due: float
    lag: float
    first: float | None
    latency: float
    worked: float | None
    outcome: str
    gaps: list[float]


class OpenLoad:
    """Requests that leave when they are due, whether or not earlier ones were answered."""

    def __init__(self, binary: Path, folder: Path, port: int, *options: str):
        self.log = folder / "load.log"
        self.log.unlink(missing_ok=True)
        self.out = folder / "load.out"
        self.out.unlink(missing_ok=True)
        command = [binary, "load", f"127.0.0.1:{port}", "--log", self.log, *options]
        self.program = Program(command, LOAD_CORE, self.out)

    def finish(self, limit: float) -> "OpenLoad":
        """Waits for its end."""
        try:
            self.program.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"the load did not end within {limit:.0f} s") from None
        finally:
            self.program.stop()
        if self.program.process.returncode != 0:
            raise RuntimeError(f"the load failed:\n{self.out.read_text()[-1000:]}")
        self.requests = [_read(line) for line in self.log.read_text().splitlines()]
        return self

    @property
    def late(self) -> float:
        """The share of requests that left late."""
        return sum(request.lag > LATE for request in self.requests) / max(1, len(self.requests))

    def note(self) -> str | None:
        """What is to be said when the generator could not keep up."""
        if self.late <= LATE_SHARE:
            return None
        worst = quantile([request.lag for request in self.requests], 0.99) * 1000
        return f"generator late: {self.late:.1%} left over 1 ms late, p99 {worst:.1f} ms"


def _read(line: str) -> Request:
    due, lag, first, latency, worked, outcome, gaps = line.split(" ")
    return Request(
        int(due) / 1e6, int(lag) / 1e6, None if first == "-" else int(first) / 1e6,
        int(latency) / 1e6, None if worked == "-" else int(worked) / 1e6, outcome,
        [] if gaps == "-" else [int(gap) / 1e6 for gap in gaps.split(",")])
