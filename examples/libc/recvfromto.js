/**
 * There is no recvfromto(2). If there were, this would be a server that answers from the address it was asked on: it
 * sends back what it hears. A DNS question comes back as an answer that knows nothing, which is all that dig needs.
 *
 *     node examples/libc/recvfromto.js [port]
 */
const { AF_INET6, SOCK_DGRAM, bind, getsockname, recvfromto, sendfromto, socket } = require('recvfromto/libc');

const fd = socket(AF_INET6, SOCK_DGRAM); // IPv6, and IPv4 as ::ffff:192.0.2.1
bind(fd, { address: '::', port: Number(process.argv[2] ?? 5300) });
console.log(`listening on port ${getsockname(fd).port}`);
for (;;) {
  const { msg, from, to, ifindex } = recvfromto(fd);
  console.log(`${from.address} asked ${to?.address} on interface ${ifindex}`);
  msg[2] |= 0x80; // QR: a response (RFC 1035 §4.1.1)
  sendfromto(fd, msg, { to: from, from: to });
}
