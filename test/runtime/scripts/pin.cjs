// pin.cjs <end|terminate>: workers use koffi, the main thread never loads it.
'use strict';
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const how = process.argv[2];

if (isMainThread) {
  (async () => {
    for (let i = 0; i < 10; i++) {
      const worker = new Worker(__filename, { argv: [how] });
      await new Promise((done) => worker.once('message', done));
      if (how === 'terminate') worker.terminate();
      await new Promise((done) => worker.once('exit', done));
    }
    console.log('done');
  })();
} else {
  const { readiness, open } = require('./udp.cjs');
  const watchers = Array.from({ length: 3 }, () => readiness.watch(open().fd, () => {}));
  for (const watcher of watchers) watcher.start(1);
  parentPort.postMessage('ready');
  if (how === 'end') for (const watcher of watchers) watcher.unref();
}
