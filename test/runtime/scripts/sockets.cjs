// sockets.cjs <rounds> <workers>
// Worker threads with Sockets of all kinds are terminated while datagrams come and go. Prints the descriptors left open.
'use strict';
const dgram = require('node:dgram');
const { readdirSync } = require('node:fs');
const { join } = require('node:path');
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { createSocket } = require(join(process.env.RECVFROMTO_COMPILED, 'index.js'));
const [rounds, workers] = process.argv.slice(2).map(Number);

function start() {
  const worker = new Worker(__filename);
  return new Promise((done) => worker.once('message', (ports) => done({ worker, ports })));
}

async function round(client) {
  const all = await Promise.all(Array.from({ length: workers }, start));
  let on = true;
  const pump = () => {
    if (!on) return;
    for (const { ports } of all) for (const port of ports) client.send('question', port, '127.0.0.1');
    setImmediate(pump);
  };
  pump();
  await new Promise((done) => setTimeout(done, Math.random() * 6));
  await Promise.all(all.map(({ worker }) => worker.terminate()));
  on = false;
}

async function main() {
  const client = dgram.createSocket('udp4');
  await new Promise((done) => client.bind(0, '127.0.0.1', done));
  await round(client);
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < rounds; i++) await round(client);
  const leaked = readdirSync('/proc/self/fd').length - before;
  client.close();
  console.log(JSON.stringify({ leaked }));
}

/** In every state that a socket has: bound, being bound, connected, with sends under way, closed, never bound. */
async function work() {
  const answer = (msg, rinfo, socket) => {
    for (let i = 0; i < 20; i++) socket.reply(msg, rinfo, () => {});
    if (Math.random() < 0.01) churn();
  };
  const churn = () => {
    const short = createSocket('udp4').bind(0, '127.0.0.1', () => short.close());
    createSocket('udp4').send('x', 9, '127.0.0.1');
    createSocket('udp6');
  };
  const sockets = ['udp4', 'udp6'].map((type) => {
    const socket = createSocket(type, (msg, rinfo) => answer(msg, rinfo, socket));
    return socket;
  });
  const bound = sockets.map((socket) => new Promise((done) => socket.bind(0, done)));
  await Promise.all(bound);
  const connected = createSocket('udp4');
  connected.on('error', () => {});
  await new Promise((done) => connected.connect(sockets[0].address().port, done));
  setInterval(() => connected.send('from within'), 0);
  setInterval(churn, 1);
  parentPort.postMessage(sockets.map((socket) => socket.address().port));
}

if (isMainThread) void main();
else void work();
