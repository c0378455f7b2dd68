#!/bin/sh
# Has clients ask their upstreams, in an agent's container that was wired. Each says so when it got what it wanted.
# Usage: ask.sh CLIENT…
# The story gives STORY_FORGE, the forge's URL as people type it, and STORY_FORGE_HOST.
set -eu

export HOME=/tmp/home
mkdir -p "$HOME"
if [ -d /story/home ]; then cp -R /story/home/. "$HOME"; fi

ask_git() {
  git clone -q "$STORY_FORGE/acme/web.git" /tmp/typed
  cd /tmp/typed
  [ "$(git config remote.origin.url)" = "$STORY_FORGE/acme/web.git" ]
  git config user.name agent
  git config user.email agent@example.org
  date +%N >"file-$$"
  git add .
  git commit -q -m "Add a file"
  git push -q origin HEAD:main
  git clone -q "git@$STORY_FORGE_HOST:acme/web.git" /tmp/scp
  git clone -q "ssh://git@$STORY_FORGE_HOST/acme/web.git" /tmp/ssh
  [ -e "/tmp/scp/file-$$" ]
  [ -e "/tmp/ssh/file-$$" ]
}

ask_npm() {
  mkdir /tmp/npm
  cd /tmp/npm
  echo '{"name":"asked","version":"1.0.0"}' >package.json
  echo "registry: $(npm config get registry)"
  npm install --no-audit --no-fund --cache /tmp/npm-cache wired-thing @acme/tool
  [ -e node_modules/wired-thing/package.json ]
  [ -e node_modules/@acme/tool/package.json ]
  if grep -q cred-proxy package-lock.json; then return 1; fi
}

ask_publish() {
  mkdir /tmp/publish
  cd /tmp/publish
  echo '{"name":"published-thing","version":"1.0.0"}' >package.json
  npm publish --cache /tmp/npm-cache
}

ask_pip() {
  python3 -m pip download --no-deps --no-cache-dir --disable-pip-version-check -d /tmp/pip wired-thing
  [ -e /tmp/pip/wired_thing-1.0.0-py3-none-any.whl ]
}

ask_sdk() { node /story/ask.mjs; }

ask_claude() {
  mkdir /tmp/claude
  cd /tmp/claude
  [ "$(DISABLE_AUTOUPDATER=1 CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC=1 /claude/claude -p ping </dev/null)" = pong ]
}

# tea itself is not here; it would ask so.
ask_tea() { /toolbox get -f -H "Authorization: token $GITEA_TOKEN" "$GITEA_INSTANCE_URL/api/v1/user"; }

for client in "$@"; do
  ("ask_$client")
  echo "$client got what it wanted"
done
