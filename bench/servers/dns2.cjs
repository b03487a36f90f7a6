// The npm package dns2, as its documentation shows it. It opens its own node:dgram socket.
//
//   zone=FILE port=P
const { readFileSync } = require('node:fs');
const { createServer, Packet } = require('dns2');

const options = Object.fromEntries(process.argv.slice(2).map((word) => word.split('=')));
const TYPES = { A: 'address', AAAA: 'address', TXT: 'data' };

const zone = new Map();
for (const { name, type, data } of JSON.parse(readFileSync(options.zone, 'utf8'))) {
  const key = `${name} ${Packet.TYPE[type]}`;
  const record = { name, type: Packet.TYPE[type], class: Packet.CLASS.IN, ttl: 300, [TYPES[type]]: data };
  zone.set(key, [...(zone.get(key) ?? []), record]);
}

const server = createServer({
  udp: true,
  handle(request, send) {
    const response = Packet.createResponseFromRequest(request);
    const [{ name, type }] = request.questions;
    response.answers.push(...(zone.get(`${name} ${type}`) ?? []));
    send(response);
  },
});
// Of every client that went away before its answer came Bun says so (ECONNREFUSED), by an event or a failing send().
server.on('error', () => {});
process.on('unhandledRejection', () => {});
process.on('uncaughtException', (error) => {
  if (error.code !== 'ECONNREFUSED') throw error;
});
server.listen({ udp: { port: Number(options.port), address: '0.0.0.0' } });
process.stdin.on('end', () => process.exit(0)).resume();
