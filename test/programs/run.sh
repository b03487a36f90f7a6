#!/usr/bin/env bash
# Unmodified npm packages under recvfromto/register: `npm run test:programs`, or `bash test/programs/run.sh` after a build.
# Needs, on Debian and Ubuntu:
#   apt-get install iproute2 util-linux python3 nftables
# and root. Installs the packages beside this file, without their scripts. Runs inside a network and a PID namespace of
# its own, so that killing one process is the whole clean-up.
set -u
cd "$(dirname "$0")/../.."

suite=test:programs
. test/cannot.sh

missing=
for tool in ip nsenter unshare python3 nft; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -z "$missing" ] || cannot "missing:$missing (see the packages at the top of test/programs/run.sh)"
[ -f dist/register.js ] || cannot "dist/register.js is missing; npm run build makes it"

# Installed once, and again when the list changes.
if ! cmp -s test/programs/package.json test/programs/node_modules/.installed; then
  npm install --prefix test/programs --ignore-scripts --omit=optional --no-package-lock --no-audit --no-fund --silent ||
    cannot "the packages could not be installed"
  cp test/programs/package.json test/programs/node_modules/.installed
fi

namespaces=(--net --pid --fork --kill-child)
[ "$(id -u)" = 0 ] || namespaces+=(--user --map-current-user --keep-caps)
reason=$(unshare "${namespaces[@]}" ip link set lo up 2>&1) || cannot "neither root nor user namespaces (${reason//$'\n'/ })"
reason=$(unshare "${namespaces[@]}" sh -c 'echo "table inet t { chain c { type filter hook input priority 0; ct state established accept; }; }" | nft -f -' 2>&1) ||
  cannot "no connection tracking in this kernel (${reason//$'\n'/ })"

unshare "${namespaces[@]}" node -r ./test/e2e/netns/typescript.cjs test/programs/main.ts "$@" &
child=$!
# unshare blocks the gentle signals while it waits; SIGKILL reaches it, and --kill-child passes it on to the namespace.
trap 'kill -KILL "$child" 2>/dev/null; wait "$child" 2>/dev/null; exit 130' INT TERM HUP
wait "$child"
