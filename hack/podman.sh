#!/usr/bin/env bash
# Runs a command with DOCKER_HOST at a Podman of its own, such as: hack/podman.sh go test -tags e2e ./pkg/dockerdriver/...
#
# That Podman has its own storage, and its own namespaces of networks, mounts and processes: no rule of a firewall and
# no container of the machine is touched, and everything ends with the command. It takes root. On Debian or Ubuntu podman
# is installed if it is missing; anywhere else this says what to do and fails.
set -euo pipefail

start_timeout=30 # seconds for the service to answer

say() { printf 'podman: %s\n' "$*" >&2; }

fail() {
  say "$1"
  shift
  printf '        %s\n' "$@" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

install_podman() {
  have apt-get || fail "podman is not installed" "Install podman, netavark and aardvark-dns."
  say "installing podman (this takes a minute)"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 install podman netavark aardvark-dns >/dev/null
}

# Containers of a machine that may not raise limits keep within them, and crun knows no hybrid cgroups.
configure() {
  cat <<EOF
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
$(if have runc; then echo 'runtime = "runc"'; fi)
[network]
network_backend = "netavark"
EOF
}

# inside runs in the namespaces, where it is process 1.
inside() {
  local dir=$1 status=0 deadline=$((SECONDS + start_timeout))
  shift
  local podman=(podman --root "$dir/root" --runroot "$dir/run" --tmpdir "$dir/tmp" --network-config-dir "$dir/networks")
  export CONTAINERS_CONF=$dir/containers.conf DOCKER_HOST=unix://$dir/podman.sock
  configure >"$CONTAINERS_CONF"
  mount -t tmpfs tmpfs /run # where runtimes and name servers keep what they know, whoever's they are
  ip link set lo up
  "${podman[@]}" system service --time=0 "$DOCKER_HOST" >"$dir/log" 2>&1 &
  until docker version >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      tail -n 20 "$dir/log" >&2
      fail "it did not answer within ${start_timeout}s" "The end of its log, above, says why."
    fi
    sleep 0.2
  done
  say "$("${podman[@]}" --version)"
  "$@" || status=$?
  "${podman[@]}" rm --all --force --time 0 >/dev/null 2>&1 || true # its cgroups would stay
  return "$status"
}

main() {
  [[ $# -gt 0 ]] || fail "no command is given" "Usage: hack/podman.sh COMMAND [ARGUMENT...]"
  [[ $EUID -eq 0 ]] || fail "only root can start a Podman with networks of its own" "Run as root."
  have docker || fail "the docker command is not installed, which the tests use" "Install docker-cli, or docker.io."
  have podman || install_podman
  local dir status=0
  dir=$(mktemp -d /tmp/podman.XXXXXX) # the paths of sockets have to be short
  unshare --net --mount --pid --fork --kill-child --mount-proc "${BASH_SOURCE[0]}" --inside "$dir" "$@" || status=$?
  rm -rf "$dir"
  exit "$status"
}

if [[ ${1:-} == --inside ]]; then
  shift
  inside "$@"
else
  main "$@"
fi
