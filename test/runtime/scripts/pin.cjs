// Workers use koffi and are terminated; the main thread never loads it.
'use strict';
const { isMainThread, parentPort, Worker } = require('node:worker_threads');

async function main() {
  for (let i = 0; i < 10; i++) {
    const worker = new Worker(__filename);
    await new Promise((done) => worker.once('message', done));
    await worker.terminate();
  }
  console.log('done');
}

function work() {
  const { readiness, open } = require('./udp.cjs');
  for (let i = 0; i < 3; i++) readiness.watch(open().fd, () => {}).start(1);
  parentPort.postMessage('ready');
}

if (isMainThread) main();
else work();
