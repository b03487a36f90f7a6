// Under Wine: answers on all addresses with the built package, by two sockets (createServer) and by a dual-stack one.
// Every answer is what the server knows of the request; the client compares it with where the answer came from.
'use strict';
const { existsSync, writeSync } = require('node:fs');
const { join } = require('node:path');
const { createServer, createSocket } = require('../../dist/index.js');
const shim = require('./wine-sendmsg-shim.cjs');

const GROUP = '239.77.0.1';
const INTERFACE = '10.77.0.1';

function answer(socket) {
  socket.on('message', (msg, rinfo) => {
    const { destination, localAddress } = rinfo;
    const text = JSON.stringify({ asked: String(msg), destination: destination?.address, localAddress });
    socket.reply(text, rinfo, (error) => error && writeSync(1, `${error.stack}\n`));
  });
  socket.on('error', (error) => writeSync(1, `${error.stack}\n`));
}

const server = createServer();
const dual = createSocket('udp6');
answer(server);
answer(dual);
server.listen(5300, () => {
  const ipv4 = server.sockets.find(({ type }) => type === 'udp4');
  ipv4.addMembership(GROUP, INTERFACE);
  dual.bind(5301, '::', () => writeSync(1, 'listening\n'));
});

const poll = setInterval(() => {
  if (!existsSync(join(__dirname, '../../stop'))) return;
  clearInterval(poll);
  server.close();
  dual.close();
  // What the shim read in our bytes that Windows would not take
  writeSync(1, `${shim.calls.length} calls of WSASendMsg, complaints: ${JSON.stringify(shim.strictErrors)}\n`);
  process.exitCode = shim.installed && shim.strictErrors.length === 0 ? 0 : 1;
}, 100);
