/**
 * recvfromto.js with C's own calls: recvmsg, sendmsg, and a struct msghdr with control messages built by hand. IPv4, on
 * Linux, Android and macOS, which have IP_PKTINFO.
 *
 *     node examples/libc/by-hand.js [port]
 */
const libc = require('recvfromto/libc');
const { CMSG_DATA, CMSG_FIRSTHDR, CMSG_LEN, CMSG_NXTHDR, CMSG_SPACE, constants, structs } = libc;
const { AF_INET, IPPROTO_IP, IP_PKTINFO, MSG_CTRUNC, SOCK_DGRAM } = constants;
const { in_pktinfo, iovec, msghdr, sockaddr_in } = structs;

const fd = libc.socket(AF_INET, SOCK_DGRAM);
libc.setsockopt(fd, IPPROTO_IP, IP_PKTINFO, 1); // socket() has done so already
libc.bind(fd, new sockaddr_in({ sin_family: AF_INET, sin_port: Number(process.argv[2] ?? 5300), sin_addr: '0.0.0.0' }));
console.log(`listening on port ${libc.getsockname(fd).port}`);

const name = new sockaddr_in();
const buffer = Buffer.alloc(65535);
for (;;) {
  const control = Buffer.alloc(256);
  const request = new msghdr({ msg_name: name, msg_iov: [new iovec({ iov_base: buffer })], msg_control: control });
  const size = libc.recvmsg(fd, request);
  const asked = destination(request);
  console.log(`${name.sin_addr}:${name.sin_port} asked ${asked?.ipi_addr}, ${size} bytes`);
  buffer[2] |= 0x80; // QR: a response (RFC 1035 §4.1.1)
  libc.sendmsg(fd, answer(buffer.subarray(0, size), asked?.ipi_spec_dst));
}

/** The struct in_pktinfo that came with a datagram. */
function destination(request) {
  if (request.msg_flags & MSG_CTRUNC) return undefined; // no room for all of it
  for (let cmsg = CMSG_FIRSTHDR(request); cmsg !== null; cmsg = CMSG_NXTHDR(request, cmsg)) {
    if (cmsg.cmsg_level === IPPROTO_IP && cmsg.cmsg_type === IP_PKTINFO) return new in_pktinfo(CMSG_DATA(cmsg));
  }
  return undefined;
}

/** To the sender, from the address that was asked. macOS wants ipi_ifindex to be 0, and it is. */
function answer(payload, source) {
  const reply = new msghdr({ msg_name: name, msg_iov: [new iovec({ iov_base: payload })] });
  if (source === undefined) return reply;
  reply.msg_control = Buffer.alloc(CMSG_SPACE(in_pktinfo.size));
  const cmsg = CMSG_FIRSTHDR(reply);
  cmsg.cmsg_level = IPPROTO_IP;
  cmsg.cmsg_type = IP_PKTINFO;
  cmsg.cmsg_len = CMSG_LEN(in_pktinfo.size);
  const pktinfo = new in_pktinfo(CMSG_DATA(cmsg));
  pktinfo.ipi_spec_dst = source;
  return reply;
}
