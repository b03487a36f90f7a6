// A name server as one writes it with the npm package dns-packet: the same handler on node:dgram, recvfromto and Bun.
//
//   module=dgram|recvfromto   answer=reply|send   own=0   runtime=bun (Bun.udpSocket)   zone=FILE port=P
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { AUTHORITATIVE_ANSWER, decode, encode, RECURSION_DESIRED } from 'dns-packet';

const options = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=')));
const port = Number(options.port);
const NXDOMAIN = 3;

const zone = new Map();
for (const { name, type, data } of JSON.parse(readFileSync(options.zone, 'utf8'))) {
  const key = `${name} ${type}`;
  zone.set(key, [...(zone.get(key) ?? []), { name, type, ttl: 300, data }]);
}

function answerTo(msg) {
  const { id, flags, questions } = decode(msg);
  const [{ name, type }] = questions;
  const answers = zone.get(`${name} ${type}`) ?? [];
  const rcode = answers.length > 0 ? 0 : NXDOMAIN;
  const said = AUTHORITATIVE_ANSWER | (flags & RECURSION_DESIRED) | rcode;
  return encode({ type: 'response', id, flags: said, questions, answers });
}

async function listen() {
  if (options.runtime === 'bun') {
    const data = (socket, msg, peerPort, peer) => socket.send(answerTo(msg), peerPort, peer);
    return Bun.udpSocket({ hostname: '0.0.0.0', port, socket: { data, error() {} } });
  }
  const name = options.module === 'dgram' ? 'node:dgram' : process.env.RECVFROMTO_DIST;
  const { createSocket } = (await import(name)).default;
  const socket = createSocket({ type: 'udp4', ...(options.own === '0' ? { ownBuffers: false } : {}) });
  if (options.answer === 'reply') socket.on('message', (msg, rinfo) => socket.reply(answerTo(msg), rinfo));
  else socket.on('message', (msg, rinfo) => socket.send(answerTo(msg), rinfo.port, rinfo.address));
  return new Promise((resolve) => socket.bind(port, '0.0.0.0', resolve));
}

await listen();
process.stdin.on('end', () => process.exit(0)).resume();
