/**
 * All kinds of traffic on the loopback, each datagram compared with what was sent: `node traffic.cjs [ms]`. Run under
 * checkers of memory and of system calls. Prints how many datagrams it has compared, and ends with 1 at the first that is
 * not as it should be. Nothing may be lost but whole datagrams: a full queue drops.
 */
const assert = require('node:assert');
const dgram = require('node:dgram');
const { once } = require('node:events');
const { createSocket } = require('recvfromto');

const MS = Number(process.argv[2] ?? 2000);
let state = Number(process.env.TRAFFIC_SEED ?? 1);
const below = (limit) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
};

/** A datagram that tells its own length and content: [length u16, seed u16, bytes that follow from seed]. */
function datagram(length) {
  const bytes = Buffer.allocUnsafe(Math.max(4, length));
  const seed = below(65536);
  bytes.writeUInt16LE(bytes.length, 0);
  bytes.writeUInt16LE(seed, 2);
  for (let i = 4; i < bytes.length; i++) bytes[i] = (seed + i * 7) & 0xff;
  return bytes;
}

function verify(msg, rinfo, cut) {
  const length = msg.readUInt16LE(0);
  const seed = msg.readUInt16LE(2);
  if (cut !== undefined && length > cut) assert.strictEqual(rinfo.truncated, true);
  else assert.strictEqual(msg.length, length);
  assert.strictEqual(rinfo.size, msg.length);
  for (let i = 4; i < msg.length; i++) if (msg[i] !== ((seed + i * 7) & 0xff)) assert.fail(`byte ${i} of ${length}`);
}

const SIZES = [4, 4, 5, 16, 63, 64, 65, 100, 512, 1200, 1400, 9000, 65000];
const counts = { datagrams: 0, truncated: 0, kinds: 0 };

/** One pair of sockets, one kind of traffic, for a while. */
async function exchange(kind, ms) {
  const { type = 'udp4', options = {}, clientOptions = {}, many, connected, plainClient } = kind;
  const address = type === 'udp4' || kind.mapped ? '127.0.0.1' : '::1';
  const server = createSocket({ type, ...options });
  const client = plainClient
    ? dgram.createSocket(type)
    : createSocket({ type: kind.mapped ? 'udp4' : type, ...clientOptions });
  server.bind(0);
  await once(server, 'listening');
  client.bind(0, address);
  await once(client, 'listening');
  const { port } = server.address();
  const mine = client.address().port;
  const expected = kind.mapped ? '::ffff:127.0.0.1' : address;
  const hear = (msg, rinfo) => {
    assert.deepStrictEqual([rinfo.address, rinfo.port], [expected, mine]);
    assert.strictEqual(rinfo.destination.port, port);
    assert.strictEqual(rinfo.localAddress, rinfo.destination.address);
    verify(msg, rinfo, options.maxDatagramSize);
    if (rinfo.truncated) counts.truncated++;
    counts.datagrams++;
    if (!rinfo.truncated) server.reply(msg, rinfo);
  };
  server.on(kind.messages ? 'messages' : 'message', (first, rinfo) => {
    if (!kind.messages) hear(first, rinfo);
    else for (const one of first) hear(one.msg, one.rinfo);
  });
  client.on('message', (msg, rinfo) => {
    assert.deepStrictEqual([rinfo.address, rinfo.port], [address, port]);
    verify(msg, rinfo);
    counts.datagrams++;
  });
  if (connected) {
    client.connect(port, address);
    await once(client, 'connect');
  }
  const until = Date.now() + ms;
  while (Date.now() < until) {
    const size = SIZES[below(SIZES.length)];
    const count = 1 + below(size > 5000 ? 4 : 60);
    const equal = below(2) === 0;
    const all = Array.from({ length: count }, () => datagram(equal ? size : 4 + below(size)));
    if (many) client.sendMany(all.map((msg) => (connected ? { msg } : { msg, port, address })));
    else for (const msg of all) connected ? client.send(msg) : client.send(msg, port, address);
    await new Promise((done) => setImmediate(done));
    if (below(20) === 0) globalThis.gc?.();
  }
  await new Promise((done) => setTimeout(done, 5));
  client.close();
  server.close();
  counts.kinds++;
}

const everything = { recvTTL: true, recvTOS: true, recvTimestamp: true, recvDrops: true };
const kinds = [
  {},
  { plainClient: true },
  { type: 'udp6' },
  { type: 'udp6', mapped: true },
  { type: 'udp6', options: everything },
  { options: { batch: 1 }, clientOptions: { batch: 3 } },
  { options: { batch: 1024, maxDatagramSize: 2048 }, many: true },
  { options: { maxDatagramSize: 100 } },
  { options: { gro: true }, many: true },
  { options: { gro: true, maxDatagramSize: 512, ...everything }, many: true, connected: true },
  { clientOptions: { gso: false }, many: true },
  { connected: true },
  { connected: true, plainClient: true },
  { options: { stickySource: true }, clientOptions: { stickySource: true } },
  { messages: true, many: true },
  { options: everything, messages: true },
];

(async () => {
  for (const kind of kinds) await exchange(kind, MS / kinds.length);
  console.log(JSON.stringify(counts));
})();
