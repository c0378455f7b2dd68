#!/usr/bin/env bash
# Runs a command that needs Chromium, such as: hack/chromium.sh go test -tags page ./test/page
# It finds the browser in the variable CHROMIUM.
#
# Debian's headless shell, and a font for it to draw with, are installed if they are missing, on Debian or Ubuntu as root.
# Anywhere else a Chromium or Chrome that is there is taken. Without one the command is left out, and this says so; with CI
# set it fails instead.
set -euo pipefail

find_browser() {
  local name
  for name in "${CHROMIUM:-}" chromium-headless-shell chromium chromium-browser google-chrome; do
    if [[ -n $name ]] && command -v "$name" 2>/dev/null; then return; fi
  done
  return 1
}

# Ubuntu's chromium is a wrapper around a snap, which runs in no container: only Debian's packages are installed.
if ! find_browser >/dev/null && [[ $EUID -eq 0 ]] && command -v apt-get >/dev/null 2>&1; then
  echo "chromium: installing chromium-headless-shell and fonts-dejavu-core, which the status page is tested with" >&2
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq -o DPkg::Lock::Timeout=300 update
  apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends chromium-headless-shell fonts-dejavu-core >/dev/null ||
    echo "chromium: the packages could not be installed" >&2
fi

if CHROMIUM=$(find_browser); then
  export CHROMIUM
  exec "$@"
fi

echo "LEFT OUT: the status page in a real browser, since there is no Chromium; install one, or set CHROMIUM to its path." >&2
[[ -z ${CI:-} ]]
