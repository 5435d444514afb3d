"""The images and compose.yaml, as far as no container engine is needed; try.sh does the rest."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

DOCKER = Path(__file__).resolve().parents[1]
ROOT = DOCKER.parent
TOOLS = Path(sys.executable).parent
DOCKERFILES = [DOCKER / "Dockerfile", DOCKER / "worker" / "Dockerfile"]
VERSION = re.search(
    r'sluiceVersion = "(.+)"', (ROOT / "Sources/Gateway/Version.swift").read_text()
).group(1)


def run(*command, **environment):
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def compose():
    """compose.yaml with all its profiles, as Compose itself understands it."""
    done = run(
        TOOLS / "docker-compose", "-f", DOCKER / "compose.yaml", "--profile", "*", "config",
        "--format", "json",
    )
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.lower(), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("file", DOCKERFILES, ids=["gateway", "worker"])
def test_hadolint_finds_nothing(file):
    done = run(TOOLS / "hadolint", "--config", DOCKER / "hadolint.yaml", file)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", DOCKERFILES, ids=["gateway", "worker"])
def test_an_image_ends_as_a_user_by_number_with_a_health_check(file):
    last = re.split(r"^FROM ", file.read_text(), flags=re.MULTILINE)[-1]
    assert re.search(r"^USER 65532:65532$", last, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", last, re.MULTILINE)
    assert re.search(r"^LABEL org\.opencontainers\.image\.title=", last, re.MULTILINE)
    # JSON lists: there is no shell to read a line.
    for word in re.findall(r"^\s*(?:CMD|ENTRYPOINT) (.*)$", last, re.MULTILINE):
        assert all(isinstance(part, str) for part in json.loads(word)), word


@pytest.mark.parametrize("file", DOCKERFILES, ids=["gateway", "worker"])
def test_a_build_needs_no_frontend_from_a_registry_and_no_secret(file):
    text = file.read_text()
    assert "syntax=" not in text and "--mount" not in text
    assert not re.search(r"(?i)^(ARG|ENV) .*(token|secret|password)", text, re.MULTILINE)


def test_the_gateway_image_is_built_from_nothing():
    text = DOCKERFILES[0].read_text()
    assert re.findall(r"^FROM (.*)$", text, re.MULTILINE)[-1] == "scratch"
    # OpenSSL is linked in, and told to those who look for packages with known faults.
    assert "libssl3" not in text and "-lssl -lcrypto" in text
    assert "--status libssl-dev" in text and "/var/lib/dpkg/status.d" in text


def test_versions_agree(compose):
    assert f"ARG VERSION={VERSION}\n" in DOCKERFILES[0].read_text()
    ours = [
        service["image"] for service in compose["services"].values() if "build" in service
    ]
    assert sorted(ours) == [f"sluice-train:{VERSION}", f"sluice-worker:{VERSION}",
                            f"sluice:{VERSION}"]


@pytest.mark.parametrize(
    "context, files",
    [(ROOT, DOCKERFILES[0]), (DOCKER / "worker", DOCKERFILES[1])],
    ids=["gateway", "worker"],
)
def test_a_context_has_what_is_copied_and_nothing_else(context, files):
    kept = [
        line[1:] for line in (context / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    copied = {
        word
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", files.read_text(), re.MULTILINE)
        for word in line.split()
    }
    assert set(kept) == copied
    assert all((context / name).exists() for name in kept)


def test_services_are_hardened(compose):
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        # Grafana writes its own database.
        assert service.get("read_only", False) == (name != "grafana"), name


def test_three_workers_share_one_model_and_the_gateway_finds_them_by_name(compose):
    services = compose["services"]
    assert services["worker"]["deploy"]["replicas"] == 3
    assert "container_name" not in services["worker"] and "ports" not in services["worker"]
    assert services["worker"]["depends_on"]["train"]["condition"] == (
        "service_completed_successfully"
    )
    assert services["worker"]["volumes"][0]["read_only"]
    assert services["sluice"]["environment"]["WORKER_NAME"] in services


def test_the_gateway_has_time_to_drain(compose):
    # drainDelay and grace of the configuration: 5 s and 20 s.
    assert compose["services"]["sluice"]["stop_grace_period"] == "30s"


def test_what_is_mounted_exists(compose):
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            if volume["type"] == "bind":
                assert Path(volume["source"]).is_file(), f"{name}: {volume['source']}"
                assert volume["read_only"], name


def test_watchers_start_only_when_asked_for(compose):
    watchers = {name for name, service in compose["services"].items() if "profiles" in service}
    assert watchers == {"prometheus", "grafana"}


def test_grafana_asks_the_prometheus_that_shares_the_gateways_network(compose):
    source = yaml.safe_load((DOCKER / "monitoring/datasource.yaml").read_text())["datasources"][0]
    assert compose["services"]["prometheus"]["network_mode"] == "service:sluice"
    assert "--web.listen-address=:9090" in compose["services"]["prometheus"]["command"]
    assert source["url"] == "http://sluice:9090"


def test_prometheus_takes_its_configuration(tmp_path):
    (tmp_path / "prometheus.yaml").write_text(
        (DOCKER / "monitoring/prometheus.yaml").read_text()
    )
    shutil.copy(ROOT / "k8s/components/monitoring/rules.yaml", tmp_path)
    done = run("promtool", "check", "config", tmp_path / "prometheus.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_an_engine_the_trial_says_so_and_fails(tmp_path):
    done = run(DOCKER / "try.sh", DOCKER_HOST=f"unix://{tmp_path}/nowhere")
    assert done.returncode == 1
    assert re.search("no docker command|no container engine", done.stdout), done.stdout
