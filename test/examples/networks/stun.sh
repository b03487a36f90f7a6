# A STUN server with two addresses, asked by stun-client (RFC 3489) without a NAT and behind one, and by python3 as
# RFC 5780 has it: who answers whom from where?
#   server ── router (NAT) ── client
. "$(dirname "$0")/hosts.sh"
host server; host router; host client
cable server s0 192.0.2.1/24 router r0 192.0.2.254/24
cable router r1 10.0.0.254/24 client c0 10.0.0.9/24
on server ip addr add 192.0.2.2/24 dev s0
on server ip route add 10.0.0.0/24 via 192.0.2.254
on client ip route add default via 10.0.0.254
serve server examples/stun-server.js 192.0.2.1 192.0.2.2
case $1 in
none) on client timeout 20 stun 192.0.2.2 2>&1 | grep '^Primary' || true ;;
nat)
  # A port for each client, and nothing gets in from where nothing went.
  on router nft -f - <<'NFT'
table ip nat {
  chain out {
    type nat hook postrouting priority srcnat; policy accept
    oifname "r0" masquerade
  }
}
table ip filter {
  chain in {
    type filter hook forward priority filter; policy accept
    iifname "r0" ct state new drop
  }
}
NFT
  on client timeout 25 stun 192.0.2.1 2>&1 | grep '^Primary' || true ;;
attributes)
for address in 192.0.2.1 192.0.2.2; do for number in 3478 3479; do
  on client python3 - "$address" "$number" <<'PY'
import json, os, socket, struct, sys
COOKIE = 0x2112A442
asked = (sys.argv[1], int(sys.argv[2]))
def endpoint(value, mask=bytes(4)):
    port = struct.unpack("!H", value[2:4])[0] ^ struct.unpack("!H", mask[:2])[0]
    return ["%d.%d.%d.%d" % tuple(a ^ b for a, b in zip(value[4:8], mask)), port]
for flags in (0, 2, 4, 6):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    transaction = struct.pack("!I", COOKIE) + os.urandom(12)
    sock.sendto(struct.pack("!HH", 1, 8) + transaction + struct.pack("!HHI", 3, 4, flags), asked)
    answer, source = sock.recvfrom(999)
    assert answer[:2] == b"\x01\x01" and answer[4:20] == transaction
    at, attributes = 20, {}
    while at < len(answer):
        kind, length = struct.unpack("!HH", answer[at:at + 4])
        attributes[kind] = answer[at + 4:at + 4 + length]
        at += 4 + (length + 3 & ~3)
    mapped = endpoint(attributes[0x20], transaction[:4])
    assert mapped[1] == sock.getsockname()[1] and endpoint(attributes[1]) == mapped
    assert endpoint(attributes[0x802b]) == list(source)
    other = endpoint(attributes[0x802c])
    print(json.dumps({"asked": list(asked), "change": flags, "from": list(source), "other": other, "mapped": mapped[0]}))
PY
done; done ;;
esac
