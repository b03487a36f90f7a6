# A router that answers for everybody: the client asks addresses that nobody has, and is answered from them.
#   client ── router
. "$(dirname "$0")/hosts.sh"
host router; host client
cable router r0 192.0.2.1/24 client c0 192.0.2.9/24
on router ip -6 addr add 2001:db8:a::1/64 dev r0 nodad
on client sh -c 'ip -6 addr add 2001:db8:a::9/64 dev c0 nodad; ip route add default via 192.0.2.1; ip -6 route add default via 2001:db8:a::1'
on router nft -f - <<'NFT'
table inet divert {
  chain in {
    type filter hook prerouting priority mangle; policy accept
    iifname "r0" meta l4proto udp tproxy to :5300 meta mark set 1 accept
  }
}
NFT
for v in -4 -6; do on router ip $v rule add fwmark 1 lookup 100; on router ip $v route add local default dev lo table 100; done
serve router examples/libc/tproxy.js 5300
on client python3 - <<'PY'
import socket
for address, port in (("198.51.100.5", 777), ("203.0.113.9", 53), ("192.0.2.1", 4), ("2001:db8:ffff::5", 777), ("2001:db8:a::1", 4)):
    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(5)
    client.sendto(b"hello", (address, port))
    answer, source = client.recvfrom(99)
    print(address, port, answer.decode(), *source[:2])
PY
