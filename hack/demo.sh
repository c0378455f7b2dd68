#!/usr/bin/env bash
# The whole story on a real engine, told by really asking. Everything that it makes has a name of its own and is
# removed at the end, however it ends; anything that is not as told makes it fail.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

id=demo-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
internal=$id-internal
egress=$id-egress
agent=$id-agent
upstream=$id-upstream
toolbox=credproxy-toolbox:$id
token=$(od -An -N16 -tx4 /dev/urandom | tr -d ' ')
own_key=the-agents-own-idea-of-a-key
patience=30 # seconds that any one thing may take

dir=$(mktemp -d)
specs=$dir/specs
log=$dir/controller.log
port=$(bin/toolbox freeport)
server=http://127.0.0.1:$port
controller_pid=
image= # the sidecar's

bold='' green='' red='' dim='' plain=''
if [[ -t 1 ]]; then
  bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'
fi

chapter() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
tell() { printf '  %s\n' "$*"; }
indent() { sed 's/^/    /'; }
ok() { printf '  %s✓%s %s\n' "$green" "$plain" "$*"; }
wrong() {
  printf '  %s✗ %s%s\n' "$red" "$*" "$plain"
  exit 1
}

# typed CMD…: a command as one would type it.
typed() {
  local arg line=''
  for arg in "$@"; do
    if [[ $arg == *' '* ]]; then arg="'$arg'"; fi
    line+=" $arg"
  done
  typed_line "${line# }"
}
typed_line() { printf '  %s$ %s%s\n' "$dim" "$*" "$plain"; }

# show CMD…: print a command and run it.
show() {
  typed "$@"
  "$@" | indent
}

# quietly CMD…: the same, for commands that print nothing but an ID.
quietly() {
  typed "$@"
  "$@" >/dev/null
}

# until_true WHAT CMD…: ask until the command succeeds.
until_true() {
  local what=$1 deadline=$((SECONDS + patience))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || wrong "$what: not within ${patience}s"
    sleep 0.05
  done
}

sidecars() { docker ps -aq --filter "label=credproxy.dev/instance=$id"; }
volumes() { docker volume ls -q --filter "label=credproxy.dev/instance=$id"; }
images() { docker images -q --no-trunc | sort -u; }
records() { docker exec "$upstream" /toolbox records; }
agent_get=(docker exec "$agent" /toolbox get)
agent_finds_token() { printf %s "$token" | docker exec -i "$agent" /toolbox grep / ; }

clean_up() {
  local status=$?
  trap - EXIT
  set +e
  if [[ -n $controller_pid ]]; then
    kill "$controller_pid" 2>/dev/null && wait "$controller_pid" 2>/dev/null
  fi
  if ((status != 0)) && [[ -s $log ]]; then
    printf '\nThe controller'\''s last lines:\n'
    tail -n 30 "$log" | indent
  fi
  # shellcheck disable=SC2046 # IDs hold no spaces
  docker rm -fv "$agent" "$upstream" $(sidecars) >/dev/null 2>&1
  docker network rm "$internal" "$egress" >/dev/null 2>&1
  docker rmi "$toolbox" >/dev/null 2>&1
  if [[ -n $image ]] && ! grep -qxF "$image" "$dir/images"; then
    docker rmi "$image" >/dev/null 2>&1 # the sidecar's, which this made
  fi
  rm -rf "$dir"
  exit "$status"
}
images >"$dir/images"
trap clean_up EXIT
trap 'exit 130' INT TERM

write_spec() {
  cat >"$dir/web.yaml" <<YAML
apiVersion: credproxy.dev/v1alpha1
kind: CredProxy
metadata: {name: web}
spec:
  internalNetwork: $internal
  egressNetwork: $egress
  routes:
  - path: /api
    upstream: http://$upstream:8080/$1
    insecureUpstream: true # the demo's upstream is a container next door,
    allowPrivate: true     # at a private address
    auth: {scheme: Bearer, tokenRef: {env: DEMO_TOKEN}}
    roles: [openai-base-url] # what the agent's clients use it for
YAML
  mv "$dir/web.yaml" "$specs/web.yaml"
}

chapter "1. An environment: two networks, an agent on one, an upstream on the other"
tell "The internal network leads nowhere. The agent is on it alone, and is given no token."
quietly docker network create --internal -o com.docker.network.bridge.inhibit_ipv4=true "$internal"
quietly docker network create "$egress"
tar -C bin -c toolbox | docker import --change 'ENTRYPOINT ["/toolbox"]' - "$toolbox" >/dev/null
quietly docker run -d --name "$agent" --network "$internal" "$toolbox" agent
quietly docker run -d --name "$upstream" --network "$egress" "$toolbox" upstream
address=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$upstream")
if "${agent_get[@]}" -t 2s "http://$address:8080/" >/dev/null 2>&1; then wrong "the agent reached the upstream by itself"; fi
ok "the agent cannot reach the upstream by itself"

chapter "2. The controller watches a directory. The token is in its environment, and nowhere else"
mkdir "$specs"
typed_line "DEMO_TOKEN=… bin/controller run --specs $specs --token-env DEMO_TOKEN &"
DEMO_TOKEN=$token bin/controller run --specs "$specs" --token-env DEMO_TOKEN --instance "$id" --name-prefix "$id" \
  --listen "127.0.0.1:$port" --state-dir "$dir/state" >"$log" 2>&1 </dev/null &
