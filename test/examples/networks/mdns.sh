# A responder with two addresses on one network, and a neighbour.
. "$(dirname "$0")/hosts.sh"
host server; host neighbour
cable server s0 192.0.2.1/24 neighbour n0 192.0.2.9/24
on server ip addr add 192.0.2.2/24 dev s0
on server ip route add 224.0.0.0/4 dev s0
on neighbour ip route add 224.0.0.0/4 dev n0
serve server examples/mdns-responder.js here.local
on neighbour python3 - <<'PY'
import json, socket, struct
GROUP = "224.0.0.251"
query = bytes.fromhex("000700000001000000000000") + b"\x04here\x05local\x00" + bytes.fromhex("00010001")
def opened(port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", port))
    return sock
def ask(sock, to):
    sock.sendto(query, (to, 5353))
    try:
        while True:
            answer, source = sock.recvfrom(999)
            if answer[2] & 0x80:  # not our own query, which the group brings back
                return {"from": source[0], "data": socket.inet_ntoa(answer[-4:]), "id": answer[1]}
    except TimeoutError:
        return None
full = opened(5353)
full.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("192.0.2.9"))
print(json.dumps({"group": ask(full, GROUP), "legacy": ask(opened(0), GROUP), "unicast": ask(opened(0), "192.0.2.1")}))
PY
