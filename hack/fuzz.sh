#!/usr/bin/env bash
# Runs every fuzz target in turn, each for the given time.
# Usage: hack/fuzz.sh 10s
set -euo pipefail

duration=$1
found=0

while read -r package; do
  while read -r target; do
    found=$((found + 1))
    echo "fuzz: $target in $package for $duration"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$duration" "$package"
  done < <(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true)
done < <(go list ./...)

if ((found == 0)); then
  echo "fuzz: there is no fuzz target" >&2
  exit 1
fi
