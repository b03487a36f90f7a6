#!/usr/bin/env bash
# `npm run test:docs`: runs the snippets and commands of README, CONTRIBUTING and docs/ (main.ts, page.ts), and checks that
# docs/reference.md is what the types say. Options: names of pages.
# Needs, on Debian and Ubuntu:
#   apt-get install iproute2 util-linux bind9-dnsutils python3 systemd nftables
# and root or user namespaces. Installs the package from its tarball, and what the snippets need, beside this file.
set -u
cd "$(dirname "$0")/../.."

suite=test:docs
. test/cannot.sh

missing=
for tool in ip nstat unshare dig python3 nft systemd-analyze systemd-socket-activate; do command -v "$tool" >/dev/null || missing="$missing $tool"; done
[ -z "$missing" ] || cannot "missing:$missing (see the packages at the top of test/docs/run.sh)"
[ -f dist/index.js ] || cannot "dist/index.js is missing; npm run build makes it"

# The list's own packages once, and again when it changes; ours each time.
here=test/docs
if ! cmp -s $here/package.json $here/node_modules/.installed; then
  npm install --prefix $here --ignore-scripts --no-package-lock --no-audit --no-fund --silent || cannot 'the packages could not be installed'
  cp $here/package.json $here/node_modules/.installed
fi
tarball=$(npm pack --silent --ignore-scripts --pack-destination $here) || cannot 'npm pack failed'
npm install --prefix $here --ignore-scripts --no-package-lock --no-save --no-audit --no-fund --silent "./$here/$tarball" ||
  cannot 'the tarball could not be installed'
rm -f "$here/$tarball"

namespaces=(--net --pid --mount --fork --kill-child --mount-proc)
[ "$(id -u)" = 0 ] || namespaces+=(--user --map-root-user)
reason=$(unshare "${namespaces[@]}" ip link set lo up 2>&1) || cannot "neither root nor user namespaces (${reason//$'\n'/ })"
failed=0
unshare "${namespaces[@]}" node -r ./test/e2e/netns/typescript.cjs $here/main.ts "$PWD/$here/node_modules" "$@" || failed=1
node scripts/reference.js --check || failed=1
exit $failed
