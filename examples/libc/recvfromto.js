/**
 * There is no recvfromto(2). If there were, this would be a UDP server that answers from the address it was asked on:
 *
 *     node examples/libc/recvfromto.js [port]
 */
const { AF_INET6, SOCK_DGRAM, bind, getsockname, recvfromto, sendfromto, socket } = require('recvfromto/libc');

const fd = socket(AF_INET6, SOCK_DGRAM); // IPv6, and IPv4 as ::ffff:192.0.2.1
bind(fd, { address: '::', port: Number(process.argv[2] ?? 5300) });
console.log(`listening on port ${getsockname(fd).port}`);
for (;;) {
  const { msg, from, to, ifindex } = recvfromto(fd);
  console.log(`${from.address} asked ${to.address} on interface ${ifindex}`);
  sendfromto(fd, msg, { to: from, from: to });
}
