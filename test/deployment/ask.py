#!/usr/bin/env python3
"""A client that asks one address again and again, from a new port each time, until it has seen enough.

    ask.py ADDRESS PORT [--before NAME]... [--until NAME]... [--dns] [--count N] [--seconds S]

Answers are the server's name and what it was asked as ("host-a as 192.0.2.53"); with --dns, an A record. Without --until
it asks --count times. With it, until the last 30 answers came from exactly these names. Prints one line of JSON: every
source that was seen, how many answers each name gave, what was lost, and the longest time without an answer. The sockets
are not connected, so that an answer from a wrong address is seen and not dropped. When all of --before have answered, it
says so by a line on standard error, "answered", and only then looks for --until.
"""
import argparse, json, random, socket, struct, sys, time

arguments = argparse.ArgumentParser()
arguments.add_argument("address")
arguments.add_argument("port", type=int)
arguments.add_argument("--before", action="append", default=[])
arguments.add_argument("--until", action="append", default=[])
arguments.add_argument("--count", type=int, default=64)
arguments.add_argument("--seconds", type=float, default=30)
arguments.add_argument("--dns", action="store_true")
arguments = arguments.parse_args()
IN_A_ROW = 30
WAIT = 0.15

def question(number):
    if not arguments.dns:
        return b"who? %d" % number
    name = b"".join(bytes([len(part)]) + part for part in (b"q%d" % number, b"test")) + b"\0"
    return struct.pack("!6H", number, 0x0100, 1, 0, 0, 0) + name + struct.pack("!2H", 1, 1)

def name_in(answer):
    if not arguments.dns:
        return answer.decode()
    if answer[3] & 15:
        return "rcode %d" % (answer[3] & 15)
    return socket.inet_ntoa(answer[-4:])

family = socket.AF_INET6 if ":" in arguments.address else socket.AF_INET
names, sources, recent = {}, set(), []
missing = set(arguments.before) or {None}  # None: whoever it is
asked = lost = 0
begin = last = time.monotonic()
gap = 0.0

def enough():
    if not arguments.until:
        return asked >= arguments.count
    return not missing and len(recent) == IN_A_ROW and {name.split(" as ")[0] for name in recent} == set(arguments.until)

while not enough():
    now = time.monotonic()
    if now - begin > arguments.seconds:
        print("not enough after %g s" % arguments.seconds, file=sys.stderr)
        break
    asked += 1
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(WAIT)
        try:
            sock.sendto(question(asked & 0xFFFF), (arguments.address, arguments.port))
            answer, source = sock.recvfrom(2048)
        except (socket.timeout, OSError):
            lost += 1
            recent.clear()
            time.sleep(max(0, now + WAIT - time.monotonic()))  # also after an error at once, such as ENETUNREACH
            continue
    name = name_in(answer)
    if missing:
        missing -= {None, name.split(" as ")[0]}
        if not missing:
            print("answered", file=sys.stderr, flush=True)
            recent.clear()
    gap = max(gap, time.monotonic() - last)
    last = time.monotonic()
    sources.add("%s port %d" % (source[0], source[1]))
    names[name] = names.get(name, 0) + 1
    recent = (recent + [name])[-IN_A_ROW:]
    time.sleep(random.uniform(0.002, 0.01))

print(json.dumps({
    "sources": sorted(sources), "names": dict(sorted(names.items())), "last": sorted(set(recent)),
    "asked": asked, "lost": lost, "gap_ms": round(gap * 1000), "enough": enough(),
}))
