# ECMP with BIRD: two servers announce one address by BGP while their program runs; the router deals clients out by
# their ports (fib_multipath_hash_policy=1). First a program dies, then comes back, then a whole host freezes.
#   client ── router ──┬── a
#                      └── b
. "$(dirname "$0")/../hosts.sh"
work=$(mktemp -d)
host client; host router; host a; host b
cable client c0 192.0.2.1/28 router r0 192.0.2.2/28
cable router r1 198.51.100.1/24 a a0 198.51.100.2/24
cable router r2 203.0.113.1/24 b b0 203.0.113.2/24
on client ip route add default via 192.0.2.2
on a ip route add default via 198.51.100.1
on b ip route add default via 203.0.113.1
on router sh -c 'echo 1 > /proc/sys/net/ipv4/fib_multipath_hash_policy'

bird_on() { # NAME CONFIGURATION
  cp "$here/$2" "$work/$1.conf"
  # where a and b differ
  sed -i "s/@ADDRESS@/${3:-}/g; s/@ROUTER@/${4:-}/g; s/@AS@/${5:-}/g" "$work/$1.conf"
  on "$1" bird -c "$work/$1.conf" -s "$work/$1.ctl" -P "$work/$1.pid"
}
bird_on router bird/router.conf
bird_on a bird/server.conf 198.51.100.2 198.51.100.1 65001
bird_on b bird/server.conf 203.0.113.2 203.0.113.1 65002

# Announced while it runs: what systemd's ExecStartPost= and ExecStopPost= do.
serve_announced() {
  serve_named "$1"
  on "$1" ip addr add 192.0.2.53/32 dev lo
  { while kill -0 "${process[$1]}" 2>/dev/null; do sleep 0.05; done; on "$1" ip addr del 192.0.2.53/32 dev lo || true; } &
}
routes() { [ "$(on router ip route show 192.0.2.53 | grep -o 'via [0-9.]*' | sort | tr -d '\n')" = "$1" ]; }
program=test/deployment/plain.js
serve_announced a
until_true 20 routes 'via 198.51.100.2'
ask 192.0.2.53 5300 --count 5
stop a
until_true 20 routes ''

program=examples/anycast.js
serve_announced a; serve_announced b
until_true 20 routes 'via 198.51.100.2via 203.0.113.2'

out=$(mktemp)
asking "$out" 192.0.2.53 5300 --before a --before b --until b
stop a
finished "$out"
serve_announced a
until_true 20 routes 'via 198.51.100.2via 203.0.113.2'
asking "$out" 192.0.2.53 5300 --before a --before b --until a
# The whole host freezes; its cables stay up, so that only BFD can tell.
kill -STOP "$(cat "$work/b.pid")" "${process[b]}"
on b nft 'add table netdev ice; add chain netdev ice in { type filter hook ingress device b0 priority 0; policy drop; }'
finished "$out"
