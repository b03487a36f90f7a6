// contexts.cjs <how to wait: promise, timer or callback> <order of the answers: oldest or newest>
// A server as programs write them, after register: answers with plain send(), late. One client port asks its addresses.
// Prints when promises of the process began to be followed, and which answers came from elsewhere than was asked.
'use strict';
const { AsyncLocalStorage, AsyncResource, executionAsyncId } = require('node:async_hooks');
const { once } = require('node:events');
const { join } = require('node:path');
const dgram = require('node:dgram');
const native = dgram.createSocket;
require(join(process.env.RECVFROMTO_COMPILED, 'register.js'));
const [, , way, order] = process.argv;

const QUESTIONS = 3;
const FIRST = '127.0.0.1';
const SECOND = '127.0.0.2';

/** With promise hooks every continuation has an id of its own; without, it has the caller's (async_hooks.md). */
const followed = async () => {
  const before = executionAsyncId();
  await null;
  return executionAsyncId() !== before;
};

/** Questions that nobody has answered, and what answers them. */
const open = [];
function wait(answer) {
  if (way === 'promise') new Promise((resolve) => open.push(resolve)).then(answer);
  else if (way === 'callback') open.push(AsyncResource.bind(answer));
  else {
    let now = false;
    open.push(() => {
      now = true;
    });
    const timer = setInterval(() => {
      if (!now) return;
      clearInterval(timer);
      answer();
    }, 1);
  }
}

async function main() {
  const server = dgram.createSocket('udp4');
  const client = native('udp4');
  const others = [native('udp4'), native('udp4')];
  server.on('message', (msg, { port, address }) => {
    const answer = () => server.send(msg, port, address);
    // Several answers to one question, as CoAP's servers send them.
    wait(() => {
      answer();
      if (way === 'promise') Promise.resolve().then(answer);
      else setImmediate(answer);
    });
  });
  for (const socket of [server, client, ...others]) {
    socket.bind(0, socket === server ? '0.0.0.0' : '127.0.0.1');
    await once(socket, 'listening');
  }
  const { port } = server.address();
  const wrong = [];
  let heard = 0;
  for (const socket of [client, ...others]) {
    socket.on('message', (msg, { address }) => {
      heard++;
      if (String(msg) !== address) wrong.push(`${msg} answered from ${address}`);
    });
  }
  const ask = async (socket, address) => {
    const asked = open.length + 1;
    socket.send(address, port, address);
    while (open.length < asked) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const answerAll = async () => {
    for (const answer of order === 'newest' ? open.splice(0).reverse() : open.splice(0)) {
      const before = heard;
      answer();
      while (heard < before + 2) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  };
  const when = { atFirst: await followed() };

  // Each remote hears from one address only: many of them, and some more than once.
  for (const [i, socket] of [client, ...others].entries()) {
    for (let question = 0; question < QUESTIONS; question++) await ask(socket, i === 2 ? SECOND : FIRST);
  }
  when.withOneAddressEach = await followed();
  await answerAll();
  when.answered = await followed();

  // The client that has asked one address, and has not been answered yet, asks the other one.
  for (let question = 0; question < QUESTIONS; question++) await ask(client, FIRST);
  when.before = await followed();
  await ask(client, SECOND);
  when.withTwo = await followed();
  await answerAll();
  for (const address of [SECOND, FIRST, FIRST, SECOND]) await ask(client, address);
  await answerAll();
  for (const socket of [server, client, ...others]) socket.close();

  // What an AsyncLocalStorage of the program's own does here: newer lines follow without hooks.
  await new AsyncLocalStorage().run(1, () => {});
  console.log(JSON.stringify({ when, follows: await followed(), wrong }));
}

main();
