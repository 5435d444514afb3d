#!/usr/bin/env bash
# Tries the gateway against a real API server of Kubernetes, with the rights of these manifests:
# replicas from EndpointSlices, Ingresses, external metrics, and what happens when rights, tokens or
# the API itself go away. There are no nodes: stand-ins are the pods, and their EndpointSlices are
# made by hand.
#
#   make build && swift build -c release --product StubReplica && k8s/try.sh
#
# Takes kube-apiserver, etcd and kubectl from PATH, or from KUBEBUILDER_ASSETS, where setup-envtest
# puts them. APISERVER_OPTIONS are added to its own; PREPARE names a script that is run once it
# answers. With kube-controller-manager on PATH its HorizontalPodAutoscaler is tried, too. Needs no
# root where processes may make namespaces of their own; about a minute.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

say() { printf '%3d s  %s\n' "$SECONDS" "$*"; }
fail() { say "FAILED: $*"; exit 1; }

PATH=${KUBEBUILDER_ASSETS:+$KUBEBUILDER_ASSETS:}$PWD/.venv/bin:$PATH
programs=${PROGRAMS:-$PWD/.build/release}
for program in kube-apiserver etcd kubectl openssl curl unshare ip; do
    command -v "$program" >/dev/null ||
        fail "there is no $program; see the beginning of k8s/try.sh"
done
for program in sluice StubReplica; do
    [ -x "$programs/$program" ] || fail "there is no $programs/$program: build it"
done

# A network and files of its own: the ports, and the place of a pod's credentials, are as in a pod.
if [ -z "${SLUICE_TRY_INSIDE:-}" ]; then
    own=(unshare --net --mount --pid --fork --kill-child --mount-proc)
    [ "$(id -u)" -eq 0 ] || own+=(--user --map-root-user)
    SLUICE_TRY_INSIDE=yes exec "${own[@]}" "$0" "$@"
fi
ip link set lo up
ip address add 10.9.0.10/32 dev lo
ip address add 10.9.0.11/32 dev lo
ip address add 10.9.0.12/32 dev lo
ip address add 10.9.0.13/32 dev lo

work=$(mktemp -d)
account=/run/secrets/kubernetes.io/serviceaccount
mount -t tmpfs tmpfs /run
mkdir -p "$account"

