/** What the examples do, on node:dgram: the kernel chooses where its answers leave from. plain.js PORT NAME */
const { createSocket } = require('node:dgram');

const [port, name] = process.argv.slice(2);
const four = createSocket('udp4', (_msg, rinfo) => four.send(name, rinfo.port, rinfo.address));
const six = createSocket({ type: 'udp6', ipv6Only: true }, (_msg, rinfo) => six.send(name, rinfo.port, rinfo.address));
four.bind(Number(port), () => six.bind(Number(port), () => console.log('listening')));
