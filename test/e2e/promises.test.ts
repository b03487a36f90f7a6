/** recvfromto/promises on loopback: what callbacks say, awaited. */
import { createSocket, type Socket } from '../../src/promises';

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

describe('every promise is settled, whatever becomes of the socket', () => {
  type Deed = (socket: Socket) => Promise<unknown>;
  const NOT_HERE = '192.0.2.1';
  const deeds: Record<string, Deed> = {
    bind: (socket) => socket.bind(0, HOST),
    'bind by name': (socket) => socket.bind(0, 'localhost'),
    connect: (socket) => socket.connect(9, HOST),
    'connect by name': (socket) => socket.connect(9, 'localhost'),
    send: (socket) => socket.send('x', 9, HOST),
    'send by name': (socket) => socket.send('x', 9, 'localhost'),
    reply: (socket) => socket.reply('x', { port: 9, address: HOST, family: 'IPv4' }),
    sendMany: (socket) => socket.sendMany([{ msg: 'x', port: 9, address: HOST }]),
    'sendMany, nothing': (socket) => socket.sendMany([]),
    'a loop': (socket) => socket.messages().next(),
    dispose: (socket) => socket[Symbol.asyncDispose](),
    close: (socket) => socket.close(),
  };
  const before: Record<string, Deed> = {
    'is new': () => Promise.resolve(),
    'is bound': (socket) => socket.bind(0, HOST),
    'is connected': (socket) => socket.connect(9, HOST),
    'is being bound': (socket) => Promise.resolve(void socket.bind(0, HOST).catch(() => {})),
    'fails to be bound': (socket) => Promise.resolve(void socket.bind(0, NOT_HERE).catch(() => {})),
    'is being closed': (socket) => Promise.resolve(void socket.close().catch(() => {})),
  };
  const cases = Object.keys(before).flatMap((state) => Object.keys(deeds).map((name) => [name, state]));

  test.each(cases)('%s on a socket that %s, then close()', async (name, state) => {
    const socket = createSocket('udp4');
    await before[state](socket);
    const all = [deeds[name](socket), deeds.send(socket), socket.close(), socket[Symbol.asyncDispose]()];
    expect(await Promise.allSettled(all)).toHaveLength(4);
    expect(socket.socket.fd).toBe(-1);
    await new Promise((done) => setImmediate(done)); // the 'close' of a socket that has been closed before
    const names = socket.socket.eventNames().filter((name) => name !== 'connect'); // which dgram leaves as well
    expect(names).toEqual([]);
  });
});

test('what comes between messages() and its first next() is not lost', async () => {
  const [server, client] = [createSocket('udp4'), createSocket('udp4')];
  const { port } = await server.bind(0, HOST);
  const messages = server.messages();
  await client.send('hello', port, HOST);
  while (server.stats().datagramsIn === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await Promise.all([client.close(), server.close()]);
  expect(String((await messages.next()).value?.[0])).toBe('hello');
  expect(await messages.next()).toEqual({ value: undefined, done: true });
});

test('a loop can be left while it waits, and by throw(); what follows is done', async () => {
  const socket = createSocket('udp4');
  await socket.bind(0, HOST);
  const messages = socket.messages();
  const waits = messages.next();
  await messages.return(undefined);
  expect(await waits).toEqual({ value: undefined, done: true });
  expect(await messages.next()).toEqual({ value: undefined, done: true });
  await expect(socket[Symbol.asyncIterator]().throw(new Error('mine'))).rejects.toThrow('mine');
  expect(socket.socket.fd).toBe(-1);
});
