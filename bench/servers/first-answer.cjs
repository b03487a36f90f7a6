// Answers one datagram, says what this process has cost until the answer had left, and ends.
//   node first-answer.cjs node:dgram|PATH
const { writeSync } = require('node:fs');

const cpuMs = ({ user, system }) => (user + system) / 1000;

const { hrtime } = process; // `performance` would load what a server needs not have
const before = { at: hrtime(), cpu: process.cpuUsage() };
const { createSocket } = require(process.argv[2]);
const [seconds, nanoseconds] = hrtime(before.at);
const importMs = seconds * 1e3 + nanoseconds / 1e6;
const importCpuMs = cpuMs(process.cpuUsage(before.cpu));

const socket = createSocket('udp4');
const left = () => {
  writeSync(1, `${JSON.stringify({ importMs, importCpuMs, cpuMs: cpuMs(process.cpuUsage()) })}\n`);
  process.exit(0);
};
socket.on('message', (msg, rinfo) => {
  if (typeof socket.reply === 'function' && process.argv[2] !== 'node:dgram') socket.reply(msg, rinfo, left);
  else socket.send(msg, rinfo.port, rinfo.address, left);
});
socket.bind(0, '0.0.0.0', () => writeSync(1, `${JSON.stringify({ port: socket.address().port })}\n`));
