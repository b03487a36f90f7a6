"""Asks a server once, from a socket that is not connected, and fails when the answer comes from elsewhere.
ask.py tftp|sip|osc ADDRESS PORT"""
import socket, sys

protocol, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(3)
sock.bind(("", 0))
sip = """OPTIONS sip:a@%s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:%d;branch=z9hG4bK1;rport\r\nFrom: <sip:b@192.0.2.1>;tag=1\r
To: <sip:a@%s>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"""
question = {
    "tftp": b"\0\1package.json\0octet\0",
    "sip": (sip % (address, sock.getsockname()[1], address)).encode(),
    "osc": b"/ping\0\0\0,i\0\0\0\0\0\7",
}[protocol]
expected = {"tftp": b"\0\3\0\1", "sip": b"SIP/2.0 200", "osc": b"/ping"}[protocol]
sock.sendto(question, (address, port))
answer, source = sock.recvfrom(2048)
assert source[0] == address, "the answer came from %s" % source[0]
assert answer.startswith(expected), answer
