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
address client c0 2001:db8:1::1/64; address router r0 2001:db8:1::2/64
address router r1 2001:db8:a::1/64; address a a0 2001:db8:a::2/64
address router r2 2001:db8:b::1/64; address b b0 2001:db8:b::2/64
on router sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
on client ip route add default via 192.0.2.2; on client ip route add default via 2001:db8:1::2
on a ip route add default via 198.51.100.1; on a ip route add default via 2001:db8:a::1
on b ip route add default via 203.0.113.1; on b ip route add default via 2001:db8:b::1
on router sh -c 'echo 1 > /proc/sys/net/ipv4/fib_multipath_hash_policy'
on router sh -c 'echo 1 > /proc/sys/net/ipv6/fib_multipath_hash_policy'

bird_on() { # NAME CONFIGURATION
  cp "$here/$2" "$work/$1.conf"
  # where a and b differ
  sed -i "s/@ADDRESS@/${3:-}/g; s/@ROUTER@/${4:-}/g; s/@ADDRESS6@/${5:-}/g; s/@ROUTER6@/${6:-}/g; s/@AS@/${7:-}/g" "$work/$1.conf"
  on "$1" bird -c "$work/$1.conf" -s "$work/$1.ctl" -P "$work/$1.pid"
}
bird_on router bird/router.conf
bird_on a bird/server.conf 198.51.100.2 198.51.100.1 2001:db8:a::2 2001:db8:a::1 65001
bird_on b bird/server.conf 203.0.113.2 203.0.113.1 2001:db8:b::2 2001:db8:b::1 65002

# Announced while it runs: what systemd's ExecStartPost= and ExecStopPost= do.
serve_announced() {
  serve_named "$1"
  address "$1" lo 192.0.2.53/32 2001:db8::53/128
  {
    while kill -0 "${process[$1]}" 2>/dev/null; do sleep 0.05; done
    on "$1" ip addr del 192.0.2.53/32 dev lo; on "$1" ip addr del 2001:db8::53/128 dev lo
  } 2>/dev/null &
}
hops() { on router ip "-$1" route show "$2" | grep -o 'via [0-9a-f:.]*' | sort | tr -d '\n'; }
routes() { [ "$(hops 4 192.0.2.53)" = "$1" ] && [ "$(hops 6 2001:db8::53)" = "$2" ]; }
both=('via 198.51.100.2via 203.0.113.2' 'via 2001:db8:a::2via 2001:db8:b::2')

program=test/deployment/plain.js
serve_announced a
until_true 20 routes 'via 198.51.100.2' 'via 2001:db8:a::2'
ask 192.0.2.53 5300 --count 5
ask 2001:db8::53 5300 --count 5
stop a
until_true 20 routes '' ''

program=examples/anycast.js
serve_announced a; serve_announced b
until_true 20 routes "${both[@]}"
out4=$(mktemp) out6=$(mktemp)
until_only() {
  asking "$out4" 192.0.2.53 5300 --before a --before b --until "$1"
  asking "$out6" 2001:db8::53 5300 --before a --before b --until "$1"
}
until_only b
stop a
finished "$out4"; finished "$out6"

serve_announced a
until_true 20 routes "${both[@]}"
until_only a
# The whole host freezes; its cables stay up, so that only BFD can tell.
kill -STOP "$(cat "$work/b.pid")" "${process[b]}"
on b nft 'add table netdev ice; add chain netdev ice in { type filter hook ingress device b0 priority 0; policy drop; }'
finished "$out4"; finished "$out6"
