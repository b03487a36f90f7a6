// A program that was written for node:dgram, and answers with plain send().
const { createSocket } = require('node:dgram');

const server = createSocket('udp4', (msg, { port, address }) => server.send(msg, port, address));
server.bind(0, () => {
  const client = createSocket('udp4', (_msg, { address }) => {
    console.log(`answered from ${address}`);
    client.close();
    server.close();
  });
  client.send('hello', server.address().port, '127.0.0.2');
});
