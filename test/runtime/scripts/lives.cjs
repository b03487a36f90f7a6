// lives.cjs dgram|ours bind|query N: so many lives of a socket, one after the other. A query is answered by a node:dgram socket.
'use strict';
const dgram = require('node:dgram');
const { join } = require('node:path');
const [whose, what, n] = process.argv.slice(2);
const { createSocket } = whose === 'dgram' ? dgram : require(join(process.env.RECVFROMTO_COMPILED, 'index.js'));

const server = dgram.createSocket('udp4', (msg, { port, address }) => server.send(msg, port, address));

function bindAndClose(then) {
  const socket = createSocket({ type: 'udp4' });
  socket.bind(0, '127.0.0.1', () => socket.close(then));
}

function query(then) {
  const socket = createSocket({ type: 'udp4' });
  socket.on('message', () => socket.close(then));
  socket.send('question', server.address().port, '127.0.0.1');
}

const one = what === 'bind' ? bindAndClose : query;
function next(left) {
  if (left > 0) one(() => next(left - 1));
  else server.close();
}
server.bind(0, '127.0.0.1', () => next(Number(n)));
