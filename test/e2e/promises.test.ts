/** recvfromto/promises on loopback: what callbacks say, awaited. */
import { createSocket } from '../../src/promises';

const HOST = '127.0.0.1';

test('bind, send, reply and close are awaited; errors are those of the callbacks', async () => {
  const server = createSocket('udp4');
  const { port } = await server.bind(0, HOST);
  const client = createSocket('udp4');
  await client.bind(0, HOST);
  server.on('message', (msg, rinfo) => void server.reply(`<${msg}>`, rinfo));
  const answers = client.messages();
  const first = answers.next();
  expect(await client.send('hello', port, HOST)).toBe(5);
  const { value } = await first;
  expect(String(value?.[0])).toBe('<hello>');
  await answers.return(undefined);
  await expect(client.send('x', 0)).rejects.toMatchObject({ code: 'ERR_SOCKET_BAD_PORT' });
  await expect(client.send(Buffer.alloc(70_000), port, HOST)).rejects.toMatchObject({
    code: 'EMSGSIZE',
    syscall: 'send',
  });
  await Promise.all([client.close(), server.close()]);
  await expect(client.close()).rejects.toMatchObject({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' });
});

test('bind() rejects with what the kernel says, and the socket can be bound elsewhere', async () => {
  const first = createSocket('udp4');
  const { port } = await first.bind({ port: 0, address: HOST });
  const second = createSocket('udp4');
  await expect(second.bind(port, HOST)).rejects.toMatchObject({ code: 'EADDRINUSE', syscall: 'bind' });
  await second.bind(0, HOST);
  await Promise.all([first.close(), second.close()]);
});

test('connect() and sendMany()', async () => {
  const server = createSocket('udp4');
  const { port } = await server.bind(0, HOST);
  const client = createSocket('udp4');
  await client.connect(port, HOST);
  expect(client.remoteAddress()).toEqual({ address: HOST, family: 'IPv4', port });
  const got: string[] = [];
  const all = (async () => {
    for await (const [msg] of server) {
      got.push(String(msg));
      if (got.length === 3) return;
    }
  })();
  expect(await client.sendMany(['a', 'b', 'c'].map((msg) => ({ msg })))).toBe(3);
  await all;
  expect(got).toEqual(['a', 'b', 'c']);
  expect(server.socket.fd).toBe(-1); // leaving the loop closes it
  await expect(client.sendMany([{ msg: 'x', port, address: HOST }])).rejects.toMatchObject({
    code: 'ERR_SOCKET_DGRAM_IS_CONNECTED',
  });
  await client.close();
});

test('a loop ends with the reason of its signal, and the socket stays open', async () => {
  const socket = createSocket('udp4');
  await socket.bind(0, HOST);
  const aborter = new AbortController();
  const loop = (async () => {
    for await (const _ of socket.messages({ signal: aborter.signal }));
  })();
  aborter.abort(new Error('enough'));
  await expect(loop).rejects.toThrow('enough');
  expect(socket.socket.fd).toBeGreaterThanOrEqual(0);
  await socket.close();
});

test('what a loop leaves unread beyond its mark is dropped and counted', async () => {
  const server = createSocket({ type: 'udp4', highWaterMark: 2 });
  const { port } = await server.bind(0, HOST);
  const messages = server.messages();
  const first = messages.next();
  const client = createSocket('udp4');
  await client.send('0', port, HOST);
  await first;
  for (const text of ['1', '2', '3', '4']) await client.send(text, port, HOST);
  while (server.stats().datagramsIn < 5) await new Promise((resolve) => setTimeout(resolve, 1));
  expect([String((await messages.next()).value?.[0]), String((await messages.next()).value?.[0])]).toEqual(['1', '2']);
  expect(server.stats()).toMatchObject({ datagramsIn: 5, unread: 2 });
  await Promise.all([messages.return(undefined), client.close(), server.close()]);
});

test('a loop that ends while bind() looks a name up closes the socket, too', async () => {
  let found = () => {};
  const socket = createSocket({
    type: 'udp4',
    lookup: (_host, _family, answer) => {
      found = () => answer(null, HOST, 4);
    },
  });
  socket.bind(0, 'some.host').catch(() => {});
  const next = socket[Symbol.asyncIterator]().next();
  await Promise.resolve();
  const closed = new Promise<void>((done) => socket.socket.once('close', done));
  socket.socket.emit('error', new Error('mine'));
  await expect(next).rejects.toThrow('mine');
  found();
  await closed;
});
