// A server on all addresses, and a client that asks it on the second one.
const { createServer, createSocket } = require('recvfromto');

const server = createServer((msg, rinfo) => server.reply(msg, rinfo));
server.listen(0, () => {
  const client = createSocket('udp4', (_msg, rinfo) => {
    console.log(`answered from ${rinfo.address}`);
    client.close();
    server.close();
  });
  client.send('hello', server.address().port, '127.0.0.2');
});
