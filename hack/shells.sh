#!/usr/bin/env bash
# Runs a command that needs other shells and a reader of manual pages, such as: hack/shells.sh go test -tags shells ./internal/cli
#
# zsh, fish, bash-completion and mandoc are installed if they are missing, on Debian or Ubuntu as root. Anywhere else the command is
# left out, and this says so; with CI set it fails instead.
set -euo pipefail

have() {
  command -v zsh >/dev/null 2>&1 && command -v fish >/dev/null 2>&1 && command -v mandoc >/dev/null 2>&1 &&
    [[ -e /usr/share/bash-completion/bash_completion ]]
}

if ! have && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
  echo "shells: installing zsh, fish, bash-completion and mandoc, which completion and the manual pages are tested with" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends zsh fish bash-completion mandoc >/dev/null
fi

if have; then exec "$@"; fi

echo "LEFT OUT: completion in zsh and fish, and mandoc on the manual pages, since zsh, fish, bash-completion or mandoc is not installed." >&2
[[ -z ${CI:-} ]]
