// exit.cjs <folder of the built package> <early|exit|unref|close|throw>
// A process that ends while datagrams arrive at four of its sockets. Says "ended" in its 'exit' listener.
'use strict';
const path = require('node:path');
const { createSocket } = require(path.resolve(process.argv[2]));
const how = process.argv[3];

const sockets = Array.from({ length: 4 }, () => {
  const socket = createSocket('udp4', (msg, rinfo) => socket.reply(msg, rinfo));
  return socket.bind(0, '0.0.0.0');
});
const sender = createSocket('udp4', () => {});
const all = [...sockets, sender];
const start = Date.now();
const length = 30 + Math.random() * 40;

process.on('exit', () => {
  for (const socket of sockets) if (how !== 'close') sender.send('late', socket.address().port, '127.0.0.3');
  console.log('ended');
});

const endings = {
  exit: () => process.exit(0),
  throw: () => {
    throw new Error('on purpose');
  },
  unref: () => {
    for (const socket of all) socket.unref();
  },
  close: () => {
    for (const socket of all) socket.close();
  },
};

function pump() {
  for (const socket of sockets) for (let i = 0; i < 8; i++) sender.send('x', socket.address().port, '127.0.0.2');
  if (how === 'early') process.exit(0);
  if (Date.now() - start > length) endings[how]();
  else setImmediate(pump);
}
sockets[3].once('listening', pump);
