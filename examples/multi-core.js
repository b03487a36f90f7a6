/**
 * A server on all cores: one process each, with a socket of its own on the same port. The kernel deals out the datagrams
 * by the client's address and port (SO_REUSEPORT), so that a client stays with one process and no process waits for
 * another.
 *
 *     node examples/multi-core.js 5300
 */
const cluster = require('node:cluster');
const { availableParallelism } = require('node:os');
const { createSocket } = require('recvfromto');

const port = Number(process.argv[2] ?? 5300);

if (cluster.isPrimary) {
  const count = Number(process.argv[3] ?? availableParallelism());
  let listening = 0;
  cluster.on('message', () => ++listening === count && console.log(`${count} processes listening on ${port}`));
  cluster.on('exit', (worker) => {
    if (listening < count) process.exit(1); // it never came up, and would not the next time
    if (!worker.exitedAfterDisconnect) cluster.fork(); // the kernel leaves a dead process out at once
  });
  for (let i = 0; i < count; i++) cluster.fork();
} else {
  const socket = createSocket({ type: 'udp4', reusePort: true });
  socket.on('message', (_msg, rinfo) => socket.reply(`worker ${cluster.worker.id}`, rinfo));
  socket.bind(port, () => process.send('listening'));
}
