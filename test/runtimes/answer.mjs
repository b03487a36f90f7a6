// The package imported by name, as an ES module, from where npm has installed it: one question, one answer.
import { createServer, createSocket } from 'recvfromto';

const server = createServer((msg, rinfo) => server.reply(msg, rinfo));
server.listen(0, () => {
  const client = createSocket('udp4', (_, { address }) => {
    console.log(address);
    client.close();
    server.close();
  });
  client.send('hello', server.address().port, '127.0.0.2');
});
