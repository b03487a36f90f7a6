/**
 * A multicast DNS responder (RFC 6762) for one name. It hears what is sent to the group and nothing else: with SO_REUSEADDR
 * and a wildcard address the kernel would hand it unicast datagrams, and those to groups that others have joined, as well.
 *
 *     npm install dns-packet
 *     node examples/mdns-responder.js myhost.local
 *     dig @224.0.0.251 -p 5353 myhost.local     # on another host of this network
 */
const { createSocket } = require('recvfromto');
const packet = require('dns-packet');

const GROUP = '224.0.0.251';
const PORT = 5353;
const name = process.argv[2] ?? 'recvfromto.local';

const socket = createSocket({ type: 'udp4', reuseAddr: true, accept: { destinations: [GROUP] } });
socket.on('message', (msg, rinfo) => {
  let query;
  try {
    query = packet.decode(msg);
  } catch {
    return; // not DNS
  }
  const asked = query.type === 'query' && query.questions.some((q) => q.name === name && q.type === 'A');
  if (!asked || rinfo.localAddress === undefined) return;
  // This host's address on the network that the question came from
  const answers = [{ name, type: 'A', ttl: 120, flush: true, data: rinfo.localAddress }];
  // §6.7: who does not ask from 5353 is no full mDNS host, and wants a plain answer
  if (rinfo.port !== PORT) {
    socket.reply(packet.encode({ type: 'response', id: query.id, questions: query.questions, answers }), rinfo);
    return;
  }
  const { ifindex } = rinfo.destination;
  socket.send(packet.encode({ type: 'response', answers }), { port: PORT, address: GROUP, interface: ifindex });
});
socket.bind(PORT, () => {
  socket.addMembership(GROUP);
  socket.setMulticastTTL(255);
  console.log(`${name}, listening on port ${PORT}`);
});
