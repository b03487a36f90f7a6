"""
Asks, as real clients do, and tells all that came back. Independent of Node and of our code.

Reads jobs from standard input, one JSON object a line: id, family, port, asks (to, data in hex), and optionally connect,
bind (address or null, port), device (interface), reply (hex, sent back to the asked address and the port of the answer).
All are asked at once; whatever arrives in `patience` seconds is written: id and answers (from, data), one line a job.
A connected socket hears only the address that it has asked: that is how a resolver or a game client sees a server.
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
        if index:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if index:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, job["device"].encode())
    if "bind" in job:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((job["bind"][0], job["bind"][1]))
    for one in job["asks"]:
        peer = (one["to"], job["port"], 0, index) if job["family"] == 6 else (one["to"], job["port"])
        if job.get("connect"):
            sock.connect(peer)
            sock.send(bytes.fromhex(one["data"]))
        else:
            sock.sendto(bytes.fromhex(one["data"]), peer)
    return sock


def hear(job, sock, answers):
    try:
        data, source = sock.recvfrom(65535)
    except OSError as error:  # a port that nobody listens on says so to a connected socket
        answers.append({"from": None, "data": "", "error": str(error)})
        return
    answers.append({"from": source[0].split("%")[0], "data": data.hex()})
    if "reply" in job and len(answers) == 1:
        sock.sendto(bytes.fromhex(job["reply"]), (job["asks"][0]["to"], *source[1:]))


def main():
    patience = float(sys.argv[1])
    jobs = [json.loads(line) for line in sys.stdin if line.strip()]
    answers = {job["id"]: [] for job in jobs}
    waiting = selectors.DefaultSelector()
    for job in jobs:
        waiting.register(ask(job), selectors.EVENT_READ, job)
    end = time.monotonic() + patience
    while (left := end - time.monotonic()) > 0:
        for key, _ in waiting.select(left):
            hear(key.data, key.fileobj, answers[key.data["id"]])
    for job in jobs:
        print(json.dumps({"id": job["id"], "answers": answers[job["id"]]}), flush=True)


main()
