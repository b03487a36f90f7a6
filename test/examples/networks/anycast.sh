# One address on two hosts, behind equal-cost routes.
#   client ── router ──┬── a
#                      └── b
. "$(dirname "$0")/hosts.sh"
host client; host router; host a; host b
cable client c0 192.0.2.1/28 router r0 192.0.2.2/28
cable router r1 198.51.100.1/24 a a0 198.51.100.2/24
cable router r2 203.0.113.1/24 b b0 203.0.113.2/24
on client ip route add default via 192.0.2.2
on a ip route add default via 198.51.100.1
on b ip route add default via 203.0.113.1
for name in a b; do on "$name" ip addr add 192.0.2.53/32 dev lo; done
on router sh -c 'echo 1 > /proc/sys/net/ipv4/fib_multipath_hash_policy' # by ports too, not by addresses alone
on router ip route add 192.0.2.53/32 nexthop via 198.51.100.2 nexthop via 203.0.113.2
serve a examples/anycast.js 5300 host-a
serve b examples/anycast.js 5300 host-b
on client python3 - <<'PY'
import json, socket
def ask(address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(3)
    sock.connect((address, 5300))
    sock.send(b"who?")
    return sock.recv(99).decode()
print(json.dumps({
    "anycast": sorted({ask("192.0.2.53") for _ in range(64)}),
    "own": [ask("198.51.100.2"), ask("203.0.113.2")],
}))
PY
