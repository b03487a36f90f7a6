// endings.cjs <node:dgram, recvfromto or register> <connected or unconnected> <port> <ending>
// Says its last words, and ends in one of the ways in which a process can.
'use strict';
const { join } = require('node:path');
const [, , library, kind, port, ending] = process.argv;
const folder = process.env.RECVFROMTO_COMPILED;
if (library === 'register') require(join(folder, 'register.js'));
const { createSocket } = library === 'recvfromto' ? require(join(folder, 'index.js')) : require('node:dgram');

const to = kind === 'connected' ? [] : [Number(port), '127.0.0.1'];
const socket = createSocket('udp4');

function speak() {
  socket.send('last', ...to);
  socket.send(Buffer.from('words'), ...to, () => {});
}

const endings = {
  exit() {
    speak();
    process.exit(0);
  },
  'an exit listener'() {
    process.on('exit', speak);
    process.exit(0);
  },
  'an exit listener after the natural end'() {
    process.on('exit', speak);
    socket.unref();
  },
  'a beforeExit listener'() {
    process.once('beforeExit', speak);
    socket.unref();
  },
  throw() {
    speak();
    throw new Error('nobody catches this');
  },
  'an unhandled rejection'() {
    speak();
    Promise.reject(new Error('nobody handles this'));
  },
  'an uncaughtException listener'() {
    process.on('uncaughtException', () => {
      speak();
      process.exit(1);
    });
    throw new Error('caught');
  },
  'a SIGTERM listener'() {
    process.on('SIGTERM', () => {
      speak();
      process.exit(0);
    });
    process.kill(process.pid, 'SIGTERM');
  },
  SIGTERM() {
    speak();
    process.kill(process.pid, 'SIGTERM');
  },
  SIGKILL() {
    speak();
    process.kill(process.pid, 'SIGKILL');
  },
  abort() {
    speak();
    process.abort();
  },
  'a long busy turn'() {
    speak();
    for (const until = Date.now() + 50; Date.now() < until; );
    process.kill(process.pid, 'SIGKILL');
  },
  close() {
    speak();
    socket.close();
  },
  'the natural end'() {
    speak();
    socket.unref();
  },
};

function begin() {
  // In a turn of its own: what a listener of 'connect' or 'listening' leaves behind must not help.
  setImmediate(endings[ending]);
}

socket.bind(0, '127.0.0.1', () => {
  if (kind === 'connected') socket.connect(Number(port), '127.0.0.1', begin);
  else begin();
});
