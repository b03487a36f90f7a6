const dgram = require('node:dgram');
const before = dgram.createSocket;
const { uninstall } = require('recvfromto/register');
const socket = dgram.createSocket('udp4', (msg, { port, address }) => socket.send(msg, port, address));
socket.bind(0, async () => {
  uninstall();
  uninstall();
  const { createSocket, Socket } = await import('node:dgram');
  if (dgram.createSocket !== before || createSocket !== dgram.createSocket) throw new Error('not undone');
  if ('stats' in new Socket('udp4') || !('stats' in socket)) throw new Error('not undone');
  console.log(socket.address().port);
});
process.stdin.on('end', () => process.exit()).resume();
