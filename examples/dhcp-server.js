/**
 * What a DHCP server needs and node:dgram does not tell: the interface that a broadcast came in by. One socket serves
 * all networks of this host, each with addresses of its own. Offers only; leases and their times are left out.
 *
 *     sudo node examples/dhcp-server.js eth0=192.0.2.100 eth1=198.51.100.100
 */
const { createSocket } = require('recvfromto');

const offers = new Map(process.argv.slice(2).map((pair) => pair.split('=')));
const [OP, XID, YIADDR, SIADDR, CHADDR, COOKIE, OPTIONS] = [0, 4, 16, 20, 28, 236, 240]; // RFC 2131 §2
const [BOOTREQUEST, BOOTREPLY, DISCOVER, OFFER] = [1, 2, 1, 2];
const MESSAGE_TYPE = 53;
const octets = (address) => Buffer.from(address.split('.').map(Number));

const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (request, { destination, localAddress }) => {
  const offered = offers.get(destination?.interface);
  if (offered === undefined || localAddress === undefined || !isDiscover(request)) return;
  const offer = Buffer.alloc(OPTIONS + 4);
  request.copy(offer, 0, 0, COOKIE + 4); // hardware type, transaction, flags, client's hardware address, magic cookie
  offer[OP] = BOOTREPLY;
  octets(offered).copy(offer, YIADDR);
  octets(localAddress).copy(offer, SIADDR); // the server's address on the client's network
  offer.set([MESSAGE_TYPE, 1, OFFER, 255], OPTIONS);
  console.log(`${request.toString('hex', CHADDR, CHADDR + 6)} on ${destination.interface}: ${offered}`);
  // The client has no address yet. Routing cannot know on which of our networks it is; the interface says it.
  socket.send(offer, { port: 68, address: '255.255.255.255', localAddress, interface: destination.ifindex });
});
socket.bind(67, () => {
  socket.setBroadcast(true);
  console.log(`listening on port ${socket.address().port}`);
});

function isDiscover(message) {
  if (message.length < OPTIONS + 3 || message[OP] !== BOOTREQUEST || message.readUInt32BE(XID) === 0) return false;
  for (let at = OPTIONS; at + 2 < message.length && message[at] !== 255; at += 2 + message[at + 1]) {
    if (message[at] === MESSAGE_TYPE) return message[at + 2] === DISCOVER;
  }
  return false;
}