controller_pid=$!
until_true "the controller is ready" bin/toolbox get -f "$server/readyz"
ok "it is ready, and there is nothing to do: $(sidecars | wc -l) sidecars"

chapter "3. Drop a file"
write_spec v1
show cat "$specs/web.yaml"
show bin/controller wait web --server "$server" --timeout "${patience}s"
show bin/controller status --server "$server"
sidecar=$(sidecars)
[[ $(wc -w <<<"$sidecar") == 1 ]] || wrong "there is not exactly one sidecar: $sidecar"
image=$(docker inspect -f '{{.Image}}' "$sidecar")
ok "a sidecar runs, on both networks, as $(docker inspect -f '{{.Name}}, user {{.Config.User}}' "$sidecar")"

chapter "4. The agent holds no token"
show docker exec "$agent" /toolbox env
typed_line "docker exec -i $agent /toolbox grep / # every file, and the environment of every process"
found=$(agent_finds_token || [[ $? == 1 ]]) || wrong "the search itself failed"
[[ -z $found ]] || wrong "the token is in: $found"
ok "the token is in none of its files and in no environment"
if docker inspect "$agent" | grep -qF "$token"; then wrong "docker inspect of the agent shows the token"; fi
if docker inspect "$sidecar" | grep -qF "$token"; then wrong "docker inspect of the sidecar shows the token"; fi
ok "docker inspect shows it neither for the agent nor for the sidecar"

chapter "5. The agent asks its sidecar, and even brings a credential of its own"
show "${agent_get[@]}" -H "Authorization: Bearer $own_key" -H "X-Api-Key: $own_key" http://cred-proxy:9099/api/hello
seen=$(records)
grep -qF "\"Bearer $token\"" <<<"$seen" || wrong "the request arrived without the token"
ok "the request arrived at /v1/hello with the token that the agent does not have"
if grep -qF "$own_key" <<<"$seen"; then wrong "the agent's own credential arrived"; fi
ok "the credential that the agent sent did not arrive"

chapter "6. What the clients of an agent need is printed: addresses, and placeholders for keys"
show bin/controller env web -o docker --server "$server"
typed_line "docker run --rm \$(bin/controller env web -o docker --server $server) $toolbox env"
# shellcheck disable=SC2046 # the options are words
wired=$(docker run --rm $(bin/controller env web -o docker --server "$server") "$toolbox" env)
indent <<<"$wired"
grep -qx OPENAI_BASE_URL=http://cred-proxy:9099/api <<<"$wired" || wrong "the container was not told where to ask"
if grep -qF "$token" <<<"$wired"; then wrong "the token is in the container's environment"; fi
ok "such a container finds its sidecar, and has no token either"

chapter "7. Edit the file: the same sidecar follows"
write_spec v2
show grep upstream: "$specs/web.yaml"
asks_v2() { "${agent_get[@]}" http://cred-proxy:9099/api/again | grep -qF '"uri":"/v2/again"'; }
until_true "the edited route is followed" asks_v2
show "${agent_get[@]}" http://cred-proxy:9099/api/again
[[ $(sidecars) == "$sidecar" ]] || wrong "the sidecar was replaced"
ok "requests go to /v2 now, and the container is the same"

chapter "8. Break the file: nothing that runs is harmed"
echo 'kind: [' >"$specs/web.yaml"
says_invalid() { bin/toolbox get "$server/api/v1alpha1/sources" | grep -qF '"Invalid"'; }
until_true "the broken file is noticed" says_invalid
typed_line "bin/controller validate $specs"
if bin/controller validate "$specs" >"$dir/validate" 2>&1; then wrong "validate did not mind"; fi
indent <"$dir/validate"
asks_v2 || wrong "the sidecar no longer serves"
ok "the mistake is named, and the sidecar serves on with what was last good"

chapter "9. Delete the file: the sidecar is gone"
quietly rm "$specs/web.yaml"
show bin/controller wait web --for Deleted --server "$server" --timeout "${patience}s"
all_gone() { [[ -z $(sidecars) && -z $(volumes) ]]; }
until_true "the sidecar and its volume are gone" all_gone
if "${agent_get[@]}" -t 2s http://cred-proxy:9099/api/hello >/dev/null 2>&1; then wrong "something still answers the agent"; fi
ok "no container, no volume, and nobody answers the agent"

chapter "10. Every step was measured"
typed_line "curl -s $server/metrics | grep credproxy_step_duration_seconds"
bin/toolbox get "$server/metrics" >"$dir/metrics"
step_metric() { # step_metric sum|count STEP: its value for successes, 0 when there is none
  awk -v metric="credproxy_step_duration_seconds_$1{" -v step="step=\"$2\"" \
    'index($0, metric) == 1 && index($0, step) && index($0, "result=\"success\"") {v = $2} END {print v + 0}' "$dir/metrics"
}
for step in resolve_tokens ensure_image create copy_routes connect_egress start wait_ready reload remove; do
  count=$(step_metric count "$step")
  ((count > 0)) || wrong "the metrics know nothing of the step $step"
  awk -v step="$step" -v n="$count" -v s="$(step_metric sum "$step")" \
    'BEGIN {printf "    %-15s %d time(s), %7.1f ms\n", step, n, 1000 * s}'
done
ok "all in /metrics, with the cause of each in the log"
if grep -qF "$token" "$log" "$dir/metrics"; then wrong "the token is in the log or the metrics"; fi
ok "and the token is in neither"

chapter "The end: everything that this made is removed again."
