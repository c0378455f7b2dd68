#!/usr/bin/env bash
# Runs a command that needs prometheus and promtool, such as: hack/prometheus.sh go test -tags prometheus ./test/prometheus
#
# Those that are installed are used. Otherwise Debian's or Ubuntu's package is unpacked below bin/tools, and not installed: as a
# package it would start a service. Where neither can be done the command is left out, and this says so; with CI set it fails.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
unpacked=$PWD/bin/tools/prometheus

have() { command -v prometheus >/dev/null 2>&1 && command -v promtool >/dev/null 2>&1; }

apt() { apt-get -qq -o DPkg::Lock::Timeout=120 -o APT::Sandbox::User=root "$@"; }

unpack() {
  local fresh=$unpacked.$$
  echo "prometheus: unpacking Debian's package below bin/tools" >&2
  rm -rf "$fresh"
  mkdir -p "$fresh"
  if [[ $EUID -eq 0 ]]; then apt update; fi
  (cd "$fresh" && apt download prometheus >/dev/null) || return 1
  dpkg-deb -x "$fresh"/prometheus_*.deb "$fresh" || return 1
  rm -rf "$unpacked"
  mv "$fresh" "$unpacked"
}

PATH=$PATH:$unpacked/usr/bin
if ! have && command -v apt-get >/dev/null 2>&1; then unpack || rm -rf "$unpacked.$$"; fi

if have; then exec "$@"; fi

echo "LEFT OUT: the rules and dashboards on a real Prometheus, since prometheus and promtool are not installed" \
  "(https://prometheus.io/download)." >&2
[[ -z ${CI:-} ]]
