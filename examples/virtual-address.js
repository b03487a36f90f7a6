/**
 * A server behind a load balancer that uses direct server return: requests to a virtual address come by the balancer,
 * answers go straight to the client, so they have to carry the virtual address as their source. It is on `lo`:
 *
 *     ip addr add 192.0.2.10/32 dev lo           # and arp_ignore=1, so that only the balancer answers ARP for it
 *     node examples/virtual-address.js 5300 192.0.2.10
 */
const { createSocket } = require('recvfromto');

const [port = '5300', ...virtual] = process.argv.slice(2);
const family = virtual[0]?.includes(':') ? 'udp6' : 'udp4';

// Bound to all addresses, so that it survives their coming and going; it serves the virtual ones only.
const socket = createSocket({ type: family, ...(virtual.length > 0 && { accept: { destinations: virtual } }) });
socket.on('message', (msg, rinfo) => socket.reply(`${rinfo.localAddress}: ${msg}`, rinfo));
socket.bind(Number(port), () => console.log(`listening on port ${socket.address().port}`));
