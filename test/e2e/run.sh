#!/usr/bin/env bash
# End-to-end tests in network namespaces: `npm run test:e2e`, or `bash test/e2e/run.sh` after a build.
# Needs, on Debian and Ubuntu:
#   apt-get install iproute2 util-linux bind9-dnsutils knot-dnsutils tcpdump python3 strace nftables
# and either root or user namespaces. Everything runs inside a network and a PID namespace of its own, so that killing
# one process is the whole clean-up: the kernel ends the rest and takes the interfaces away with them.
set -u
cd "$(dirname "$0")/../.."

suite=test:e2e
. test/cannot.sh

missing=
for tool in ip nsenter unshare dig kdig tcpdump python3 strace; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -z "$missing" ] || cannot "missing:$missing (see the packages at the top of test/e2e/run.sh)"
[ -f dist/index.js ] || cannot "dist/index.js is missing; npm run build makes it"

# Unprivileged, the user stays itself and holds its capabilities as ambient ones: mapped to root (unshare -r), tcpdump
# would try to become another user, which a user namespace forbids.
namespaces=(--net --pid --fork --kill-child)
[ "$(id -u)" = 0 ] || namespaces+=(--user --map-current-user --keep-caps)
reason=$(unshare "${namespaces[@]}" ip link set lo up 2>&1) ||
  cannot "neither root nor user namespaces (${reason//$'\n'/ }). Run it with sudo, or allow user namespaces:
  sysctl -w kernel.unprivileged_userns_clone=1 kernel.apparmor_restrict_unprivileged_userns=0"

# In the background, because a shell that waits for a child in the foreground hears no signal.
run() {
  unshare "${namespaces[@]}" "$@" &
  child=$!
  # unshare blocks the gentle signals while it waits; SIGKILL reaches it, and --kill-child passes it on to the namespace.
  trap 'kill -KILL "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 130' INT TERM HUP
  wait "$child"
}

failed=0
run node -r ./test/e2e/netns/typescript.cjs test/e2e/netns/main.ts "$@" || failed=1
# What a datagram carries, between hosts (docs/carried.md). What a test lacks on this machine it says itself.
run node_modules/.bin/jest --config test/e2e/carried/jest.config.js --runInBand || failed=1
exit $failed
