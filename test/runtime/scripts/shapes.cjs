// node --allow-natives-syntax shapes.cjs
// Prints how many of 100 sockets, and of their states, have another hidden class than the one before: made by
// createSocket(), and with new.
'use strict';
const { join } = require('node:path');
const { Socket, createSocket } = require(join(process.env.RECVFROMTO_COMPILED, 'index.js'));

const haveSameMap = new Function('a', 'b', 'return %HaveSameMap(a, b)');
const stateOf = (socket) =>
  socket[Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')];

function others(make) {
  const sockets = Array.from({ length: 110 }, make).slice(10); // V8 settles on a shape after a few
  const states = sockets.map(stateOf);
  let count = 0;
  for (const all of [sockets, states]) {
    for (let i = 1; i < all.length; i++) if (!haveSameMap(all[i - 1], all[i])) count++;
  }
  for (const socket of sockets) socket.close();
  return count;
}

console.log(
  others(() => createSocket('udp4')),
  others(() => new Socket('udp4')),
);
