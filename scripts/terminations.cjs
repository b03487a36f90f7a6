#!/usr/bin/env node
/**
 * How often does a process abort because a worker was terminated while koffi was being loaded in it? docs/koffi.md §2.17 has
 * the figures. Needs a build.
 *
 *   node scripts/terminations.cjs sockets [workers=2000] [dist]   workers that open a socket, terminated at a random moment
 *   node scripts/terminations.cjs register [workers=600] [dist]   ... that open none, under recvfromto/register
 *
 * RECVFROMTO_TEST_NODE: another Node.
 */
'use strict';
const { spawnSync } = require('node:child_process');
const { writeSync } = require('node:fs');
const { join, resolve } = require('node:path');
const { isMainThread, parentPort, Worker, workerData } = require('node:worker_threads');

const PARALLEL = 4;
/** Workers that may live until they are ready, to see how long that takes. */
const FIRST = 8;

async function terminateAll(kind, count, dist) {
  let left = count;
  const lives = [];
  const some = async () => {
    while (left-- > 0) {
      const start = performance.now();
      const worker = new Worker(__filename, { workerData: { kind, dist } });
      worker.on('error', () => {});
      const ready = new Promise((done) => worker.once('message', done));
      if (lives.length < FIRST) {
        await ready;
        lives.push(performance.now() - start);
      } else {
        const life = lives.sort((a, b) => a - b)[FIRST / 2];
        await new Promise((done) => setTimeout(done, Math.random() * 1.2 * life));
      }
      await worker.terminate();
      writeSync(1, '.');
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, some));
}

function work({ kind, dist }) {
  if (kind === 'sockets') {
    const { createSocket } = require(join(dist, 'index.js'));
    createSocket('udp4').bind(0, '127.0.0.1', () => parentPort.postMessage('open'));
  }
  if (kind === 'register') parentPort.postMessage('ready');
  setInterval(() => {}, 1000);
}

function measure(kind, count, dist) {
  const node = process.env.RECVFROMTO_TEST_NODE ?? process.execPath;
  const flags = kind === 'register' ? ['-r', join(dist, 'register.js')] : [];
  let [done, aborts] = [0, 0];
  while (done < count) {
    const { stdout, signal, status } = spawnSync(node, [...flags, __filename, '--child', kind, count - done, dist], {
      encoding: 'utf8',
      timeout: 600_000,
    });
    done += stdout.length + (signal === null ? 0 : 1);
    if (signal !== null || status !== 0) aborts++;
  }
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  const share = ((100 * aborts) / done).toFixed(2);
  console.log(`${version} ${kind}: ${aborts} aborts, ${done} workers, ${share} % of them`);
}

const [first, second, third, fourth] = process.argv.slice(2);
const built = (path) => resolve(path ?? join(__dirname, '../dist'));
if (!isMainThread) work(workerData);
else if (first === '--child') terminateAll(second, Number(third), fourth);
else if (first === 'sockets' || first === 'register')
  measure(first, Number(second ?? (first === 'sockets' ? 2000 : 600)), built(third));
else console.error('node scripts/terminations.cjs sockets|register [workers] [dist]');
