// For node --test.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import dgram, { createServer } from 'recvfromto';

test('answers from the address that was asked', async () => {
  const server = createServer((msg, rinfo) => server.reply(msg, rinfo));
  await once(server.listen(), 'listening');
  const client = dgram.createSocket('udp4');
  client.send('hello', server.address().port, '127.0.0.2');
  const [, { address }] = await once(client, 'message');
  client.close();
  server.close();
  assert.equal(address, '127.0.0.2');
});
