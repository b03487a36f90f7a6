#!/usr/bin/env bash
# `npm run test:deployment`: servers on more than one machine, made of network namespaces. Needs root and, from Debian or
# Ubuntu, the packages below, which it installs where they are missing. Options are Jest's: -t ECMP
set -u
cd "$(dirname "$0")/../.."
PACKAGES='iproute2 util-linux procps python3 nftables bird2 keepalived dnsdist'

suite=test:deployment
. test/cannot.sh

[ "$(id -u)" = 0 ] || cannot 'not root: BIRD and keepalived want to be'
[ -f dist/index.js ] || cannot 'dist/index.js is missing; npm run build makes it'
absent() { for tool in ip nsenter unshare pkill python3 nft bird keepalived dnsdist; do command -v "$tool" >/dev/null || echo "$tool"; done; }
if [ -n "$(absent)" ]; then
  command -v apt-get >/dev/null || cannot "missing: $(absent | tr '\n' ' '), and no apt-get"
  log=$(mktemp)
  apt-get update -qq || true # one index out of many may be behind; the next line tells
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $PACKAGES >"$log" 2>&1 ||
    { tail -5 "$log" >&2; cannot "apt-get install $PACKAGES failed"; }
fi
[ -z "$(absent)" ] || cannot "missing: $(absent | tr '\n' ' ')"

rules='table netdev t { chain c { type filter hook ingress device lo priority 0; ether daddr set 02:00:00:00:00:01 fwd to lo; }; }'
reason=$(unshare --net --pid --mount --fork --kill-child --mount-proc sh -c "ip link set lo up && echo '$rules' | nft -f -" 2>&1) ||
  cannot "this kernel says: ${reason//$'\n'/ }"

exec node_modules/.bin/jest --config test/deployment/jest.config.js --runInBand "$@"
