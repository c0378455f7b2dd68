#!/usr/bin/env bash
# Runs a command in namespaces of its own with other proxies at hand, such as: hack/proxies.sh bin/benchproxy
#
# nginx, HAProxy and Caddy are those that are installed. On Debian and Ubuntu the packages of those that are not are unpacked
# below bin/proxies, whose path the command finds in PROXIES: nothing is installed by it, and no service is started. Anywhere
# else this says what to do and fails.
#
# The command has networks and processes of its own, which end with it. It takes root, or a kernel that lets everybody make
# namespaces.
set -euo pipefail

proxies=(nginx haproxy caddy)
dir=$PWD/bin/proxies

fail() {
  printf 'proxies: %s\n' "$1" >&2
  shift
  [[ $# -eq 0 ]] || printf '         %s\n' "$@" >&2
  exit 1
}

have() { PATH=$dir/usr/sbin:$dir/usr/bin:$PATH:/usr/sbin command -v "$1" >/dev/null 2>&1; }

missing() {
  local name
  for name in "$@"; do have "$name" || echo "$name"; done
}

# What a package needs and the machine lacks is unpacked with it.
unpack() {
  local wanted packages=$dir/packages
  wanted=$(apt-get -s --no-install-recommends install "$@" | awk '$1 == "Inst" {print $2}')
  rm -rf "$packages"
  mkdir -p "$packages"
  if [[ $EUID -eq 0 ]]; then chmod 777 "$packages"; fi # apt-get downloads as a user of its own
  (cd "$packages" && xargs -r apt-get -qq download <<<"$wanted")
  find "$packages" -name '*.deb' -exec dpkg-deb -x {} "$dir" \;
  rm -rf "$packages"
}

provide() {
  local lacking
  mapfile -t lacking < <(missing "${proxies[@]}")
  [[ ${#lacking[@]} -gt 0 ]] || return 0
  have apt-get || fail "${lacking[*]} is not installed" "Install it; its service need not run."
  echo "proxies: unpacking ${lacking[*]} below $dir" >&2
  export DEBIAN_FRONTEND=noninteractive
  if [[ $EUID -eq 0 ]]; then apt-get -qq -o DPkg::Lock::Timeout=120 update; fi
  unpack "${lacking[@]}"
  mapfile -t lacking < <(missing "${proxies[@]}")
  [[ ${#lacking[@]} -eq 0 ]] || fail "the packages of ${lacking[*]} could not be unpacked" "Install them; no service need run."
}

[[ $# -gt 0 ]] || fail "no command is given" "Usage: hack/proxies.sh COMMAND [ARGUMENT...]"
for tool in unshare nsenter ip; do
  have "$tool" || fail "$tool is not installed" "Install the packages util-linux and iproute2."
done
provide

export PROXIES=$dir
user=()
if [[ $EUID -ne 0 ]]; then user=(--user --map-root-user); fi
exec unshare "${user[@]}" --net --mount --pid --fork --kill-child --mount-proc "$@"
