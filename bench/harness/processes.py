"""Programs that are started for a measurement: each is ended by its id, whatever happens."""

import os
import signal
import subprocess
import time
from pathlib import Path

_running: list["Program"] = []


class Program:
    """A started program with all it starts itself."""

    def __init__(self, command: list, cores: list[int], log: Path, env: dict | None = None):
        self.command = [str(part) for part in command]
        self.log = log
        prefix = [
            "setpriv", "--pdeathsig", "TERM", "--",
            "taskset", "-c", ",".join(str(core) for core in cores),
        ]
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                prefix + self.command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, env=env)
        _running.append(self)

    @property
    def pid(self) -> int:
        return self.process.pid

    def pids(self) -> list[int]:
        """Its id and those of its children."""
        found = [self.pid]
        for pid in found:
            for file in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    found += [int(child) for child in file.read_text().split()]
                except OSError:
                    continue
        return found

    def thread_seconds(self) -> dict[int, float]:
        """The CPU time of each thread so far, as the kernel accounts it."""
        times = {}
        for pid in self.pids():
            for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                try:
                    times[int(file.parent.name)] = int(file.read_text().split()[0]) / 1e9
                except OSError:
                    continue
        return times

    def cpu_seconds(self) -> float:
        """The CPU time of all its threads so far."""
        return sum(self.thread_seconds().values())

    def resident_bytes(self) -> int:
        """The memory of all its processes; what they share counts once."""
        total = 0
        for pid in self.pids():
            try:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
        return total

    def signal(self, number: int) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self, patience: float = 3) -> None:
        """Ends it, gently first, and its children with it."""
        pids = self.pids() if self.process.poll() is None else []
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            for pid in reversed(pids):
                _kill(pid)
            self.process.wait()
        if self in _running:
            _running.remove(self)

    def is_running(self) -> bool:
        return self.process.poll() is None


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it has ended meanwhile


def stop_all() -> None:
    """Ends whatever is still running."""
    for program in list(_running):
        program.stop(patience=1)


def wait_until(condition, limit: float, what: str, step: float = 0.02):
    """Waits until `condition` returns something true, and returns that."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        outcome = condition()
        if outcome:
            return outcome
        time.sleep(step)
    raise RuntimeError(f"{what}: not within {limit:.0f} s")
