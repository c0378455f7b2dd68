#!/usr/bin/env bash
# Makes sure that a container engine answers.
#
# An engine that answers is left alone. When none does: on Debian or Ubuntu as root, docker.io is installed if it
# is missing and dockerd is started in the background, where it stays; anywhere else this says what to do and fails.
set -euo pipefail

log_file=${CREDPROXY_DOCKERD_LOG:-/var/log/dockerd.log}
start_timeout=60 # seconds for a new dockerd to answer

say() { printf 'engine: %s\n' "$*" >&2; }

fail() {
  say "$1"
  shift
  printf '        %s\n' "$@" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# The docker command finds its engine by DOCKER_HOST and the current context, as the controller does.
answers() { have docker && timeout 15 docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Whoever points docker elsewhere wants that engine and no other.
refuse_if_pointed_elsewhere() {
  if [[ -n ${DOCKER_HOST:-} ]]; then
    fail "nothing answers at DOCKER_HOST=$DOCKER_HOST" \
      "Start that engine, or unset DOCKER_HOST to use the one of this machine."
  fi
  local context
  context=$(have docker && docker context show 2>/dev/null || echo default)
  if [[ $context != default ]]; then
    fail "nothing answers at the docker context \"$context\"" \
      "Start that engine, or run: docker context use default"
  fi
}

is_debian() {
  [[ -r /etc/os-release ]] || return 1
  (
    # shellcheck source=/dev/null
    . /etc/os-release
    [[ " ${ID:-} ${ID_LIKE:-} " =~ \ (debian|ubuntu)\  ]]
  )
}

require_root_on_debian() {
  local socket=/var/run/docker.sock
  if [[ $EUID -ne 0 ]]; then
    if [[ -S $socket && ! -w $socket ]]; then
      fail "there is an engine at $socket, and $(id -un) may not use it" \
        "Run as root, or: sudo usermod -aG docker $(id -un), and log in again."
    fi
    fail "no container engine answers, and only root can start one" \
      "Start Docker (sudo systemctl start docker), or run this as root, or set DOCKER_HOST."
  fi
  if ! is_debian; then
    fail "no container engine answers" \
      "Install Docker Engine (https://docs.docker.com/engine/install/) and start it, or set DOCKER_HOST."
  fi
}

# docker.io carries the command itself on older releases, and leaves it to docker-cli on newer ones.
install_engine() {
  local packages=(docker.io iproute2 curl) # the others are for the stories of test/e2e
  export DEBIAN_FRONTEND=noninteractive
  say "installing docker.io (this takes a minute)"
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  if ! have docker && [[ -n $(apt-cache search --names-only '^docker-cli$') ]]; then
    packages+=(docker-cli)
  fi
  # Its recommended packages hold what dockerd needs on a bare machine: iptables, certificates, cgroup mounts.
  apt-get -qq -y -o DPkg::Lock::Timeout=120 install "${packages[@]}" >/dev/null
}

start_engine() {
  if [[ -d /run/systemd/system ]]; then
    say "starting the docker service"
    systemctl start docker
    return
  fi
  if ! mountpoint -q /sys/fs/cgroup && have cgroupfs-mount; then cgroupfs-mount; fi
  say "starting dockerd in the background; its log is $log_file"
  setsid dockerd >>"$log_file" 2>&1 </dev/null &
}

wait_until_it_answers() {
  local deadline=$((SECONDS + start_timeout))
  until answers; do
    if ((SECONDS >= deadline)); then
      tail -n 20 "$log_file" >&2 2>/dev/null || true
      fail "dockerd was started and did not answer within ${start_timeout}s" \
        "The end of $log_file, above, says why."
    fi
    sleep 0.2
  done
  say "an engine answers: $(docker version --format '{{.Server.Version}}')"
}

main() {
  if answers; then return; fi
  refuse_if_pointed_elsewhere
  require_root_on_debian
  if ! have dockerd || ! have docker; then install_engine; fi
  # Installing the package may have started it.
  answers || start_engine
  wait_until_it_answers
}

main "$@"
