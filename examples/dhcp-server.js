/**
 * A DHCP server (RFC 2131) for several networks on one socket. What it needs and node:dgram does not tell is the interface
 * that a broadcast came in by, and what node:dgram cannot do is to answer through it, from the address on that network:
 * the client has no address yet, so routing cannot know where it is. Leases are kept in memory.
 *
 *     sudo node examples/dhcp-server.js eth0=192.0.2.100-149 eth1=198.51.100.100-149 203.0.113.1=203.0.113.100-149
 *
 * The last one is a network behind a relay, which has that address there.
 */
const { createSocket } = require('recvfromto');

const LEASE = 600; // seconds
const NETMASK = '255.255.255.0';

// RFC 2131 §2: where the fields of a message are
const [OP, FLAGS, CIADDR, YIADDR, SIADDR, GIADDR, CHADDR, COOKIE, OPTIONS] = [0, 10, 12, 16, 20, 24, 28, 236, 240];
const [BOOTREQUEST, BOOTREPLY, MAGIC, BROADCAST] = [1, 2, 0x63825363, 0x8000];
const [DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM] = [1, 2, 3, 4, 5, 6, 7, 8];
// RFC 2132
const [MASK, ROUTER, REQUESTED, TIME, TYPE, SERVER, END, PAD] = [1, 3, 50, 51, 53, 54, 255, 0];

const octets = (address) => Buffer.from(address.split('.').map(Number));
const text = (bytes) => [...bytes].join('.');
const NOBODY = '0.0.0.0';
const NAMES = new Map([
  [OFFER, 'offer'],
  [ACK, 'ack'],
  [NAK, 'nak'],
]);

/** By interface, or by the relay's address. */
const pools = new Map(process.argv.slice(2).map(pool));
/** By the client's hardware address. */
const leases = new Map();

function pool(argument) {
  const [, key, start, first, last = first] = /^(.+)=(\d+\.\d+\.\d+\.)(\d+)(?:-(\d+))?$/.exec(argument) ?? [];
  if (key === undefined) throw new Error(`${argument}: not like eth0=192.0.2.100-149`);
  const length = Number(last) - Number(first) + 1;
  return [key, Array.from({ length }, (_, i) => `${start}${Number(first) + i}`)];
}

const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (message, { destination, localAddress }) => {
  const request = parse(message);
  if (request === undefined || destination === undefined || localAddress === undefined) return;
  const addresses = pools.get(request.giaddr === NOBODY ? destination.interface : request.giaddr);
  if (addresses === undefined) return;
  const [type, address] = decide(request, addresses, localAddress);
  if (type === undefined) return;
  const reply = compose(message, type, address, localAddress);
  const to = whereTo(request, type);
  console.log(`${request.client} on ${destination.interface}: ${NAMES.get(type)} ${address} to ${to.address}`);
  socket.send(reply, {
    ...to,
    localAddress,
    interface: to.address === '255.255.255.255' ? destination.ifindex : undefined,
  });
});
socket.bind(67, () => {
  socket.setBroadcast(true);
  console.log(`listening on port ${socket.address().port}`);
});

/** undefined for what is no request, whatever its bytes are. */
function parse(message) {
  if (message.length < OPTIONS || message[OP] !== BOOTREQUEST || message.readUInt32BE(COOKIE) !== MAGIC)
    return undefined;
  const options = new Map();
  for (let at = OPTIONS; at < message.length && message[at] !== END; ) {
    if (message[at] === PAD) at += 1;
    else {
      const end = at + 2 + (message[at + 1] ?? 0);
      if (end > message.length) return undefined;
      options.set(message[at], message.subarray(at + 2, end));
      at = end;
    }
  }
  const type = options.get(TYPE);
  const addressOf = (option) => (options.get(option)?.length === 4 ? text(options.get(option)) : undefined);
  if (type?.length !== 1) return undefined;
  return {
    type: type[0],
    broadcast: (message.readUInt16BE(FLAGS) & BROADCAST) !== 0,
    ciaddr: text(message.subarray(CIADDR, CIADDR + 4)),
    giaddr: text(message.subarray(GIADDR, GIADDR + 4)),
    client: message.toString('hex', CHADDR, CHADDR + 6),
    requested: addressOf(REQUESTED),
    server: addressOf(SERVER),
  };
}

/** What to answer: a type of message and an address; nothing where silence is right. */
function decide({ type, client, requested, ciaddr, server }, addresses, localAddress) {
  const own = leases.get(client);
  if (type === RELEASE || type === DECLINE) leases.delete(client);
  if (type === DISCOVER) {
    const address = own !== undefined && addresses.includes(own.address) ? own.address : free(addresses, requested);
    if (address === undefined) return [];
    leases.set(client, { address, until: Date.now() + 60_000 });
    return [OFFER, address];
  }
  if (type === INFORM) return [ACK, NOBODY];
  if (type !== REQUEST) return [];
  if (server !== undefined && server !== localAddress) {
    leases.delete(client); // it has taken another server's offer
    return [];
  }
  const wanted = requested ?? ciaddr;
  if (own?.address !== wanted || !addresses.includes(wanted)) return [NAK, NOBODY];
  own.until = Date.now() + LEASE * 1000;
  return [ACK, wanted];
}

function free(addresses, requested) {
  for (const [client, { until }] of leases) if (until < Date.now()) leases.delete(client);
  const taken = new Set([...leases.values()].map(({ address }) => address));
  const left = addresses.filter((address) => !taken.has(address));
  return left.includes(requested) ? requested : left[0];
}

/**
 * RFC 2131 §4.1. A client without the broadcast flag would take a datagram to the address that it is about to get, but
 * nobody can send one by ARP to who has none; broadcasting is allowed then.
 */
function whereTo({ giaddr, ciaddr }, type) {
  if (giaddr !== NOBODY) return { port: 67, address: giaddr };
  if (ciaddr !== NOBODY && type !== NAK) return { port: 68, address: ciaddr };
  return { port: 68, address: '255.255.255.255' };
}

function compose(request, type, address, server) {
  const head = Buffer.alloc(OPTIONS);
  request.copy(head, 0, 0, COOKIE + 4); // hardware, transaction, flags, relay, client, cookie
  head.fill(0, CHADDR + 16, COOKIE); // neither a host nor a file to boot from
  head[OP] = BOOTREPLY;
  if (type === NAK) head.fill(0, CIADDR, CIADDR + 4);
  octets(address).copy(head, YIADDR);
  octets(NOBODY).copy(head, SIADDR);
  const options = [
    [TYPE, type],
    [SERVER, ...octets(server)],
  ];
  if (type !== NAK) options.push([MASK, ...octets(NETMASK)], [ROUTER, ...octets(server)]);
  if (type === OFFER || (type === ACK && address !== NOBODY)) options.push([TIME, 0, 0, LEASE >> 8, LEASE & 0xff]);
  const bytes = options.flatMap(([code, ...value]) => [code, value.length, ...value]);
  return Buffer.concat([head, Buffer.from([...bytes, END]), Buffer.alloc(60)]); // BOOTP's least is 300 bytes
}
