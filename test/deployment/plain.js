/** What the examples do, on node:dgram: the kernel chooses where its answers leave from. */
const [port, name] = process.argv.slice(2);
const socket = require('node:dgram').createSocket('udp4', (_msg, rinfo) =>
  socket.send(name, rinfo.port, rinfo.address),
);
socket.bind(Number(port), () => console.log('listening'));
