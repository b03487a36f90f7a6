// ES modules, CommonJS and register in one process have one copy of everything.
import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { createRequire } from 'node:module';
import * as namespace from 'recvfromto';
import fallback, { createSocket, Socket } from 'recvfromto';
import 'recvfromto/register';

const required = createRequire(import.meta.url)('recvfromto');
assert.equal(fallback, required);
assert.equal(required.default, required);
assert.equal(namespace.createSocket, createSocket);
assert.equal(required.Socket, Socket);
// What one socket has heard, another knows to answer, whoever made them.
const server = dgram.createSocket('udp4');
const other = createSocket({ type: 'udp4', stickySource: true });
const client = dgram.createSocket('udp4');
server.on('message', (msg, { port, address }) => other.send(msg, port, address));
client.on('message', (_msg, { address }) => {
  console.log(`one copy, answered from ${address}`);
  for (const socket of [server, other, client]) socket.close();
});
server.bind(0, () => client.send('hello', server.address().port, '127.0.0.2'));
