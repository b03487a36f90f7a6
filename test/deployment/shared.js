/** Workers of node:cluster that share one socket, as with node:dgram: no reusePort. shared.js PORT COUNT */
const cluster = require('node:cluster');
const { createSocket } = require('recvfromto');

const [port, count] = process.argv.slice(2).map(Number);
if (cluster.isPrimary) {
  let listening = 0;
  cluster.on('listening', () => ++listening === count && console.log('listening'));
  cluster.on('exit', () => cluster.fork());
  for (let i = 0; i < count; i++) cluster.fork();
} else {
  const socket = createSocket('udp4', (_msg, rinfo) => socket.reply(`worker ${cluster.worker.id}`, rinfo)).bind(port);
}
