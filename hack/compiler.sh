#!/usr/bin/env bash
# Makes sure that there is a C compiler, which Go's race detector needs: installed on Debian or Ubuntu as root,
# otherwise said.
set -euo pipefail

compiler=$(go env CC)
if command -v "${compiler%% *}" >/dev/null 2>&1; then exit 0; fi

if [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
  echo "compiler: installing gcc, which the race detector needs" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=120 update
  apt-get -qq -y -o DPkg::Lock::Timeout=120 install --no-install-recommends gcc libc6-dev >/dev/null
  exit 0
fi

echo "compiler: \"$compiler\" is not installed, and Go's race detector needs a C compiler" >&2
echo "          Install gcc, or set CC to the one that you have." >&2
exit 1
