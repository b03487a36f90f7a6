# One DHCP server on two networks, with a relay's behind one of them. udhcpc gets an address on each, renews it and gives
# it back; what it does not do (the other flag of its kind, a relay, somebody else's address) python3 does.
#   client-a ── server ── client-b
. "$(dirname "$0")/hosts.sh"
host server; host a; host b
cable server s0 192.0.2.1/24 a a0 0.0.0.0/32
cable server s1 198.51.100.1/24 b b0 0.0.0.0/32
on server ip addr add 198.51.100.7/24 dev s1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat > "$work/script" <<'SH'
#!/bin/sh
case $1 in
deconfig) ip addr flush dev "$interface"; ip link set "$interface" up ;;
bound) ip addr add "$ip/$subnet" dev "$interface" ;;
esac
[ "$1" = deconfig ] || echo "$interface $1 $ip/$subnet router $router lease $lease server $serverid"
SH
chmod +x "$work/script"
serve server examples/dhcp-server.js s0=192.0.2.100-101 s1=198.51.100.100-101 203.0.113.1=203.0.113.100
for flags in '' -B; do
  for name in a b; do
    on "$name" udhcpc -i "${name}0" -s "$work/script" -n -q -f $flags 2>/dev/null
  done
done
# Renewed by unicast, with the address in use; then given back
on b sh -c 'udhcpc -i b0 -s "$0" -n -f -R > "$1" 2>&1 & pid=$!
  until grep -q bound "$1"; do sleep 0.05; done
  kill -USR1 $pid; until grep -q "^b0 renew" "$1"; do sleep 0.05; done; grep "^b0 renew" "$1"
  kill -TERM $pid; wait $pid || true' "$work/script" "$work/log"
on b ip addr add 198.51.100.50/24 dev b0
on b python3 - <<'PY'
import json, socket
MAGIC = bytes.fromhex("63825363")
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(5)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"b0")
sock.bind(("", 68))
def message(options, ciaddr="0.0.0.0", giaddr="0.0.0.0", client="020000000001", flags="8000"):
    return (bytes.fromhex("01010600 12345678 0000" + flags) + socket.inet_aton(ciaddr) + bytes(8) + socket.inet_aton(giaddr)
            + bytes.fromhex(client) + bytes(10 + 192) + MAGIC + bytes.fromhex(options) + b"\xff")
def show(case, answer):
    data, source = answer
    address = lambda at: socket.inet_ntoa(data[at:at + 4])
    print(json.dumps({"case": case, "type": data[242], "xid": data[4:8].hex(), "client": data[28:34].hex(),
                      "yours": address(16), "from": list(source)}))
hex_of = lambda address: socket.inet_aton(address).hex()
# Nothing comes of what is no request, or is cut, or chose another server
for junk in (b"", b"\x01", message("3501"), message("350103" + "3604" + hex_of("198.51.100.99"))):
    sock.sendto(junk, ("255.255.255.255", 67))
sock.sendto(message("350103" + "3204" + hex_of("198.51.100.77")), ("255.255.255.255", 67))
show("an address of nobody's", sock.recvfrom(999))
sock.sendto(message("350101", client="020000000002", flags="0000"), ("255.255.255.255", 67))
show("without the broadcast flag", sock.recvfrom(999))
PY
# A relay's address is where the answer goes: it has to be one of that host's
on b ip addr add 203.0.113.1/32 dev lo
on server ip route add 203.0.113.1 via 198.51.100.50
on b python3 - <<'PY'
import json, socket
relay = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
relay.settimeout(5)
relay.bind(("203.0.113.1", 67))
header = bytes.fromhex("01010600 12345678 00000000") + bytes(12) + socket.inet_aton("203.0.113.1")
relay.sendto(header + bytes.fromhex("020000000003") + bytes(10 + 192) + bytes.fromhex("63825363 350101 ff"), ("198.51.100.7", 67))
data, source = relay.recvfrom(999)
print(json.dumps({"case": "a relay", "type": data[242], "yours": socket.inet_ntoa(data[16:20]), "from": list(source)}))
PY
