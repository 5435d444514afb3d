"""Prometheus' rules and Grafana's dashboard: they can be read, they are about metrics that exist,
and a real Prometheus that asks a real gateway finds something to show."""

import contextlib
import http.server
import json
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml

K8S = Path(__file__).resolve().parents[1]
ROOT = K8S.parent
SLUICE = ROOT / ".build/release/sluice"
RULES = K8S / "components/monitoring/rules.yaml"
DASHBOARD = json.loads((K8S / "components/monitoring/dashboard.json").read_text())
PATIENCE = 30  # seconds for anything to happen

PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# Every expression of the dashboard, with its variables as Grafana would fill them in.
EXPRESSIONS = {
    f"{panel['title']} {target['refId']}":
        target["expr"].replace("$pool", ".*").replace("$__rate_interval", "20s")
    for panel in PANELS for target in panel["targets"]
}
EXPRESSIONS |= {
    item["name"]: item["expr"]
    for item in DASHBOARD["annotations"]["list"] if "expr" in item
}


def rules():
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"]
            for rule in group["rules"]]


def run(*command):
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=60)


# Without a gateway


def test_promtool_finds_nothing_wrong():
    done = run("promtool", "check", "rules", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_comes_when_it_should():
    files = [K8S / "tests/rules_test.yaml", K8S / "tests/certificates_test.yaml"]
    done = run("promtool", "test", "rules", *files)
    assert done.returncode == 0, done.stdout + done.stderr
    tested = "".join(file.read_text() for file in files)
    for rule in rules():
        if "alert" in rule:
            assert f"alertname: {rule['alert']}\n" in tested, f"no test of {rule['alert']}"


def test_each_alert_says_how_bad_and_what_to_do():
    for rule in rules():
        if "alert" in rule:
            assert rule["labels"]["severity"] in ("critical", "warning"), rule["alert"]
            assert rule["annotations"].keys() == {"summary", "description"}, rule["alert"]


def test_the_operators_rules_are_the_same():
    operators = yaml.safe_load((K8S / "components/monitoring/prometheusrule.yaml").read_text())
    assert operators["spec"] == yaml.safe_load(RULES.read_text())


def test_every_metric_used_is_documented():
    page = (ROOT / "docs/metrics.md").read_text()
    documented = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert len(documented) > 30
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    used = set()
    for expression in [rule["expr"] for rule in rules()] + list(EXPRESSIONS.values()):
        for name in re.findall(r"[\w:]*\b(?:sluice|process)_\w+(?::\w+)?", expression):
            if name not in recorded:
                used.add(re.sub(r"_(bucket|sum|count)$", "", name))
    assert len(used) > 20
    assert used <= documented, used - documented


def test_the_dashboard_can_be_loaded():
    """What Grafana 10 and newer ask of a dashboard's JSON."""
    assert DASHBOARD["schemaVersion"] >= 36 and DASHBOARD["id"] is None
    assert DASHBOARD["uid"] == "sluice" and DASHBOARD["title"]
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert variables["datasource"]["query"] == "prometheus"
    source = {"type": "prometheus", "uid": "${datasource}"}
    assert variables["pool"]["datasource"] == source
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert place["x"] + place["w"] <= 24, panel["title"]
        assert not cells & taken, f"{panel['title']} covers another panel"
        taken |= cells
    for panel in PANELS:
        assert panel["type"] in ("timeseries", "stat"), panel["title"]
        assert panel["title"] and panel["description"], panel["id"]
        assert panel["datasource"] == source
        assert panel["fieldConfig"]["defaults"]["unit"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)
        for target in panel["targets"]:
            assert target["datasource"] == source
            names = set(re.findall(r"\$\{?(\w+)", target["expr"] + target["legendFormat"]))
            assert names <= variables.keys() | {"__rate_interval"}, panel["title"]


def test_the_dashboard_shows_what_it_must():
    text = " ".join(EXPRESSIONS.values())
    for metric in (
        "sluice_requests_total", "sluice_request_duration_seconds_bucket",
        "sluice_queue_wait_seconds_bucket", "sluice_upstream_seconds_bucket",
        "sluice_queue_waiters", "sluice_pool_saturation", "sluice_pool_replicas",
        "sluice_replica_in_flight", "sluice_retries_total", "sluice_ejections_total",
    ):
        assert metric in text


def test_every_expression_of_the_dashboard_can_be_read(tmp_path):
    file = tmp_path / "dashboard.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": [
        {"record": f"dashboard:{number}", "expr": expression}
        for number, expression in enumerate(EXPRESSIONS.values())
    ]}]}))
    done = run("promtool", "check", "rules", file)
    assert done.returncode == 0, done.stdout + done.stderr


# With a real gateway and a real Prometheus