clean_up() {
    if [ "$1" -ne 0 ]; then
        tail -n 30 "$work/sluice.log" 2>/dev/null || true
        tail -n 10 "$work/apiserver.log" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap 'clean_up $?' EXIT

export KUBECONFIG=$work/kubeconfig
kubectl config set-cluster try --server https://127.0.0.1:6443 \
    --certificate-authority "$work/apiserver.crt" >/dev/null
kubectl config set-credentials admin --token admin-of-the-trial >/dev/null
kubectl config set-context try --cluster try --user admin >/dev/null
kubectl config use-context try >/dev/null

# Tries until a command succeeds, at most so many seconds.
await() {
    local what=$1 end=$((SECONDS + $2))
    until "${@:3}" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "not within $2 s: $what"
        sleep 0.1
    done
    say "$what"
}

# --- the API

read -ra options <<<"${APISERVER_OPTIONS:-}"
start_api() {
    kube-apiserver --etcd-servers http://127.0.0.1:2379 \
        --bind-address 127.0.0.1 --advertise-address 10.9.0.10 \
        --secure-port 6443 --cert-dir "$work" --authorization-mode RBAC \
        --token-auth-file "$work/tokens" --service-cluster-ip-range 10.96.0.0/16 \
        --service-account-issuer https://kubernetes.default.svc \
        --service-account-key-file "$work/account.key" \
        --service-account-signing-key-file "$work/account.key" \
        --requestheader-client-ca-file "$work/front.crt" --requestheader-allowed-names front-proxy \
        --requestheader-username-headers X-Remote-User \
        --requestheader-group-headers X-Remote-Group \
        --requestheader-extra-headers-prefix X-Remote-Extra- \
        --proxy-client-cert-file "$work/proxy.crt" --proxy-client-key-file "$work/proxy.key" \
        --enable-aggregator-routing=true --endpoint-reconciler-type none "${options[@]}" >>"$work/apiserver.log" 2>&1 &
    api=$!
    await "the API answers" 60 kubectl get --raw /readyz
}

printf 'admin-of-the-trial,admin,1,system:masters\n' >"$work/tokens"
openssl genrsa -out "$work/account.key" 2048 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/apiserver.key" \
    -out "$work/apiserver.crt" -days 1 -subj /CN=kubernetes \
    -addext subjectAltName=IP:127.0.0.1,DNS:kubernetes 2>/dev/null
# Who the API is to those whom it asks.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/front.key" -out "$work/front.crt" \
    -days 1 -subj /CN=front 2>/dev/null
openssl req -newkey rsa:2048 -nodes -keyout "$work/proxy.key" -out "$work/proxy.csr" \
    -subj /CN=front-proxy 2>/dev/null
openssl x509 -req -in "$work/proxy.csr" -CA "$work/front.crt" -CAkey "$work/front.key" \
    -set_serial 2 -days 1 -out "$work/proxy.crt" 2>/dev/null
etcd --data-dir "$work/etcd" --log-level error --listen-client-urls http://127.0.0.1:2379 \
    --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 \
    >"$work/etcd.log" 2>&1 &
start_api
say "$(kubectl version 2>/dev/null | sed -n 's/^Server Version: /Kubernetes /p')"
[ -z "${PREPARE:-}" ] || "$PREPARE"

# --- the manifests

mkdir "$work/k8s"
cat >"$work/k8s/kustomization.yaml" <<EOF
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [$(realpath --relative-to "$work/k8s" k8s/overlays/minikube)]
components:
  - $(realpath --relative-to "$work/k8s" k8s/components/ingress)
  - $(realpath --relative-to "$work/k8s" k8s/components/autoscale-by-work)
EOF
kubectl kustomize "$work/k8s" >"$work/all.yaml"
# The same under its older name.
kubectl api-versions | grep -qx autoscaling/v2 ||
    sed -i 's#^apiVersion: autoscaling/v2$#&beta2#' "$work/all.yaml"
kubectl apply -f "$work/all.yaml" >"$work/applied" 2>"$work/refused" || true
# An older API lacks the newest version of some kinds; nothing else may be refused.
if grep -v -e 'no matches for kind' -e 'ensure CRDs are installed' -e '^$' "$work/refused"; then
    fail "the manifests are not accepted"
fi
say "$(wc -l <"$work/applied") objects of the manifests are accepted," \
    "$(grep -c 'no matches' "$work/refused" || true) are of kinds this API is too old for"

# The token of a pod, as the kubelet asks for it.
take_token() {
    printf '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}' |
        kubectl create --raw /api/v1/namespaces/sluice/serviceaccounts/sluice/token -f - |
        sed 's/.*"token":"\([^"]*\)".*/\1/' >"$account/next"
    mv "$account/next" "$account/token"
}

cp "$work/apiserver.crt" "$account/ca.crt"
printf sluice >"$account/namespace"
take_token

# --- pods and the gateway

# A slice with one pod at 10.9.0.$2; $3 …: whether it is ready, and ending.
put_slice() {
    kubectl apply --server-side -f - >/dev/null <<EOF
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: $1
  namespace: sluice
  labels: {kubernetes.io/service-name: model}
addressType: IPv4
ports: [{name: http, port: 8000, protocol: TCP}]
endpoints:
  - addresses: [10.9.0.$2]
    conditions: {ready: $3, serving: true, terminating: $4}
EOF
}

for number in 11 12 13; do
    "$programs/StubReplica" --host "10.9.0.$number" --port 8000 >/dev/null &
done
put_slice model-1 11 true false
put_slice model-2 12 true false

export KUBERNETES_SERVICE_HOST=127.0.0.1 KUBERNETES_SERVICE_PORT=6443
export SLUICE_ADMIN_TOKEN=token-of-the-trial SLUICE_LOOPS=1
export SLUICE_METRICS_ADDRESS=10.9.0.10:6444
"$programs/sluice" serve --ingress-class sluice k8s/base/sluice.json5 \
    >"$work/access.log" 2>"$work/sluice.log" &
gateway=$!

# Once each, however many pools have it.
replicas() {
    "$programs/sluice" status | sed -n 's/.*\(10\.9\.0\.[0-9]*:8000\) .* ready .*/\1/p' | sort -u
}
has_replicas() { [ "$(replicas | wc -l)" -eq "$1" ]; }
has_said() { grep -qF -- "$1" "$work/sluice.log"; }
# Whether a request gets a status: $1 the status, then what curl is told.
gets() { [ "$(curl -sS -o /dev/null -w '%{http_code}' --max-time 5 "${@:2}")" = "$1" ]; }
predicts() { gets 200 -X POST http://127.0.0.1:8080/predict; }

await "two replicas from two slices" 15 has_replicas 2
predicts || fail "no prediction"
put_slice model-3 13 true false
await "three, after a third slice" 10 has_replicas 3
put_slice model-1 11 false true
await "two, after one is ending" 10 has_replicas 2

# --- Ingresses

kubectl -n sluice patch service sluice --type merge -p '{"spec":{"externalIPs":["203.0.113.7"]}}' \
    >/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/tls.key" \
    -out "$work/tls.crt" -days 1 -subj /CN=a.example -addext subjectAltName=DNS:a.example \
    2>/dev/null
kubectl -n sluice create secret tls papers --cert "$work/tls.crt" --key "$work/tls.key" >/dev/null
put_ingress() {
    kubectl apply -f - >/dev/null <<EOF
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: $1, namespace: sluice}
spec:
  ingressClassName: sluice
  tls: [{hosts: [$2], secretName: papers}]
  rules:
    - host: $2
      http:
        paths:
          - path: /api
            pathType: Prefix
            backend: {service: {name: $3, port: {number: 8000}}}
EOF
}
put_ingress good a.example model
https=(--cacert "$work/tls.crt" --connect-to a.example:443:127.0.0.1:8443 https://a.example/api/x)
await "an Ingress is served" 10 gets 200 -H 'Host: a.example' http://127.0.0.1:8080/api/x
await "and by https, with the certificate of its Secret" 5 gets 200 "${https[@]}"
published() {
    [ "$(kubectl -n sluice get ingress good -o 'jsonpath={.status.loadBalancer.ingress[0].ip}')" = \
        203.0.113.7 ]
}
await "its status tells where: 203.0.113.7" 10 published
put_ingress lost b.example nowhere
event() { kubectl -n sluice get events --no-headers | grep 'ServiceNotFound'; }
await "a bad one is told" 10 event
say "$(event)"
gets 503 -H 'Host: b.example' http://127.0.0.1:8080/api || fail "the bad one is not 503"
gets 200 "${https[@]}" || fail "the good one suffers"
# More than one page of a list.
for number in $(seq 300); do
    printf 'apiVersion: v1\nkind: Service\nmetadata: {name: more-%s, namespace: sluice}\n' "$number"
    printf 'spec: {clusterIP: None, ports: [{port: 80}]}\n---\n'
done | kubectl apply -f - >/dev/null
say "300 Services more"

# --- external metrics

kubectl apply -f - >/dev/null 2>&1 <<EOF
apiVersion: v1
kind: Endpoints
metadata: {name: sluice-metrics, namespace: sluice}
subsets: [{addresses: [{ip: 10.9.0.10}], ports: [{name: metrics, port: 6444}]}]
EOF
metric() {
    kubectl get --raw "/apis/external.metrics.k8s.io/v1beta1/namespaces/sluice/$1?labelSelector=pool%3Dmodel"
}
await "the API has external metrics from the gateway" 40 metric sluice_pool_outstanding_requests
say "$(metric sluice_pool_outstanding_requests)"
curl -sSk --max-time 5 https://10.9.0.10:6444/apis/external.metrics.k8s.io/v1beta1 >"$work/stranger" 2>&1 ||
    true
if grep -q '"resources"' "$work/stranger"; then fail "a stranger gets metrics"; fi
for _ in $(seq 5); do
    curl -sS -o /dev/null --max-time 90 -X POST 'http://127.0.0.1:8080/predict?hold=true' &
done
says() { metric "$1" | grep -qF "\"value\":\"$2\""; }
await "five requests are outstanding, says the API" 10 says sluice_pool_outstanding_requests 5
says sluice_pool_saturation 1 || fail "the pool is not full"
wants() { [ "$(kubectl -n sluice get deployment model -o 'jsonpath={.spec.replicas}')" = "$1" ]; }
if command -v kube-controller-manager >/dev/null; then
    kube-controller-manager --kubeconfig "$KUBECONFIG" --controllers horizontalpodautoscaling \
        --leader-elect=false --horizontal-pod-autoscaler-sync-period 1s --cert-dir "$work" \
        >"$work/controllers.log" 2>&1 &
    controllers=$!
    await "the HorizontalPodAutoscaler wants five pods of the model" 60 wants 5
    kill "$controllers"
else
    say "there is no kube-controller-manager to scale the model by that"
fi
idle() {
    for number in 11 12 13; do curl -sS -X POST "http://10.9.0.$number:8000/release"; done
    says sluice_pool_outstanding_requests 0
}
await "all five are answered" 20 idle
say "a stranger gets none: $(tr -d '\n' <"$work/stranger" | cut -c1-120)"

# --- what goes away

kubectl delete clusterrolebinding sluice-ingress >/dev/null
# A watch that is open goes on with what it was allowed; the end of the API is the end of it.
end_api() { kill -KILL "$api"; wait "$api" 2>/dev/null || true; }
restart_api() { end_api; start_api; }
restart_api
await "a missing right is told" 30 has_said "lacks the verb"
say "$(grep -m 1 -F 'lacks the verb' "$work/sluice.log" | cut -c26-)"
gets 200 "${https[@]}" || fail "Ingresses are not served without rights"
kubectl apply -f "$work/all.yaml" >/dev/null 2>&1 || true
await "it has the right again" 40 has_said "services in all namespaces: the API answers again"

kubectl -n sluice delete serviceaccount sluice >/dev/null
kubectl apply -f "$work/all.yaml" >/dev/null 2>&1 || true
restart_api
await "a token that is no good any more is told" 60 has_said "401: the token is not accepted"
predicts || fail "no prediction without a good token"
take_token
put_slice model-1 11 true false
await "with a new token the third replica is back" 60 has_replicas 3

end_api
for _ in $(seq 100); do predicts || fail "no prediction without the API"; done
say "100 predictions without the API"
put=$(wc -l <"$work/sluice.log")
start_api
put_slice model-1 11 false true
await "it goes on where it was: two replicas" 60 has_replicas 2
say "$(tail -n "+$put" "$work/sluice.log" | grep -c 'the API answers again' || true) watches again"

kill "$gateway"
wait "$gateway" || fail "the gateway stopped with $?"
say "the gateway stopped with 0. All is well"
