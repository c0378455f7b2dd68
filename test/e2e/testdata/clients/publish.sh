#!/bin/sh
# Signs up with a registry that is new, publishes @acme/tool there, and prints the token. Usage: publish.sh HOST:PORT
set -eu
export HOME=/tmp/home
mkdir -p /tmp/home /tmp/tool
until curl -sf -o /tmp/ping "http://$1/-/ping"; do sleep 0.2; done
token=$(curl -sSf -X PUT -H 'Content-Type: application/json' -d '{"name":"agent","password":"a-password-of-the-story"}' \
  "http://$1/-/user/org.couchdb.user:agent" | node -pe 'JSON.parse(fs.readFileSync(0)).token')
cd /tmp/tool
echo '{"name":"@acme/tool","version":"1.0.0"}' >package.json
printf 'registry=http://%s/\n//%s/:_authToken=%s\n' "$1" "$1" "$token" >"$HOME/.npmrc"
npm publish --cache /tmp/npm-cache >&2
printf %s "$token"
