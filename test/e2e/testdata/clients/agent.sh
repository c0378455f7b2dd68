#!/bin/sh
# Plays a client in an agent's container. Each says so when all was as it should be. Usage: agent.sh CLIENT…
set -eu
proxy=http://cred-proxy:9099
export HOME=/tmp/home GIT_TERMINAL_PROMPT=0
mkdir -p "$HOME"
git config --global user.name agent
git config --global user.email agent@example.org

# fails runs a command that has to fail, and keeps what it said.
fails() { if "$@" >/tmp/said 2>&1; then echo "it should have failed: $*"; cat /tmp/said; return 1; fi; }
says() { grep -qi -- "$1" /tmp/said || { echo "it does not say \"$1\" but:"; cat /tmp/said; return 1; }; }

client_git() {
  git clone -q "$proxy/git/acme/web.git" /tmp/web
  git clone -q "$proxy/git/acme/web" /tmp/reader
  cd /tmp/web
  head -c 3000000 /dev/urandom >large # is sent in chunks, and compressed by git
  git add .
  git commit -q -m "Add a file"
  git push -q origin HEAD:main
  cd /tmp/reader
  git fetch -q origin
  [ "$(git rev-parse origin/main)" = "$(git -C /tmp/web rev-parse HEAD)" ]
  git -c protocol.version=0 clone -q --depth 1 "$proxy/git/acme/web.git" /tmp/shallow
  cmp /tmp/shallow/large /tmp/web/large

  git clone -q "$proxy/git/acme/other.git" /tmp/other
  cd /tmp/other
  git commit -q --allow-empty -m "Try"
  fails git push origin HEAD:main
  says 403
  says 'does not permit to push to this repository'
}

# The sidecar that asks for a key challenges as git knows it; git asks again with the key.
client_challenge() {
  fails git clone "http://locked:9099/git/acme/web.git" /tmp/refused
  says 'could not read Username'
  GIT_CURL_VERBOSE=1 git clone "http://agent:$CALLER_KEY@locked:9099/git/acme/web.git" /tmp/challenged >/tmp/said 2>&1
  says 'HTTP/1.1 401'
  says 'WWW-Authenticate: Basic'
  [ -e /tmp/challenged/large ]
}

client_npm() {
  cp /story/npmrc "$HOME/.npmrc" # npm publishes nothing without a token, so it has a placeholder
  mkdir /tmp/npm
  cd /tmp/npm
  echo '{"name":"asked","version":"1.0.0"}' >package.json
  npm install --no-audit --no-fund --cache /tmp/npm-cache @acme/tool >/tmp/said 2>&1 || { cat /tmp/said; return 1; }
  [ -e node_modules/@acme/tool/package.json ]
  mkdir /tmp/publish
  cd /tmp/publish
  echo '{"name":"@acme/mine","version":"1.0.0"}' >package.json
  fails npm publish --cache /tmp/npm-cache
  says E403
  says denied
}

client_models() { node /story/models.mjs; }

client_websocket() { node /story/socket.mjs ws://cred-proxy:9099/web/socket; }

client_grpc() { node /story/grpc.mjs cred-proxy:9099; }

client_curl() {
  for version in --http1.0 --http1.1 --http2-prior-knowledge; do
    curl -sSf $version -H 'Authorization: Bearer credproxy-placeholder' -d 123 -o /tmp/answer -w '%{http_version} ' "$proxy/web/x"
    cat /tmp/answer
    grep -q '^3 a665a45920422f9d417e4867efdc4fb8a04a1f3fff1fa07e998e86f7f7a27ae3$' /tmp/answer
  done >/tmp/said
  says '^1 3 '; says '^1.1 3 '; says '^2 3 '
}

# The sidecar has 64 MiB, so that a body which it held would end it.
client_uploads() {
  head -c 100000000 /dev/urandom >/tmp/body
  want="100000000 $(sha256sum </tmp/body | cut -d ' ' -f 1)"
  for version in --http1.1 --http2-prior-knowledge; do
    [ "$(curl -sSf $version -H 'Transfer-Encoding: chunked' -T - "$proxy/web/chunked" </tmp/body)" = "$want" ]
  done
  curl -sSf -v --http1.1 --expect100-timeout 60 -H 'Expect: 100-continue' -T /tmp/body -o /tmp/answer "$proxy/web/expected" 2>/tmp/said
  [ "$(cat /tmp/answer)" = "$want" ]
  says '^< HTTP/1.1 100 Continue'
  # What the route does not permit is refused before the body is asked for.
  curl -sS -v --http1.1 --expect100-timeout 60 -H 'Expect: 100-continue' -T /tmp/body -o /tmp/answer -w 'sent %{size_upload}' "$proxy/npm/refused" >/tmp/said 2>&1
  says '^< HTTP/1.1 403'
  says 'sent 0'
  if grep -q '100 Continue' /tmp/said; then return 1; fi
}

for client in "$@"; do
  ("client_$client")
  echo "$client is content"
done
