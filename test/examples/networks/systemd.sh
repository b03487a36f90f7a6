# A server that systemd-socket-activate starts with the first datagram, which is answered as well. Asked on each address.
. "$(dirname "$0")/hosts.sh"
host server; host client
cable server s0 192.0.2.1/24 client c0 192.0.2.9/24
on server sh -c 'ip addr add 192.0.2.7/24 dev s0; for a in 2001:db8:a::1/64 2001:db8:a::7/64; do ip -6 addr add $a dev s0 nodad; done
  echo 1 > /proc/sys/net/ipv6/bindv6only' # as BindIPv6Only=ipv6-only of the unit
on client ip -6 addr add 2001:db8:a::9/64 dev c0 nodad
exec {log}< <(on server systemd-socket-activate --datagram -l 0.0.0.0:7 -l '[::]:7' node examples/systemd/server.js 2>&1)
read -r line <&"$log"; while [[ $line != *'Listening on [::]:7'* ]]; do read -r line <&"$log"; done
on client python3 - <<'PY'
import socket
for address in ("192.0.2.7", "192.0.2.1", "2001:db8:a::7", "2001:db8:a::1"):
    client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(10)
    client.sendto(b"hello", (address, 7))
    answer, source = client.recvfrom(99)
    print(address, answer.decode(), source[0])
PY
