"""What a scenario finds: programs, a folder of its own, the length of a measurement."""

from dataclasses import dataclass
from pathlib import Path

from . import load, proxies
from .machine import PROXY_CORE


@dataclass
class Stage:
    """Handed to each measurement of a scenario."""

    programs: dict[str, str]
    folder: Path
    seconds: float  # of one measurement
    round: int
    quick: bool

    def start_proxy(self, name: str, tags: str, replicas: list[int], cores=None, **values):
        """A gateway in front of the replicas, on its core unless told otherwise."""
        return proxies.start(
            name, self.programs[name], self.folder, tags, replicas, cores or PROXY_CORE, **values)

    def start_stubs(self, count: int, *options: str) -> list[load.Stub]:
        """Stand-ins for model servers."""
        return [
            load.Stub(self.programs["stub"], self.folder, *options).start() for _ in range(count)]

    def open_load(self, port: int, *options: str) -> load.OpenLoad:
        """An open load on a gateway."""
        return load.OpenLoad(self.programs["stub"], self.folder, port, *options)
