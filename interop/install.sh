#!/bin/sh
# Installs what the tests run against, on Debian and as root, and the packages
# of node/. Node.js comes from Debian unless there is one already.
set -eu
cd "$(dirname "$0")"

node=
command -v npm >/dev/null || node="nodejs npm"

export DEBIAN_FRONTEND=noninteractive
apt-get update
# nginx and HAProxy are started by the tests alone, never as services.
# shellcheck disable=SC2086
apt-get install -y --no-install-recommends \
	nginx-light haproxy \
	python3 python3-websockets python3-autobahn python3-twisted python3-aiohttp python3-tornado \
	perl libmojolicious-perl iproute2 $node
npm ci --prefix node --no-audit --no-fund
