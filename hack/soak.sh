#!/usr/bin/env bash
# Edits a fleet at random for a while, and prints what was lost and what the controller used, every minute.
# Usage: hack/soak.sh DURATION, such as 10m
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
SOAK=${1:-10m} exec "${GO:-go}" test -count=1 -timeout 0 -tags e2e,soak -run '^TestSoak$' -v ./test/e2e
