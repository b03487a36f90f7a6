// As discv5 imports it; with all other ways beside it.

import * as namespace from 'node:dgram';
// biome-ignore lint/style/useNodejsImportProtocol: as older programs spell it
import dgram, { createSocket, Socket } from 'dgram';

const dynamic = await import('node:dgram');
for (const seen of [namespace.createSocket, dgram.createSocket, dynamic.createSocket, dynamic.default.createSocket]) {
  if (seen !== createSocket) throw new Error('two functions named createSocket');
}
const socket = namespace.createSocket({ type: 'udp4' });
if (!(socket instanceof Socket) || Socket !== namespace.Socket) throw new Error('no Socket');
socket.on('message', (msg, { port, address }) => socket.send(msg, port, address));
socket.bind(0, () => console.log(socket.address().port));
process.stdin.on('end', () => process.exit()).resume();
