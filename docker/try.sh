#!/usr/bin/env bash
# Tries compose.yaml for real: builds, starts, scales, kills and pauses while callers ask without a
# pause, and fails unless every one of them got an answer. Needs Docker with Compose; about three
# minutes, most of them the first build.
#
#   docker/try.sh
#
# SLUICE_PORT, 18080 unless said otherwise, is the port on this machine; CALLERS (6) ask at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export SLUICE_PORT=${SLUICE_PORT:-18080}
callers=${CALLERS:-6}
work=$(mktemp -d)
url=http://127.0.0.1:$SLUICE_PORT/predict

say() { printf '%3d s  %s\n' "$SECONDS" "$*"; }
fail() { say "FAILED: $*"; exit 1; }
compose() { docker compose --project-name sluice-try --file compose.yaml "$@"; }

command -v docker >/dev/null || fail "there is no docker command"
docker info >/dev/null 2>&1 || fail "no container engine answers: start Docker, or set DOCKER_HOST"
docker compose version >/dev/null 2>&1 || fail "docker has no Compose: install docker-compose-plugin"

clean_up() {
    touch "$work/stop"
    wait
    [ "$1" -eq 0 ] || compose logs --tail 20 || true
    compose down --volumes --timeout 10 >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap 'clean_up $?' EXIT

# Containers of a service, oldest first.
containers() { compose ps --quiet "$1"; }

# The oldest of them. Not by `head`: it leaves early, and who still writes to it then fails.
oldest() { containers "$1" | sed -n 1p; }

# How many replicas take requests, as the gateway's own command tells.
usable() { compose exec -T sluice sluice status | grep -cE ' (ready|warming|degraded) ' || true; }

# Waits until that many replicas take requests, at most so many seconds.
await_replicas() {
    local begin=$SECONDS
    until [ "$(usable)" -eq "$1" ]; do
        if [ $((SECONDS - begin)) -ge "$2" ]; then
            compose exec -T sluice sluice status
            fail "not $1 replicas within $2 s"
        fi
        sleep 0.2
    done
    say "$1 replicas take requests, after $((SECONDS - begin)) s"
}

# One prediction: its status and how long it took, in one line that is written at once. Who waits
# five seconds has waited in vain.
ask() {
    local answer
    answer=$(curl --silent --output /dev/null --max-time 5 --write-out '%{http_code} %{time_total}' \
        --header 'Content-Type: application/json' \
        --data '{"features": [2015, 6, 150000, 500, 4.5]}' "$url") || true
    printf '%s\n' "$answer"
}

# Asks one after the other until told to stop.
call() { while [ ! -e "$work/stop" ]; do ask; done >>"$work/answers.$1"; }

# Fails unless every answer so far was a prediction; says how many came since the last look.
check() {
    local all bad
    all=$(cat "$work"/answers.* | wc -l)
    bad=$(cat "$work"/answers.* | grep -vc '^200 ' || true)
    if [ "$bad" -ne 0 ]; then
        cat "$work"/answers.* | cut -d' ' -f1 | sort | uniq -c
        fail "$1: $bad bad answers"
    fi
    [ "$all" -gt "${seen:-0}" ] || fail "$1: nobody asked"
    say "$1: $((all - ${seen:-0})) answers, all of them predictions; the slowest took" \
        "$(cat "$work"/answers.* | cut -d' ' -f2 | sort -n | tail -n 1) s"
    seen=$all
}

say "building"
compose build --quiet >"$work/build.log" 2>&1 || { tail -n 40 "$work/build.log"; fail "the build"; }
size=$(docker image inspect --format '{{.Size}}' sluice:0.1.0)
say "the gateway's image: $((size / 1000000)) MB"
[ "$size" -lt 100000000 ] || fail "that is not under 100 MB"
user=$(docker image inspect --format '{{.Config.User}}' sluice:0.1.0)
[ "$user" = 65532:65532 ] || fail "it runs as ${user:-root}"
docker run --rm --entrypoint /bin/sh sluice:0.1.0 -c true 2>/dev/null && fail "it has a shell"

say "starting the gateway and three workers"
compose up --detach --no-build --quiet-pull 2>/dev/null
await_replicas 3 60
gateway=$(containers sluice)
state() { docker inspect --format "{{.State.$1}}" "$gateway"; }
started=$(state StartedAt)
[ "$(ask | cut -d' ' -f1)" = 200 ] || fail "no prediction"

for caller in $(seq "$callers"); do call "$caller" & done
sleep 3
check "three workers"

compose up --detach --no-build --scale worker=5 2>/dev/null
await_replicas 5 30
sleep 3
check "scaled to five"

victim=$(oldest worker)
docker kill "$victim" >/dev/null
await_replicas 4 15
sleep 3
check "one was killed"

victim=$(oldest worker)
docker pause "$victim" >/dev/null
await_replicas 3 30
sleep 3
check "one was paused"
docker unpause "$victim" >/dev/null
await_replicas 4 30
check "it goes on"

compose up --detach --no-build --scale worker=2 2>/dev/null
await_replicas 2 60
sleep 2
check "scaled to two"

[ "$(containers sluice)" = "$gateway" ] || fail "the gateway was replaced"
[ "$(state StartedAt)" = "$started" ] || fail "the gateway was restarted"
[ "$(state Health.Status)" = healthy ] || fail "the gateway is $(state Health.Status)"
say "the gateway is healthy and was never restarted"

touch "$work/stop"
wait
check "to the end"
compose stop --timeout 30 sluice 2>/dev/null
[ "$(state ExitCode)" -eq 0 ] || fail "the gateway stopped with $(state ExitCode)"
say "the gateway stopped with 0. All is well: $seen predictions, no error"
