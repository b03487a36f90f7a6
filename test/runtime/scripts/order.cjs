// order.cjs <node:dgram or recvfromto>
// What runs between two messages, also where a listener throws. Prints it, and how ours hands batches over.
'use strict';
const { AsyncLocalStorage } = require('node:async_hooks');
const { join } = require('node:path');
const folder = process.env.RECVFROMTO_COMPILED;
const ours = process.argv[2] === 'recvfromto';
const { createSocket } = ours ? require(join(folder, 'index.js')) : require('node:dgram');

const MESSAGES = 4;
const log = [];
const store = new AsyncLocalStorage();
const socket = store.run('the socket', () => createSocket('udp4'));
const say = (text) => () => log.push(text);
process.on('uncaughtException', ({ message }) => log.push(`uncaught ${message} in the context of ${store.getStore()}`));
process.on('unhandledRejection', ({ message }) => log.push(`unhandled ${message}`));

socket.on('message', (msg) => {
  log.push(String(msg));
  process.nextTick(() => Promise.resolve().then(say(`promise of tick ${msg}`)));
  queueMicrotask(() => process.nextTick(say(`tick of microtask ${msg}`)));
  if (String(msg) === '0') Promise.reject(new Error('rejection'));
  if (String(msg) === '1') throw new Error('exception');
  if (String(msg) === String(MESSAGES - 1)) setTimeout(end, 20);
});

function end() {
  console.log(log.join('\n'));
  if (ours)
    console.log(require(join(folder, 'socket/in/ticks.js')).runTicks === undefined ? 'a turn each' : 'one turn');
  socket.close();
}

socket.bind(0, '127.0.0.1', () => {
  for (let i = 0; i < MESSAGES; i++) socket.send(String(i), socket.address().port, '127.0.0.1');
});
