// quit.cjs <node:dgram, recvfromto or register> <port>
// Tells <port>, of 127.0.0.1, what it hears; `quit` ends the process from inside its listener.
'use strict';
const { join } = require('node:path');
const [, , library, port] = process.argv;
const folder = process.env.RECVFROMTO_COMPILED;
if (library === 'register') require(join(folder, 'register.js'));
const { createSocket } = library === 'recvfromto' ? require(join(folder, 'index.js')) : require('node:dgram');

const server = createSocket('udp4', (msg) => {
  if (String(msg) === 'quit') process.exit(0);
  server.send(`heard ${msg}`, Number(port), '127.0.0.1');
});
server.bind(0, '127.0.0.1', () => {
  // By libuv's own hands, in one go: all wait in the kernel when the server looks.
  const client = require('node:dgram').createSocket('udp4');
  client.connect(server.address().port, '127.0.0.1', () => {
    for (const text of ['1', '2', '3', 'quit']) client.send(text);
  });
});
