"""What the throughput scenarios share: a closed load from wrk, and the CPU time of the gateway."""

from harness import load
from harness.machine import LOAD_CORE

# Who is set up to speak TLS with clients.
TLS_PEERS = ("sluice", "nginx", "haproxy")
# One second for connections, caches and pools to be there.
WARM_UP = 1


def cpu_per_request(
        stage, name, path, connections, script=None, replicas=None, tags="throughput") -> float:
    """Microseconds of CPU time of a gateway for each request, as the kernel accounts it."""
    plain = None
    if replicas is None:
        plain, replicas = load.start_plain_replicas(
            stage.programs["nginx"], stage.folder, 4, LOAD_CORE)
    try:
        proxy = stage.start_proxy(name, tags, replicas)
        try:
            wrk = stage.programs["wrk"]
            scheme = "https" if "tls" in tags.split("+") else "http"
            load.wrk(wrk, proxy.port, path, connections, WARM_UP, LOAD_CORE, script, scheme)
            before = proxy.program.cpu_seconds()
            done = load.wrk(
                wrk, proxy.port, path, connections, stage.seconds, LOAD_CORE, script, scheme)
            return (proxy.program.cpu_seconds() - before) / done["requests"] * 1e6
        finally:
            proxy.stop()
    finally:
        if plain:
            plain.stop()


def post_script(stage, name: str, size: int, field: str = "") -> object:
    """A script for wrk that posts so many bytes."""
    file = stage.folder / f"{name}.lua"
    file.write_text(
        'wrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"{field}"
        f'wrk.body = \'{{"features": "\' .. string.rep("1", {size - 16}) .. \'"}}\'\n')
    return file
