"""A request from 198.51.100.9, which belongs behind rp2, comes in by rp0: what a strict reverse path filter drops."""
import socket, struct, subprocess

header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, socket.IPPROTO_UDP, 0,
                     socket.inet_aton("198.51.100.9"), socket.inet_aton("192.0.2.1"))
total = sum(struct.unpack("!10H", header))
total = (total & 0xFFFF) + (total >> 16)
header = header[:10] + struct.pack("!H", 0xFFFF - total) + header[12:]
mac = subprocess.check_output(["ip", "-br", "link", "show", "rp0"], text=True).split()[2].replace(":", "")
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("rp1", 0))
sock.send(bytes.fromhex(mac) + b"\2" * 6 + b"\x08\0" + header + struct.pack("!4H", 9, 9, 8, 0))