class Replica(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(500 if self.path == "/bad" else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def await_line(child, pattern):
    """What the first line of the log that fits has in its parentheses."""
    while line := child.stderr.readline():
        if match := re.search(pattern, line):
            return match.group(1)
    raise AssertionError(f"the log ended without {pattern!r}")


def let_go(child):
    """Whatever the log still gets must not fill the pipe."""
    threading.Thread(target=child.stderr.read, daemon=True).start()


@contextlib.contextmanager
def process(*command, **environment):
    child = subprocess.Popen(
        [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, env={**os.environ, **environment})
    try:
        yield child
    finally:
        child.kill()
        child.wait(PATIENCE)
        child.stderr.close()


def get(url, **query):
    if query:
        url += "?" + urllib.parse.urlencode(query)
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.read()


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"no {what} in {PATIENCE} s"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """A Prometheus that watches a gateway in use; gives what it answers to a query."""
    folder = tmp_path_factory.mktemp("prometheus")
    replica = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Replica)
    threading.Thread(target=replica.serve_forever, args=(0.01,), daemon=True).start()
    configuration = folder / "sluice.json5"
    configuration.write_text(json.dumps({
        "listeners": [{"address": "127.0.0.1:0"}],
        "admin": {"address": "127.0.0.1:0", "token": "secret"},
        "loops": 1,
        "pools": {"model": {
            "replicas": [f"127.0.0.1:{replica.server_port}"], "concurrency": 2}},
        "routes": [{"path": "/", "pool": "model"}],
    }))
    with contextlib.ExitStack() as stack:
        gateway = stack.enter_context(process(SLUICE, "serve", configuration))
        listener, admin = (
            await_line(gateway, rf"{name}.* listening at (127\.0\.0\.1:\d+)")
            for name in ("listener", "admin")
        )
        let_go(gateway)
        (folder / "prometheus.yaml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES)],
            "scrape_configs": [{
                "job_name": "sluice",
                "authorization": {"credentials": "secret"},
                "static_configs": [{"targets": [admin]}],
            }],
        }))
        server = stack.enter_context(process(
            "prometheus", f"--config.file={folder}/prometheus.yaml",
            f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:0",
        ))
        url = "http://" + await_line(server, r"Listening on.*address=(127\.0\.0\.1:\d+)")
        let_go(server)

        def query(expression):
            answer = json.loads(get(f"{url}/api/v1/query", query=expression))
            assert answer["status"] == "success", expression
            return answer["data"]["result"]

        def is_ready():
            with contextlib.suppress(urllib.error.HTTPError):
                return bool(get(f"{url}/-/ready"))

        wait_for(is_ready, "ready Prometheus")
        query.url = url
        asked = threading.Event()

        def ask():
            while not asked.wait(0.05):
                get(f"http://{listener}/")
                with contextlib.suppress(urllib.error.HTTPError):
                    get(f"http://{listener}/bad")

        caller = threading.Thread(target=ask)
        caller.start()
        try:
            wait_for(
                lambda: query("pool:sluice_bad_requests:ratio_rate5m"), "recorded rule")
            yield query
        finally:
            asked.set()
            caller.join(PATIENCE)
            replica.shutdown()
            replica.server_close()


def test_a_real_prometheus_evaluates_every_rule(prometheus):
    def states():
        answer = json.loads(get(f"{prometheus.url}/api/v1/rules"))
        return [rule for group in answer["data"]["groups"] for rule in group["rules"]]

    wait_for(lambda: all(rule["health"] != "unknown" for rule in states()), "evaluation")
    assert len(states()) == len(rules())
    for rule in states():
        assert rule["health"] == "ok", f"{rule['name']}: {rule.get('lastError')}"


def test_every_recorded_series_is_there(prometheus):
    for rule in rules():
        if "record" in rule:
            assert prometheus(rule["record"]), rule["record"]
    [bad] = prometheus("pool:sluice_bad_requests:ratio_rate5m")
    assert bad["metric"]["pool"] == "model"
    assert 0.3 < float(bad["value"][1]) < 0.7
    [usable] = prometheus("pool:sluice_usable_replicas:max")
    assert usable["value"][1] == "1"


def test_every_panel_shows_something(prometheus):
    # Nothing of this kind happens here, so that there is nothing to draw.
    quiet = {"Not served, by reason", "Reloads", "Certificates"}
    for name, expression in EXPRESSIONS.items():
        result = prometheus(expression)
        assert result or name.rsplit(" ", 1)[0] in quiet or name in quiet, f"{name}: {expression}"


def test_prometheus_finds_no_fault_with_the_page(prometheus):
    [target] = json.loads(get(f"{prometheus.url}/api/v1/targets"))["data"]["activeTargets"]
    assert target["health"] == "up", target["lastError"]
