"""
Bounded load: `load.py ADDRESS PORT COUNT WINDOW` asks COUNT times over one connected socket, at most WINDOW at once,
and writes {"answered": n, "seconds": s}. A second without any answer ends it: what is missing was lost.
"""
import json
import select
import socket
import sys
import time

address, port, count, window = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((address, port))
sock.setblocking(False)
sent = answered = 0
begun = time.monotonic()
while answered < count:
    while sent < count and sent - answered < window:
        sock.send(b"load %d" % sent)
        sent += 1
    if not select.select([sock], [], [], 1.0)[0]:
        break
    try:
        while True:
            sock.recv(2048)
            answered += 1
    except BlockingIOError:
        pass
print(json.dumps({"answered": answered, "seconds": time.monotonic() - begun}))
