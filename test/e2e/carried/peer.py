"""
A host of its own that is not ours: Python on both families of one port. Prints a line of JSON for each datagram, with what
its IP header said, and sends what it is told on standard input: {"to": [address, port], "data": "x", "ttl": 4, "tos": 2,
"count": 3, "from": address}. "echo": true answers everything from where it was asked, with b"!" behind it.
"""
import json
import selectors
import socket
import struct
import sys

PORT = int(sys.argv[1])
DEVICE = sys.argv[2] if len(sys.argv) > 2 else None
IP_PKTINFO = 8
echo = False
select = selectors.DefaultSelector()
sockets = {}


def listen(family):
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    if DEVICE is not None:
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, DEVICE.encode())
    if family == socket.AF_INET:
        for option in (IP_PKTINFO, socket.IP_RECVTOS, 12):  # IP_RECVTTL
            udp.setsockopt(socket.IPPROTO_IP, option, 1)
    else:
        udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.IPV6_RECVPKTINFO, socket.IPV6_RECVTCLASS, socket.IPV6_RECVHOPLIMIT):
            udp.setsockopt(socket.IPPROTO_IPV6, option, 1)
    udp.bind(("", PORT))
    sockets[family] = udp
    select.register(udp, selectors.EVENT_READ, receive)


def pktinfo(family, address):
    packed = socket.inet_pton(family, address)
    if family == socket.AF_INET:
        return (socket.IPPROTO_IP, IP_PKTINFO, struct.pack("=I4s4s", 0, packed, packed))
    return (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, struct.pack("=16sI", packed, 0))


def receive(udp):
    data, control, _, source = udp.recvmsg(65535, 512)
    seen = {"from": source[0], "port": source[1], "size": len(data), "data": data[:64].decode("latin1")}
    for level, kind, value in control:
        if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
            seen["to"] = socket.inet_ntop(socket.AF_INET, value[8:12])
        elif (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            seen["to"] = socket.inet_ntop(socket.AF_INET6, value[:16])
        elif (level, kind) in ((socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)):
            seen["ttl"] = int.from_bytes(value[:4], sys.byteorder)
        elif (level, kind) in ((socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)):
            seen["tos"] = value[0]
    print(json.dumps(seen), flush=True)
    if echo:
        udp.sendmsg([data + b"!"], [pktinfo(udp.family, seen["to"])], 0, source)


def command(stream):
    global echo
    line = stream.readline()
    if line == "":
        sys.exit(0)
    order = json.loads(line)
    echo = order.get("echo", echo)
    if "to" not in order:
        return
    address, port = order["to"]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    level, ttl, tos = (
        (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, socket.IPV6_TCLASS)
        if family == socket.AF_INET6
        else (socket.IPPROTO_IP, socket.IP_TTL, socket.IP_TOS)
    )
    udp = sockets[family]
    udp.setsockopt(level, ttl, order.get("ttl", 64))
    udp.setsockopt(level, tos, order.get("tos", 0))
    control = [pktinfo(family, order["from"])] if "from" in order else []
    for _ in range(order.get("count", 1)):
        udp.sendmsg([order["data"].encode("latin1")], control, 0, (address, port))
    print(json.dumps({"sent": order.get("count", 1)}), flush=True)


for each in (socket.AF_INET, socket.AF_INET6):
    listen(each)
select.register(sys.stdin, selectors.EVENT_READ, command)
print(json.dumps({"listening": PORT}), flush=True)
while True:
    for key, _ in select.select():
        key.data(key.fileobj)
