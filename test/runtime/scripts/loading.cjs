// loading.cjs <index|register>: is koffi in this process? After importing, in a worker, in a worker with a socket.
'use strict';
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { Worker } = require('node:worker_threads');
const entry = join(process.env.RECVFROMTO_COMPILED, process.argv[2]);

const loaded = () => readFileSync('/proc/self/maps', 'utf8').includes('koffi.node');
const worker = (body) => {
  const text = `require(${JSON.stringify(entry)}); ${body};
    const loaded = ${loaded.toString().replace('readFileSync', "require('node:fs').readFileSync")};
    require('node:worker_threads').parentPort.postMessage(loaded());`;
  return new Promise((done) => new Worker(text, { eval: true }).once('message', done));
};

async function main() {
  require(entry);
  const dgram = process.argv[2] === 'register' ? 'node:dgram' : entry;
  const imported = loaded();
  const inWorker = await worker('');
  const withSocket = await worker(`require(${JSON.stringify(dgram)}).createSocket('udp4').close()`);
  console.log(JSON.stringify({ imported, inWorker, withSocket }));
}

void main();
