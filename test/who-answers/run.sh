#!/usr/bin/env bash
# Servers that Debian ships, bound to all addresses: which of them answer from the address that was asked?
# `npm run test:who-answers`, or this after a build. Writes docs/who-answers.md. Needs, on Debian and Ubuntu:
#   apt-get install iproute2 util-linux dnsmasq-base unbound bind9 chrony coturn snmpd tftpd-hpa freeradius
# and root. No service has to run: each program is started here, with files of its own, inside a network, a mount and a PID
# namespace, so that killing one process is the whole clean-up. Arguments choose programs: run.sh unbound chrony.
set -u
cd "$(dirname "$0")/../.."

suite=who-answers
. test/cannot.sh

[ "$(id -u)" = 0 ] || cannot "the servers want root"
for tool in ip nsenter unshare dpkg-query; do
  command -v "$tool" >/dev/null || cannot "$tool is missing"
done
[ -f dist/cli/main.js ] || cannot "dist/cli/main.js is missing; npm run build makes it"
namespaces=(--net --mount --pid --fork --kill-child --mount-proc)
reason=$(unshare "${namespaces[@]}" ip link set lo up 2>&1) || cannot "no namespaces (${reason//$'\n'/ })"

unshare "${namespaces[@]}" node -r ./test/e2e/netns/typescript.cjs test/who-answers/main.ts "$@" &
child=$!
# unshare blocks the gentle signals while it waits; SIGKILL reaches it, and --kill-child passes it on to the namespace.
trap 'kill -KILL "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 130' INT TERM HUP
wait "$child"
