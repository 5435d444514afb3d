"""The gateways side by side: each with its file in bench/peers, filled in for a scenario."""

import http.client
import os
import re
import ssl
import subprocess
from pathlib import Path
from string import Template

from .machine import BENCH, free_port
from .processes import Program, wait_until

NAMES = ["sluice", "nginx", "haproxy", "envoy", "caddy"]
FILES = {
    "sluice": "sluice.json5", "nginx": "nginx.conf", "haproxy": "haproxy.cfg",
    "envoy": "envoy.yaml", "caddy": "Caddyfile", "replica": "replica.conf",
}
_MARK = re.compile(r"^%([^%]+)%")


def fill_in(text: str, tags: str, replicas: list[int], values: dict) -> str:
    """A file of bench/peers for one scenario, which has one or more tags: `a` or `a+b`.

    A line that begins with `%a,b%` is kept for these tags, one with `%not a%` for all others, and
    one with `%each%` is repeated for each replica with its port and index.
    """
    own = set(tags.split("+"))
    lines = []
    for line in text.splitlines():
        repeated, kept = False, True
        while mark := _MARK.match(line):
            line = line[mark.end():]
            if mark[1] == "each":
                repeated = True
            elif mark[1].startswith("not "):
                kept &= own.isdisjoint(mark[1][4:].split(","))
            else:
                kept &= not own.isdisjoint(mark[1].split(","))
        if not kept:
            continue
        for index, replica in enumerate(replicas if repeated else [0]):
            filling = {**values, "replica": replica, "index": index}
            lines.append(Template(line).safe_substitute(filling))
    return "\n".join(lines) + "\n"


class Proxy:
    """A gateway that is running."""

    def __init__(self, name: str, program: Program, port: int):
        self.name, self.program, self.port = name, program, port

    def stop(self) -> None:
        self.program.stop()


def _command(name: str, binary: str, file: Path, workers: int) -> list:
    return {
        "sluice": [binary, "serve", file],
        "nginx": [binary, "-c", file],
        "haproxy": [binary, "-db", "-f", file],
        "envoy": [binary, "-c", file, "--concurrency", workers, "--disable-hot-restart",
                  "--log-level", "error"],
        "caddy": [binary, "run", "--config", file, "--adapter", "caddyfile"],
    }[name]


def make_certificate(folder: Path) -> None:
    """An ECDSA P-256 certificate of nobody's: server.pem, server.key, and both in both.pem."""
    key, certificate = folder / "server.key", folder / "server.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True)
    (folder / "both.pem").write_text(certificate.read_text() + key.read_text())


def answers(port: int, path: str = "/health", secure: bool = False) -> bool:
    """Whether somebody at the port answers with 200."""
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        if secure:
            context = ssl._create_unverified_context()
            connection = http.client.HTTPSConnection(
                "127.0.0.1", port, timeout=1, context=context)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status == 200
    except (OSError, http.client.HTTPException):
        return False


def start(
    name: str, binary: str, folder: Path, tags: str, replicas: list[int], cores: list[int],
    workers: int = 1, **values,
) -> Proxy:
    """Starts a gateway in front of the replicas, and waits until it answers."""
    port = free_port()
    file = folder / FILES[name]
    defaults = {"slots": 1000, "allowance": 0, "waiting": 0, "outstanding": 0,
                "connections": 10500, "descriptors": 20000}
    filling = {**defaults, "port": port, "workers": workers, "folder": folder, **values}
    file.write_text(fill_in((BENCH / "peers" / FILES[name]).read_text(), tags, replicas, filling))
    env = {**os.environ, "GOMAXPROCS": str(workers), "HOME": str(folder),
           "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    secure = "tls" in tags.split("+")
    if secure:
        make_certificate(folder)
    log = folder / f"{name}.out"
    program = Program(_command(name, binary, file, workers), cores, log, env)
    try:
        wait_until(lambda: not program.is_running() or answers(port, secure=secure), 15, f"{name} in {tags}")
        if not program.is_running():
            raise RuntimeError(f"{name} in {tags} has ended")
    except RuntimeError as error:
        program.stop()
        raise RuntimeError(f"{error}\n{log.read_text()[-2000:]}") from None
    return Proxy(name, program, port)
