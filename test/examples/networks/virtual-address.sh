# Direct server return. Requests to the virtual address come by the balancer; answers go straight to the client:
#   client ── balancer ── server
#      └────────────────────┘
. "$(dirname "$0")/hosts.sh"
host client; host balancer; host server
cable client c0 192.0.2.1/24 balancer b0 192.0.2.2/24
cable balancer b1 198.51.100.2/24 server s0 198.51.100.3/24
cable client c1 203.0.113.1/24 server s1 203.0.113.3/24
on server ip addr add 192.0.2.10/32 dev lo
on client ip route add 192.0.2.10 via 192.0.2.2
on balancer ip route add 192.0.2.10 via 198.51.100.3
on server ip route add 192.0.2.1 via 203.0.113.1
serve server examples/virtual-address.js 5300 192.0.2.10
on client python3 - <<'PY'
import json, socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(3)
sock.bind(("192.0.2.1", 0))
sock.connect(("192.0.2.10", 5300))
sock.send(b"hello")
print(json.dumps({"answer": sock.recv(99).decode()}))
PY
# What the balancer has forwarded: the request, and no answer.
on balancer sh -c "grep ^Ip: /proc/net/snmp | tail -1 | cut -d' ' -f7"
