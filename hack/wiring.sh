#!/usr/bin/env bash
# Runs a command that needs an agent's clients, such as: hack/wiring.sh go test -tags e2e,wiring ./test/e2e
#
# git, pip, docker compose, envsubst and npm are installed if they are missing, on Debian or Ubuntu as root; libraries and
# Claude Code from npm, into bin/wiring. Anywhere else the command is left out, and this says so; with CI set it fails instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

missing() {
  local program
  for program in git npm node /usr/bin/python3 docker-compose envsubst; do
    command -v "$program" >/dev/null 2>&1 || echo "$program"
  done
  /usr/bin/python3 -m pip --version >/dev/null 2>&1 || echo pip
}

if [[ -n $(missing) && $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
  # The names are words: npm is node's own where that did not come from Debian.
  packages=(git python3 python3-pip docker-compose gettext-base)
  command -v npm >/dev/null 2>&1 || packages+=(nodejs npm)
  echo "wiring: installing ${packages[*]}, with which the wiring of agents is tested" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${packages[@]}" >/dev/null
fi

if [[ -n $(missing) ]]; then
  echo "LEFT OUT: the tests of wiring, since these are not installed: $(missing | tr '\n' ' ')" >&2
  [[ -z ${CI:-} ]]
  exit
fi

# What was installed is kept until the list changes.
list=test/e2e/testdata/wiring
if ! cmp -s "$list/package-lock.json" bin/wiring/package-lock.json; then
  rm -rf bin/wiring
  mkdir -p bin/wiring
  cp "$list/package.json" "$list/package-lock.json" bin/wiring/
  (cd bin/wiring && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || {
    rm -rf bin/wiring
    echo "wiring: npm could not install what $list/package.json lists" >&2
    exit 1
  }
fi

exec "$@"
