"""The manifests as kustomize builds them: valid for Kubernetes, and saying what they should."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

K8S = Path(__file__).resolve().parents[1]
ROOT = K8S.parent
TOOLS = Path(sys.executable).parent
SLUICE = ROOT / ".build/release/sluice"
# The oldest and the newest Kubernetes whose API these files are checked against.
KUBERNETES = ["1.31", "1.37"]
GATEWAY = {"app.kubernetes.io/name": "sluice", "app.kubernetes.io/component": "gateway"}
MODEL = {"app.kubernetes.io/name": "model", "app.kubernetes.io/component": "model"}

# Every way to put the parts together that is offered.
VARIANTS = {
    "minikube": ("minikube", []),
    "production": ("production", []),
    "by work": ("production", ["autoscale-by-work"]),
    "ingress": ("production", ["ingress"]),
    "monitoring": ("production", ["monitoring"]),
    "minikube with all": ("minikube", ["autoscale-by-work", "ingress", "monitoring"]),
    "production with all": ("production", ["monitoring", "ingress", "autoscale-by-work"]),
}


class Built:
    """What kustomize makes of one variant."""

    def __init__(self, text):
        self.text = text
        self.objects = list(yaml.safe_load_all(text))

    def all(self, kind):
        return [item for item in self.objects if item["kind"] == kind]

    def one(self, kind, name):
        found = [item for item in self.all(kind) if item["metadata"]["name"] == name]
        assert len(found) == 1, f"{len(found)} of {kind} {name}"
        return found[0]

    def pod(self, name):
        return self.one("Deployment", name)["spec"]["template"]["spec"]

    def container(self, name):
        return self.pod(name)["containers"][0]


def run(*command, **environment):
    return subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=60,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """Every variant, built once."""
    builds = {}
    folder = tmp_path_factory.mktemp("k8s")
    for name, (overlay, components) in VARIANTS.items():
        place = folder / name.replace(" ", "-")
        place.mkdir()
        up = os.path.relpath(K8S, place)
        (place / "kustomization.yaml").write_text(yaml.safe_dump({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [f"{up}/overlays/{overlay}"],
            "components": [f"{up}/components/{component}" for component in components],
        }))
        done = run(TOOLS / "kubectl", "kustomize", place)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        assert "deprecated" not in done.stderr.lower(), f"{name}: {done.stderr}"
        (place / "built.yaml").write_text(done.stdout)
        builds[name] = Built(done.stdout)
        builds[name].file = place / "built.yaml"
    return builds


@pytest.fixture(params=VARIANTS, ids=[name.replace(" ", "-") for name in VARIANTS])
def built(request, builds):
    return builds[request.param]


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_is_what_kubernetes_expects(builds, version, tmp_path):
    # The operator's own kinds have no schema here; they are looked at below.
    ours = [
        item for name in ("minikube", "production with all") for item in builds[name].objects
        if not item["apiVersion"].startswith("monitoring.coreos.com/")
    ]
    assert len(ours) > 30
    file = tmp_path / "all.yaml"
    file.write_text(yaml.safe_dump_all(ours))
    done = run(TOOLS / "kubernetes-validate", "--strict", "-k", version, file)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_mistake_would_be_noticed(builds, tmp_path):
    wrong = builds["production"].one("Deployment", "sluice")
    text = yaml.safe_dump(wrong).replace("readinessProbe", "readynessProbe")
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    done = run(TOOLS / "kubernetes-validate", "--strict", "-k", KUBERNETES[-1], file)
    assert done.returncode != 0
    assert "readynessProbe" in done.stdout + done.stderr


def test_names_and_namespaces_are_the_agreed_ones(built):
    of_the_cluster = {"Namespace", "ClusterRole", "ClusterRoleBinding", "IngressClass", "APIService"}
    for item in built.objects:
        namespace = item["metadata"].get("namespace")
        name = f"{item['kind']} {item['metadata']['name']}"
        if item["kind"] in of_the_cluster:
            assert namespace is None, name
        elif item["metadata"]["name"] == "sluice-authentication-reader":
            assert namespace == "kube-system"
        else:
            assert namespace == "sluice", name
    assert len({(i["kind"], i["metadata"].get("namespace"), i["metadata"]["name"])
                for i in built.objects}) == len(built.objects)
    assert built.one("Namespace", "sluice")["metadata"]["labels"][
        "pod-security.kubernetes.io/enforce"] == "restricted"


def test_no_secret_is_in_a_manifest(built):
    assert built.all("Secret") == []
    token = next(v for v in built.container("sluice")["env"] if v["name"] == "SLUICE_ADMIN_TOKEN")
    assert token["valueFrom"] == {"secretKeyRef": {"name": "sluice-admin", "key": "token"}}


@pytest.mark.parametrize("name", ["sluice", "model"])
def test_pods_have_no_privileges(built, name):
    pod = built.pod(name)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 65532
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))
    assert not any("hostPath" in volume for volume in pod["volumes"])
    for container in pod["containers"] + pod.get("initContainers", []):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert "privileged" not in context


def test_only_the_gateway_may_talk_to_kubernetes(built):
    assert built.pod("sluice")["serviceAccountName"] == "sluice"
    assert built.pod("model")["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in built.pod("model")


def test_ports_lead_somewhere(built):
    """Each name a Service, a probe or a policy uses is a port of the container it is about."""
    for service in built.all("Service"):
        selector = service["spec"]["selector"]
        assert selector in (GATEWAY, MODEL), service["metadata"]["name"]
        container = built.container("sluice" if selector == GATEWAY else "model")
        names = {port["name"] for port in container["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names
    for name in ("sluice", "model"):
        container = built.container(name)
        names = {port["name"] for port in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] in names
        policy = built.one("NetworkPolicy", name)
        for rule in policy["spec"]["ingress"]:
            assert {port["port"] for port in rule["ports"]} <= names
    for deployment in built.all("Deployment"):
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()
        for constraint in deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            assert constraint["labelSelector"]["matchLabels"].items() <= labels.items()


def test_the_gateway_takes_callers_at_80(built):
    service = built.one("Service", "sluice")
    assert service["spec"]["type"] == "LoadBalancer"
    assert service["spec"]["ports"][0] == {"name": "http", "port": 80, "targetPort": "http"}
    peers = built.one("Service", "sluice-peers")
    assert peers["spec"]["clusterIP"] == "None" and peers["spec"]["ports"][0]["port"] == 9900
    ports = {port["name"]: port["containerPort"] for port in built.container("sluice")["ports"]}
    assert (ports["http"], ports["admin"]) == (8080, 9900)


def test_the_gateway_is_several_and_never_all_gone(built):
    deployment = built.one("Deployment", "sluice")
    assert deployment["spec"]["replicas"] >= 2
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert built.one("PodDisruptionBudget", "sluice")["spec"]["maxUnavailable"] == 1
    # 5 s of drainDelay and 20 s of grace.
    assert built.pod("sluice")["terminationGracePeriodSeconds"] > 25


def test_the_gateway_is_probed_where_no_token_is_asked_for(built):
    container = built.container("sluice")
    assert container["livenessProbe"]["httpGet"] == {"path": "/live", "port": "admin"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/ready", "port": "admin"}


def test_the_model_is_headless_at_8000_and_probed_at_health(built):
    service = built.one("Service", "model")
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["ports"] == [{"name": "http", "port": 8000, "targetPort": "http"}]
    container = built.container("model")
    assert {"name": "PORT", "value": "8000"} in container["env"]
    assert container["ports"] == [{"name": "http", "containerPort": 8000}]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/health", "port": "http"}


def test_the_model_leaves_slowly(built):
    pod = built.pod("model")
    command = built.container("model")["lifecycle"]["preStop"]["exec"]["command"]
    assert command[0] == "sleep"
    settings = {}
    exec((ROOT / "docker/worker/gunicorn.conf.py").read_text(), settings)
    assert pod["terminationGracePeriodSeconds"] >= int(command[1]) + settings["graceful_timeout"]


def test_the_model_asks_for_a_core_and_a_gibibyte_but_in_minikube(builds):
    for name in VARIANTS:
        requests = builds[name].container("model")["resources"]["requests"]
        if name.startswith("minikube"):
            # Ten pods and two gateways fit into the two cores that minikube takes by itself.
            assert requests["cpu"] == "100m"
        else:
            assert requests == {"cpu": "1", "memory": "1Gi"}


def test_the_autoscaler_goes_from_three_to_ten(builds):
    for name, (_, components) in VARIANTS.items():
        spec = builds[name].one("HorizontalPodAutoscaler", "model")["spec"]
        assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 10)
        assert spec["scaleTargetRef"] == {
            "apiVersion": "apps/v1", "kind": "Deployment", "name": "model"}
        # The autoscaler's number, which no apply may reset.
        assert "replicas" not in builds[name].one("Deployment", "model")["spec"]
        [metric] = spec["metrics"]
        if "autoscale-by-work" in components:
            external = metric["external"]
            assert external["metric"]["name"] == "sluice_pool_outstanding_requests"
            pools = re.findall(r"pool: \"(\w+)\"", (K8S / "base/sluice.json5").read_text())
            assert external["metric"]["selector"]["matchLabels"]["pool"] in pools
        else:
            assert metric["resource"]["name"] == "cpu"
            assert metric["resource"]["target"] == {
                "type": "Utilization", "averageUtilization": 70}
        assert builds[name].one("PodDisruptionBudget", "model")["spec"]["maxUnavailable"] == 1


def rules_of(built, kind):
    return {
        item["metadata"]["name"]: {
            (group, resource): set(rule["verbs"])
            for rule in item["rules"] for group in rule["apiGroups"]
            for resource in rule["resources"]
        }
        for item in built.all(kind)
    }


def test_the_gateway_may_do_what_it_must_and_no_more(builds):
    read = {"list", "watch"}
    for name, (_, components) in VARIANTS.items():
        built = builds[name]
        assert rules_of(built, "Role") == {
            "sluice": {("discovery.k8s.io", "endpointslices"): read}}
        if "ingress" in components:
            assert rules_of(built, "ClusterRole") == {"sluice-ingress": {
                ("networking.k8s.io", "ingresses"): read,
                ("networking.k8s.io", "ingressclasses"): read,
                ("networking.k8s.io", "ingresses/status"): {"patch"},
                ("", "services"): read,
                ("", "secrets"): read,
                ("discovery.k8s.io", "endpointslices"): read,
                ("", "events"): {"create"},
            }}
        else:
            assert built.all("ClusterRole") == [] and built.all("ClusterRoleBinding") == []
        for kind in ("RoleBinding", "ClusterRoleBinding"):
            for binding in built.all(kind):
                assert binding["subjects"] == [
                    {"kind": "ServiceAccount", "name": "sluice", "namespace": "sluice"}]


def test_the_admin_port_is_not_for_callers(built):
    rules = built.one("NetworkPolicy", "sluice")["spec"]["ingress"]
    open_to_all = {port["port"] for rule in rules if "from" not in rule for port in rule["ports"]}
    assert "http" in open_to_all and "admin" not in open_to_all
    for service in built.all("Service"):
        if service["spec"].get("type") == "LoadBalancer":
            assert "admin" not in {port["targetPort"] for port in service["spec"]["ports"]}


def test_only_gateways_ask_the_model(built):
    [rule] = built.one("NetworkPolicy", "model")["spec"]["ingress"]
    assert rule["from"] == [{"podSelector": {"matchLabels": GATEWAY}}]


def test_the_metrics_api_leads_to_the_gateways(builds):
    built = builds["by work"]
    service = built.one("APIService", "v1beta1.external.metrics.k8s.io")["spec"]
    assert (service["group"], service["version"]) == ("external.metrics.k8s.io", "v1beta1")
    assert service["service"] == {"name": "sluice-metrics", "namespace": "sluice", "port": 443}
    assert built.one("Service", "sluice-metrics")["spec"]["ports"][0]["port"] == 443
    ports = {port["name"]: port["containerPort"] for port in built.container("sluice")["ports"]}
    assert ports["metrics"] == 6443
    env = {item["name"]: item.get("value") for item in built.container("sluice")["env"]}
    assert env["SLUICE_METRICS_ADDRESS"] == "0.0.0.0:6443"
    assert "SLUICE_ADMIN_TOKEN" in env
    done = run(SLUICE, "config", K8S / "base/sluice.json5", SLUICE_ADMIN_TOKEN="token",
               SLUICE_METRICS_ADDRESS=env["SLUICE_METRICS_ADDRESS"])
    assert "0.0.0.0:6443" in done.stdout
    binding = built.one("RoleBinding", "sluice-authentication-reader")
    assert binding["roleRef"]["name"] == "extension-apiserver-authentication-reader"


def test_the_ingress_class_is_the_gateways(builds):
    built = builds["ingress"]
    assert built.one("IngressClass", "sluice")["spec"]["controller"] == "sluice.dev/ingress"
    args = built.container("sluice")["args"]
    assert args[args.index("--ingress-class") + 1] == "sluice"
    ports = [port["port"] for port in built.one("Service", "sluice")["spec"]["ports"]]
    assert ports == [80, 443]


def test_images_are_the_ones_that_docker_builds(builds):
    compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())["services"]
    built = builds["minikube"]
    assert built.container("sluice")["image"] == compose["sluice"]["image"]
    assert built.container("model")["image"] == compose["worker"]["image"]
    [train] = built.pod("model")["initContainers"]
    assert train["image"] == compose["train"]["image"]
    for container in (built.container("sluice"), built.container("model"), train):
        assert container["imagePullPolicy"] == "Never"
    assert "initContainers" not in builds["production"].pod("model")
    for name in ("sluice", "model"):
        assert builds["production"].container(name)["image"].startswith("registry.example.com/")


def test_the_configuration_is_in_order(built, tmp_path):
    text = built.one("ConfigMap", "sluice")["data"]["sluice.json5"]
    assert text == (K8S / "base/sluice.json5").read_text()
    file = tmp_path / "sluice.json5"
    file.write_text(text)
    done = run(SLUICE, "check", file, SLUICE_ADMIN_TOKEN="token", SLUICE_LOOPS="2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout + done.stderr
    # What it says fits what the other objects say.
    service = built.one("Service", "model")
    source = 'kubernetes: {{ service: "{}", namespace: "{}", port: {} }}'.format(
        service["metadata"]["name"], service["metadata"]["namespace"],
        service["spec"]["ports"][0]["port"])
    assert source in text
    peers = built.one("Service", "sluice-peers")
    assert peers["spec"]["clusterIP"] == "None" and peers["spec"]["ports"][0]["port"] == 9900
    assert 'peers: "sluice-peers"' in text
    assert '"0.0.0.0:8080"' in text and '"0.0.0.0:9900"' in text
    assert built.container("sluice")["args"][-1] == "/etc/sluice/sluice.json5"
    [mount] = built.container("sluice")["volumeMounts"]
    assert mount["mountPath"] == "/etc/sluice"


def test_without_an_api_server_the_trial_says_so_and_fails(tmp_path):
    for name in ("bash", "dirname"):
        (tmp_path / name).symlink_to(shutil.which(name))
    done = run(K8S / "try.sh", PATH=str(tmp_path), KUBEBUILDER_ASSETS="")
    assert done.returncode == 1
    assert "there is no kube-apiserver" in done.stdout
