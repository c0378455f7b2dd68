#!/usr/bin/env bash
# Runs every check of the code that needs no engine. All of them run; any finding fails.
# Usage: hack/lint.sh GOLANGCI_LINT
# shellcheck disable=SC2317 # the checks are called by name
set -uo pipefail

linter=$1
failed=0

check() {
  local what=$1
  shift
  echo "lint: $what"
  "$@" || failed=1
}

go_files() { git ls-files --cached --others --exclude-standard -- '*.go'; }

formatted() {
  local unformatted
  unformatted=$(go_files | xargs gofmt -l) || return 1
  if [[ -n $unformatted ]]; then
    printf 'not formatted by gofmt:\n%s\n' "$unformatted" >&2
    return 1
  fi
}

scripts_parse() {
  local script bad=0
  while read -r script; do
    bash -n "$script" || bad=1
  done < <(git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run)
  if command -v shellcheck >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run | xargs shellcheck || bad=1
  fi
  return "$bad"
}

check "formatting" formatted
check "go.mod is tidy" go mod tidy -diff
check "scripts" scripts_parse
check "golangci-lint, with vet and the end-to-end tests" "$linter" run --allow-parallel-runners ./...

exit "$failed"
