/** For Jest and vitest: both give `test` and `expect` as globals. */
import { once } from 'node:events';
import dgram, { createServer } from 'recvfromto';

test('answers from the address that was asked', async () => {
  const server = createServer((msg, rinfo) => server.reply(msg, rinfo));
  await once(server.listen(), 'listening');
  const client = dgram.createSocket('udp4');
  client.send('hello', server.address().port, '127.0.0.2');
  const [, { address }] = await once(client, 'message');
  client.close();
  server.close();
  expect(address).toBe('127.0.0.2');
});
