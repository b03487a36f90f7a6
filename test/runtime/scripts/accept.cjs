// accept.cjs
// In whose async context an exception of accept() is told of. Prints it.
'use strict';
const { AsyncLocalStorage } = require('node:async_hooks');
const { join } = require('node:path');
const { createSocket } = require(join(process.env.RECVFROMTO_COMPILED, 'index.js'));

const store = new AsyncLocalStorage();
const accept = () => {
  throw new Error('accept');
};
const socket = store.run('the socket', () => createSocket({ type: 'udp4', accept }));
process.on('uncaughtException', ({ message }) => {
  console.log(`uncaught ${message} in the context of ${store.getStore()}`);
  socket.close();
});
socket.bind(0, '127.0.0.1', () => socket.send('x', socket.address().port, '127.0.0.1'));
