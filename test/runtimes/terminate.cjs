// terminate.cjs <folder of the built package> <terminate|exit>
// Workers with sockets are ended while datagrams arrive, again and again. Prints how many were, and what is left behind.
// Each has heard a datagram before: a worker that is terminated while it loads koffi may abort the process, in every
// runtime (docs/pitfalls.md, P51).
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');
const { createSocket } = require(path.resolve(isMainThread ? process.argv[2] : workerData));

/** UDP sockets of this network namespace, which world.sh has made for us alone: Deno's own sockets are none of them. */
const sockets = () => fs.readFileSync('/proc/self/net/udp', 'utf8').trim().split('\n').length - 1;

async function main() {
  const sender = createSocket('udp4');
  await new Promise((done) => sender.bind(0, done));
  let ports = [];
  const pump = setInterval(() => {
    for (const port of ports) for (let i = 0; i < 5; i++) sender.send('x', port, '127.0.0.1');
  }, 1);
  const before = sockets();
  let ended = 0;
  for (let round = 0; round < 4; round++) {
    const workers = Array.from({ length: 3 }, () => new Worker(__filename, { workerData: process.argv[2] }));
    const heard = workers.map(
      (worker) =>
        new Promise((done) => worker.on('message', (said) => (said === 'heard' ? done() : ports.push(said.port)))),
    );
    await Promise.all(heard);
    const gone = workers.map((worker) => new Promise((done) => worker.once('exit', done)));
    for (const worker of workers) process.argv[3] === 'exit' ? worker.postMessage('exit') : worker.terminate();
    await Promise.all(gone);
    ports = [];
    ended += workers.length;
  }
  clearInterval(pump);
  // Bun and Deno run the hooks of an environment a moment after its 'exit'.
  for (let i = 0; i < 100 && sockets() > before; i++) await new Promise((done) => setTimeout(done, 20));
  console.log(JSON.stringify({ ended, leaked: sockets() - before }));
  sender.close();
}

function work() {
  const socket = createSocket('udp4', () => parentPort.postMessage('heard'));
  socket.bind(0, '127.0.0.1', () => parentPort.postMessage({ port: socket.address().port }));
  parentPort.on('message', () => process.exit(0));
}

if (isMainThread) main();
else work();
