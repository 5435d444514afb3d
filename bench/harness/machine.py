"""This machine: its cores, limits and ports, and what is installed on it."""

import os
import platform
import random
import resource
import socket
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
BENCH = REPOSITORY / "bench"

# The gateway under test has one core, everything else has the other.
CORES = sorted(os.sched_getaffinity(0))
PROXY_CORE = [CORES[0]]
LOAD_CORE = [CORES[min(1, len(CORES) - 1)]]
BOTH_CORES = CORES[:2]


def raise_descriptor_limit() -> int:
    """Raises the limit of open descriptors as far as it goes; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


_given: set[int] = set()


def free_port() -> int:
    """A free port below those that outgoing connections get, so that none of them takes it."""
    for _ in range(1000):
        port = random.randrange(20000, 32000)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise SystemExit("bench: no free port between 20000 and 32000")


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except OSError:
        return "not there"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else ""


def versions(programs: dict[str, str]) -> dict[str, str]:
    """What each program says it is."""
    ask = {
        "sluice": ["version"], "nginx": ["-v"], "haproxy": ["-v"], "envoy": ["--version"],
        "caddy": ["version"], "wrk": ["-v"],
    }
    said = {name: _first_line(programs[name], *ask[name]) for name in ask if name in programs}
    if "envoy" in said:  # …  version: HASH/1.40.0/Clean/RELEASE/BoringSSL
        said["envoy"] = said["envoy"].split("version:")[-1].strip()
    return said


def commit() -> str:
    """The commit that was measured, and whether the checkout differs from it."""
    head = _first_line("git", "-C", str(REPOSITORY), "rev-parse", "--short", "HEAD")
    changed = _first_line("git", "-C", str(REPOSITORY), "status", "--porcelain", "-uno")
    return f"{head} with changes" if changed else head


def description() -> str:
    """The machine in a line."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def load_average() -> float:
    """How many wanted to run over the last minute."""
    return os.getloadavg()[0]
