/** `node offspring.cjs worker|fork|cluster`: the echo server runs in an offspring of this process. */
const { fork } = require('node:child_process');
const cluster = require('node:cluster');
const dgram = require('node:dgram');
const { isMainThread, parentPort, Worker } = require('node:worker_threads');

const [, , kind] = process.argv;

if (isMainThread && cluster.isPrimary && process.send === undefined) {
  if (kind === 'worker') new Worker(__filename).on('message', (port) => console.log(port));
  if (kind === 'fork') fork(__filename).on('message', (port) => console.log(port));
  if (kind === 'cluster') cluster.fork().on('message', (port) => typeof port === 'number' && console.log(port));
  process.stdin.on('end', () => process.exit()).resume();
} else {
  const socket = dgram.createSocket('udp4', (msg, { port, address }) => socket.send(msg, port, address));
  const say = parentPort ? (port) => parentPort.postMessage(port) : (port) => process.send(port);
  socket.bind(0, () => say(socket.address().port));
  process.on('disconnect', () => process.exit());
}
