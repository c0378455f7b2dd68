#!/usr/bin/env bash
# Runs a command that needs real clients and the servers that they know, such as: hack/clients.sh go test -tags e2e,clients ./test/e2e
#
# git, curl and npm are installed if they are missing, on Debian or Ubuntu as root; the libraries, the registry server and what they need
# from npm, into bin/clients. Anywhere else the command is left out, and this says so; with CI set it fails instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

programs=(git curl npm node)

missing() {
  local program
  for program in "${programs[@]}"; do command -v "$program" >/dev/null 2>&1 || echo "$program"; done
}

if [[ -n $(missing) && $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
  packages=(git curl)
  # npm is node's own where that did not come from Debian.
  command -v npm >/dev/null 2>&1 || packages+=(nodejs npm)
  echo "clients: installing ${packages[*]}" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends "${packages[@]}" >/dev/null
fi

if [[ -n $(missing) ]]; then
  echo "LEFT OUT: the tests with real clients, since these are not installed: $(missing | tr '\n' ' ')" >&2
  [[ -z ${CI:-} ]]
  exit
fi

# What was installed is kept until the list changes.
list=test/e2e/testdata/clients
if ! cmp -s "$list/package-lock.json" bin/clients/package-lock.json; then
  rm -rf bin/clients
  mkdir -p bin/clients
  cp "$list/package.json" "$list/package-lock.json" bin/clients/
  (cd bin/clients && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) || {
    rm -rf bin/clients
    echo "clients: npm could not install what $list/package.json lists" >&2
    exit 1
  }
fi

exec "$@"
