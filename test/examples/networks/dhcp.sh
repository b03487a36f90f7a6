# One DHCP server on two networks; a client without an address on each.
#   client-a ── server ── client-b
. "$(dirname "$0")/hosts.sh"
host server; host a; host b
cable server s0 192.0.2.1/24 a a0 0.0.0.0/32
cable server s1 198.51.100.1/24 b b0 0.0.0.0/32
serve server examples/dhcp-server.js s0=192.0.2.100 s1=198.51.100.100
for name in a b; do
  on "$name" python3 - "${name}0" <<'PY'
import json, socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(3)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, sys.argv[1].encode())
sock.bind(("", 68))
header = bytes.fromhex("01010600 12345678 00008000") + bytes(16) + bytes.fromhex("020000000001") + bytes(10 + 192)
for options in ("350103ff", "350101ff"):  # a DHCPREQUEST, which the example leaves out, and a DHCPDISCOVER
    sock.sendto(header + bytes.fromhex("63825363" + options), ("255.255.255.255", 67))
offer, source = sock.recvfrom(999)
address = lambda at: socket.inet_ntoa(offer[at:at + 4])
print(json.dumps({"op": offer[0], "type": offer[242], "xid": offer[4:8].hex(), "client": offer[28:34].hex(),
                  "yours": address(16), "server": address(20), "from": list(source)}))
PY
done
