"""
Asks, as real clients do, and tells what came back. Independent of Node and of our code.

Reads jobs from standard input, one JSON object a line: id, mode, family, to, port, text, patience (seconds), and
optionally device (interface to send from) and bind (local address). All are asked at once. Writes one JSON object a
job: id, port (ours), and answer, from (what the answer said and the address it came from) or answer null.

mode "connected": connect() + send() + recv(). The kernel drops answers from any other address, so a wrong source is
no answer at all: that is how a resolver or a game client sees it. mode "unconnected": sendto() + recvfrom(), which
hears everybody. mode "send": asks and does not wait.
"""
import json
import selectors
import socket
import sys
import time


def ask(job):
    family = socket.AF_INET6 if job["family"] == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    index = socket.if_nametoindex(job["device"]) if "device" in job else 0
    if family == socket.AF_INET6:
        peer = (job["to"], job["port"], 0, index)
        if index:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    else:
        peer = (job["to"], job["port"])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if index:
            # 255.255.255.255 has no route of its own; this says which cable is meant, for multicast too.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, job["device"].encode())
    if "bind" in job:
        sock.bind((job["bind"], 0))
    if job["mode"] == "connected":
        sock.connect(peer)
        sock.send(job["text"].encode())
    else:
        sock.sendto(job["text"].encode(), peer)
    return sock


def tell(job, sock, answer=None, source=None):
    print(json.dumps({"id": job["id"], "port": sock.getsockname()[1], "answer": answer, "from": source}), flush=True)


def main():
    jobs = [json.loads(line) for line in sys.stdin if line.strip()]
    waiting = selectors.DefaultSelector()
    sockets = []  # held until the end: a port must not serve two jobs
    for job in jobs:
        sock = ask(job)
        sockets.append(sock)
        if job["mode"] == "send":
            tell(job, sock)
        else:
            waiting.register(sock, selectors.EVENT_READ, (job, time.monotonic() + job["patience"]))
    while waiting.get_map():
        now = time.monotonic()
        for key in list(waiting.get_map().values()):
            if key.data[1] <= now:
                waiting.unregister(key.fileobj)
                tell(key.data[0], key.fileobj)
        if not waiting.get_map():
            break
        soonest = min(key.data[1] for key in waiting.get_map().values())
        for key, _ in waiting.select(max(0.0, soonest - now)):
            answer, source = key.fileobj.recvfrom(2048)
            waiting.unregister(key.fileobj)
            tell(key.data[0], key.fileobj, answer.decode(), source[0].split("%")[0])


main()
