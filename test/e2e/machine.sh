#!/usr/bin/env bash
# A machine of its own for the commands of documents: networks, processes, /etc and all that they may write are its own,
# and go with it. Only the kernel is the host's. It is process 1 of its own namespaces.
# Usage: machine.sh CLONE STORIES DATA, all absolute: the project, a directory to share, and one for the engine's data.
set -euo pipefail
clone=$1 stories=$2 data=$3

mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 machine /mnt
mkdir /mnt/clone /mnt/stories /mnt/data /mnt/home /mnt/over
mount --bind "$stories" /mnt/stories
mount --bind "$data" /mnt/data

# over DIR AT: what is written at AT stays in memory, above what is in DIR.
over() {
  local layer
  layer=/mnt/over/$(basename "$2")
  mkdir "$layer" "$layer.work"
  chmod --reference="$1" "$layer"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$layer,workdir=$layer.work" "$2"
}
over "$clone" /mnt/clone
for dir in /etc /usr/local /var/lib /srv /tmp; do over "$dir" "$dir"; done
rm -rf /var/lib/credproxy # what controllers of the host have noted is not this machine's; above, only this layer loses it
mount -t tmpfs -o mode=755 machine /run

# For who is root already.
cat >/mnt/profile <<'PROFILE'
sudo() {
  local user=root group=
  while [[ $1 == -* ]]; do
    case $1 in
      -u) user=$2 ;;
      -g) group=$2 ;;
    esac
    shift 2
  done
  setpriv --reuid "$user" --regid "${group:-$(id -g "$user")}" --init-groups env "$@"
}
PROFILE

ip link set lo up
echo '{}' >/mnt/daemon.json # what the host's engine is told is not for this one
dockerd --config-file /mnt/daemon.json --data-root /mnt/data --host unix:///var/run/docker.sock --group docker >/mnt/stories/engine.log 2>&1 &
engine=$!
# Once the engine says that it has put its containers away, all that it does for another second is wait for its containerd. The
# processes that are left end with this one.
end() {
  kill $engine
  grep -qm1 'Daemon shutdown complete' < <(tail -n +1 -f --pid=$engine /mnt/stories/engine.log) || true
  exit
}
trap end TERM
until docker version >/dev/null 2>&1; do
  kill -0 $engine || exit 1
  sleep 0.1
done
echo ready
wait $engine
