/** A worker that blocks in recvfromto(), and a main thread that terminates it. */
const { Worker, isMainThread, parentPort } = require('node:worker_threads');

if (isMainThread) {
  const worker = new Worker(__filename);
  worker.once('message', async () => {
    await new Promise((done) => setTimeout(done, 200)); // it is in the call by then, or about to be
    await worker.terminate();
    console.log('terminated');
  });
} else {
  const { socket, bind, recvfromto, AF_INET, SOCK_DGRAM } = require('../../dist/libc.js');
  const fd = socket(AF_INET, SOCK_DGRAM);
  bind(fd, { address: '127.0.0.1' });
  parentPort.postMessage('waiting');
  recvfromto(fd);
}
