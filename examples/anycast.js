/**
 * One address on many hosts; equal-cost routes lead each client to one of them. Every host has the anycast address on
 * `lo` beside its own, and answers from whichever was asked: from the anycast address for the service, from its own for
 * whoever wants to know how this very host is.
 *
 *     ip addr add 192.0.2.53/32 dev lo
 *     node examples/anycast.js 5300 host-a
 */
const { hostname } = require('node:os');
const { createServer } = require('recvfromto');

const [port = '5300', name = hostname()] = process.argv.slice(2);

const server = createServer((_msg, rinfo) => server.reply(`${name} as ${rinfo.localAddress}`, rinfo));
server.listen(Number(port), () => console.log(`listening on port ${server.address().port}`));
