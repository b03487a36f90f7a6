/**
 * A STUN server that can tell a client what kind of NAT it is behind (RFC 5389, RFC 5780, and RFC 3489 for old clients).
 * That takes two addresses and two ports, and answers from the address and the port that the client did not ask
 * (CHANGE-REQUEST). Two sockets are enough: each answers from either address.
 *
 *     node examples/stun-server.js 192.0.2.1 192.0.2.2 [port [other port]]
 */
const { createSocket } = require('recvfromto');

const addresses = process.argv.slice(2, 4);
const port = Number(process.argv[4] ?? 3478);
const ports = [port, Number(process.argv[5] ?? port + 1)];

const [BINDING_REQUEST, BINDING_RESPONSE] = [0x0001, 0x0101];
const COOKIE = 0x2112a442;
const [MAPPED, CHANGE_REQUEST, SOURCE, CHANGED, XOR_MAPPED] = [0x0001, 0x0003, 0x0004, 0x0005, 0x0020];
const [RESPONSE_ORIGIN, OTHER_ADDRESS] = [0x802b, 0x802c];
const [CHANGE_IP, CHANGE_PORT] = [4, 2];
const HEADER = 20;

const octets = (address) => Buffer.from(address.split('.').map(Number));

/** An address with its port, as most attributes have them; with `mask` hidden from NATs that rewrite what they know. */
function endpoint(type, address, number, mask = Buffer.alloc(4)) {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(type, 0);
  bytes.writeUInt16BE(8, 2);
  bytes[5] = 1; // IPv4
  bytes.writeUInt16BE(number ^ mask.readUInt16BE(), 6);
  octets(address).forEach((octet, i) => {
    bytes[8 + i] = octet ^ mask[i];
  });
  return bytes;
}

/** The flags of a CHANGE-REQUEST; undefined where the message is no binding request. */
function changes(request) {
  if (request.length < HEADER || request.readUInt16BE() !== BINDING_REQUEST) return undefined;
  if (request.readUInt16BE(2) !== request.length - HEADER) return undefined;
  let flags = 0;
  for (let at = HEADER; at + 4 <= request.length; at += 4 + ((request.readUInt16BE(at + 2) + 3) & ~3)) {
    const length = request.readUInt16BE(at + 2);
    if (at + 4 + length > request.length) return undefined;
    if (request.readUInt16BE(at) === CHANGE_REQUEST && length === 4) flags = request.readUInt32BE(at + 4);
  }
  return flags;
}

const sockets = ports.map((own, which) => {
  const socket = createSocket('udp4');
  socket.on('message', (request, { address, port: from, localAddress }) => {
    const flags = changes(request);
    const asked = addresses.indexOf(localAddress);
    if (flags === undefined || asked < 0) return;
    const answering = (flags & CHANGE_IP) === 0 ? asked : 1 - asked;
    const through = (flags & CHANGE_PORT) === 0 ? which : 1 - which;
    const modern = request.readUInt32BE(4) === COOKIE;
    const source = [addresses[answering], ports[through]];
    const other = [addresses[1 - asked], ports[1 - which]];
    const attributes = modern
      ? [
          endpoint(XOR_MAPPED, address, from, request.subarray(4, 8)),
          endpoint(MAPPED, address, from),
          endpoint(RESPONSE_ORIGIN, ...source),
          endpoint(OTHER_ADDRESS, ...other),
        ]
      : [endpoint(MAPPED, address, from), endpoint(SOURCE, ...source), endpoint(CHANGED, ...other)];
    const header = Buffer.from(request.subarray(0, HEADER)); // with its transaction
    header.writeUInt16BE(BINDING_RESPONSE);
    header.writeUInt16BE(12 * attributes.length, 2);
    const answer = Buffer.concat([header, ...attributes]);
    sockets[through].send(answer, { port: from, address, localAddress: addresses[answering] });
  });
  socket.bind(own);
  return socket;
});
sockets[1].once('listening', () =>
  console.log(`listening on ports ${ports.join(' and ')} of ${addresses.join(' and ')}`),
);
