// stop.cjs <terminate|exit|main-exit> <rounds> <workers>
// Workers that receive are ended while datagrams arrive. Prints how many were.
'use strict';
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const udp = require('./udp.cjs');
const [how, rounds, workers] = process.argv.slice(2);

async function start() {
  const worker = new Worker(__filename, { argv: process.argv.slice(2) });
  const port = await new Promise((done) => worker.once('message', done));
  return { worker, name: udp.sockaddr(port) };
}

async function round(from) {
  // All have loaded koffi before any is stopped: a worker that is stopped while it loads koffi aborts inside koffi.
  const all = await Promise.all(Array.from({ length: Number(workers) }, start));
  let on = true;
  const pump = () => {
    for (const { name } of all) for (let i = 0; i < 3; i++) udp.send(from.fd, name);
    if (on) setImmediate(pump);
  };
  pump();
  await udp.sleep(2 + Math.random() * 4);
  if (how === 'main-exit') process.exit(0);
  const ended = all.map(({ worker }) => new Promise((done) => worker.once('exit', done)));
  for (const { worker } of all) how === 'terminate' ? worker.terminate() : worker.postMessage('exit');
  await Promise.all(ended);
  on = false;
}

async function main() {
  const from = udp.open();
  for (let i = 0; i < Number(rounds); i++) await round(from);
  console.log(Number(rounds) * Number(workers));
}

function work() {
  const socket = udp.open();
  const watcher = udp.readiness.watch(socket.fd, () => udp.drain(socket.fd));
  watcher.start(1);
  parentPort.on('message', () => process.exit(0));
  parentPort.postMessage(socket.port);
}

if (isMainThread) main();
else work();
