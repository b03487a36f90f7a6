// refused.cjs: asks an echo server a hundred times, fifty at once, with system calls that strace refuses.
// Prints what came back, and what Syscalls has found out.
'use strict';
const { join } = require('node:path');
const { createSocket } = require(join(process.env.RECVFROMTO_COMPILED, 'index.js'));
const { openHost } = require(join(process.env.RECVFROMTO_COMPILED, 'ffi/index.js'));

const errors = [];
const server = createSocket('udp4', (msg, rinfo) => server.reply(msg, rinfo));
const client = createSocket('udp4');
for (const socket of [server, client]) socket.on('error', ({ code }) => errors.push(code));

server.bind(0, () => {
  const { port } = server.address();
  const heard = new Set();
  const from = new Set();
  const ask = () => {
    for (let i = 0; i < 50; i++) client.send(`${heard.size + i}`, port, '127.0.0.2');
  };
  client.on('message', (msg, rinfo) => {
    heard.add(String(msg));
    from.add(rinfo.address);
    if (heard.size === 50) ask();
    if (heard.size < 100) return;
    server.close();
    client.close();
    const refused = [...openHost().syscalls.refused].sort();
    console.log(JSON.stringify({ heard: heard.size, from: [...from], errors, refused }));
  });
  ask();
});
