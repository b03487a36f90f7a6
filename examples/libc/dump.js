/**
 * What a datagram carries: every control message that comes with one, byte by byte and field by field.
 *
 *     node examples/libc/dump.js [port]
 */
const libc = require('recvfromto/libc');
const { CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, constants: c, structs } = libc;

/** By level and type: the struct that the payload is. Others are numbers. */
const payloads = new Map();
const declare = (level, type, struct) => {
  if (type !== undefined && Object.hasOwn(structs, struct)) payloads.set(`${level}:${type}`, structs[struct]);
};
declare(c.IPPROTO_IP, c.IP_PKTINFO, 'in_pktinfo');
declare(c.IPPROTO_IPV6, c.IPV6_PKTINFO, 'in6_pktinfo');
declare(c.SOL_SOCKET, c.SCM_TIMESTAMPNS, 'timespec');
declare(c.SOL_SOCKET, c.SCM_TIMESTAMP, 'timeval');
declare(c.IPPROTO_IP, c.IP_RECVIF, 'sockaddr_dl');

const fd = libc.socket(c.AF_INET6, c.SOCK_DGRAM);
for (const [level, names] of [
  [c.IPPROTO_IP, ['IP_RECVTTL', 'IP_RECVTOS']],
  [c.IPPROTO_IPV6, ['IPV6_RECVHOPLIMIT', 'IPV6_RECVTCLASS']],
  [c.SOL_SOCKET, ['SO_TIMESTAMPNS', 'SO_TIMESTAMP', 'SO_RXQ_OVFL']],
]) {
  for (const name of names) {
    if (c[name] === undefined) continue; // this OS has no such option
    try {
      libc.setsockopt(fd, level, c[name], 1);
    } catch (error) {
      console.log(`${name}: ${error.message}`);
    }
  }
}
libc.bind(fd, { port: Number(process.argv[2] ?? 5300) });
console.log(`listening on port ${libc.getsockname(fd).port}`);

for (;;) {
  const msg = new structs.msghdr({
    msg_name: new structs.sockaddr_in6(),
    msg_iov: new structs.iovec({ iov_base: Buffer.alloc(64) }),
    msg_control: Buffer.alloc(512),
  });
  libc.recvmsg(fd, msg);
  console.log(msg);
  for (let cmsg = CMSG_FIRSTHDR(msg); cmsg !== null; cmsg = CMSG_NXTHDR(msg, cmsg)) {
    const data = CMSG_DATA(cmsg);
    const Payload = payloads.get(`${cmsg.cmsg_level}:${cmsg.cmsg_type}`);
    console.log(
      cmsg,
      data,
      Payload === undefined ? Number(data.readIntLE(0, Math.min(4, data.length))) : new Payload(data),
    );
  }
}
