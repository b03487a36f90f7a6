"""Asks a server on each of some addresses, and tells where the answers came from and which address they came to."""
import json, socket, sys

SOL_IP, IP_PKTINFO = 0, 8  # <linux/in.h>
answers = []
for address in sys.argv[2:]:
    v6 = ":" in address
    client = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(5)
    if v6:
        client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
    else:
        client.setsockopt(SOL_IP, IP_PKTINFO, 1)
    client.sendto(b"hi \x01" + address.encode(), (address, int(sys.argv[1])))
    data, control, flags, source = client.recvmsg(512, 256)
    assert data[3:] == b"\x01" + address.encode() and data[2] == 0x80 | ord(" ") and flags == 0, (data, flags)
    (_, _, info), = control
    to = socket.inet_ntop(socket.AF_INET6, info[:16]) if v6 else socket.inet_ntoa(info[8:12])
    answers.append({"asked": address, "from": source[0], "port": source[1], "to": to})
print(json.dumps(answers))
