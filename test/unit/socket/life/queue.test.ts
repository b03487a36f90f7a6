/** What waits for 'listening', and what becomes of it. */
import type { Socket } from '../../../../src/socket/socket';
import type { RemoteInfo } from '../../../../src/types';
import { FakeNet, settled } from '../../../support/fake-socket';
import { uncaught } from '../../../support/uncaught';

type Outcome = [name: string, code: string | null];

function outcomes() {
  const all: Outcome[] = [];
  const settle = (name: string) => (error: Error | null) =>
    void all.push([name, (error as NodeJS.ErrnoException | null)?.code ?? null]);
  return { all, settle };
}

test('everything sent before bind() is done leaves, in order, and close() after it', async () => {
  const net = new FakeNet();
  const socket = net.make();
  const { all, settle } = outcomes();
  socket.send('a', 9, '192.0.2.9', settle('a'));
  socket.send('b', { port: 9, address: '192.0.2.9', ttl: 3 }, settle('b'));
  socket.close(() => all.push(['close', null]));
  await settled();
  expect(net.payloads).toEqual(['a', 'b']);
  expect(all).toEqual([
    ['a', null],
    ['b', null],
    ['close', null],
  ]);
  expect(net.host.syscalls.sockets.size).toBe(0);
});

describe('bad options of send() are thrown at once, bound or not', () => {
  const bad = [
    [{ localAddress: 'here' }, 'ERR_INVALID_IP_ADDRESS'],
    [{ localAddress: 5 as never }, 'ERR_INVALID_IP_ADDRESS'],
    [{ ttl: 0 }, 'ERR_OUT_OF_RANGE'],
    [{ tos: 256 }, 'ERR_OUT_OF_RANGE'],
    [{ ttl: '5' as never }, 'ERR_INVALID_ARG_TYPE'],
    [{ interface: 'nosuch0' }, 'ERR_INVALID_ARG_VALUE'],
    [{ interface: -1 }, 'ERR_INVALID_ARG_VALUE'],
  ] as const;
  test.each(bad)('%p: %s', async (options, code) => {
    const net = new FakeNet();
    const socket = net.make();
    const send = () => socket.send('x', { port: 9, address: '192.0.2.9', ...options });
    const errors = await uncaught(() => expect(send).toThrow(expect.objectContaining({ code })));
    expect(errors).toEqual([]);
    await new Promise<void>((done) => socket.bind(0, done));
    expect(send).toThrow(expect.objectContaining({ code }));
    expect(net.payloads).toEqual([]);
  });
});

test.each([
  '::1',
  '224.0.0.1',
  '0.0.0.0',
])('%s as a source: thrown, an error event, or in the callback', async (source) => {
  const net = new FakeNet();
  const socket = net.make();
  const code = 'ERR_RECVFROMTO_SOURCE_MISMATCH';
  const to = { port: 9, address: '192.0.2.9', localAddress: source };
  const errors: unknown[] = [];
  socket.on('error', (error) => errors.push(error));
  socket.send('x', to); // not bound yet: the rest of the queue is not to suffer
  socket.send('y', 9, '192.0.2.9');
  const heard = new Promise((resolve) => socket.send('z', to, resolve));
  expect(await heard).toMatchObject({ code, address: '192.0.2.9', localAddress: source });
  await settled();
  expect(errors).toEqual([expect.objectContaining({ code })]);
  expect(() => socket.send('x', to)).toThrow(expect.objectContaining({ code }));
  expect(net.payloads).toEqual(['y']);
});

test('sendMany() sends nothing if one datagram is malformed', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  const to = { port: 9, address: '192.0.2.9' };
  const callback = jest.fn();
  for (const wrong of [{ localAddress: 'here' }, { port: 0 }, { ttl: 256 }, { interface: 'nosuch0' }]) {
    expect(() =>
      socket.sendMany(
        [
          { msg: 'a', ...to },
          { msg: 'b', ...to, ...wrong },
        ],
        callback,
      ),
    ).toThrow();
  }
  await settled();
  expect(net.payloads).toEqual([]);
  expect(callback).not.toHaveBeenCalled();
});

test('sendMany() tells the first error and how many left', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  const results = [1, -111];
  net.host.syscalls.sendResult = (count) => results.shift() ?? count;
  const to = { port: 9, address: '192.0.2.9' };
  const done = new Promise((resolve) => {
    const all = ['a', 'b', 'c'].map((msg) => ({ msg, ...to }));
    socket.sendMany([...all, { msg: 'd', ...to, localAddress: '::1' }], (...args) => resolve(args));
  });
  expect(await done).toEqual([expect.objectContaining({ code: 'ERR_RECVFROMTO_SOURCE_MISMATCH' }), 2]);
  expect(net.payloads).toEqual(['a', 'c']);
  expect(await new Promise((resolve) => socket.sendMany([], (...args) => resolve(args)))).toEqual([null, 0]);
});

describe('when bind() fails', () => {
  async function failing(use: (socket: Socket) => void) {
    const net = new FakeNet();
    net.host.syscalls.bindResult = () => -98;
    const socket = net.make();
    const errors: (string | undefined)[] = [];
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code));
    use(socket);
    await settled();
    expect(errors).toEqual(['EADDRINUSE']);
    return { net, socket };
  }

  test('callbacks hear of it, once; but not those of send(), as in dgram', async () => {
    const { all, settle } = outcomes();
    await failing((socket) => {
      socket.send('a', 9, '192.0.2.9', settle('a'));
      socket.sendMany([{ msg: 'b', port: 9 }], settle('b'));
      socket.reply('c', { address: '192.0.2.9', port: 9 } as RemoteInfo, settle('c'));
    });
    expect(all).toEqual([
      ['b', 'EADDRINUSE'],
      ['c', 'EADDRINUSE'],
    ]);
  });

  test('the socket can be bound again', async () => {
    const { net, socket } = await failing((one) => one.bind(0));
    net.host.syscalls.bindResult = () => 0;
    await new Promise<void>((done) => socket.bind(0, done));
    socket.close();
    expect(net.host.syscalls.sockets.size).toBe(0);
  });
});

test('close() while a name is looked up: callbacks hear of it; but not those of send(), as in dgram', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound({ lookup: (_host, _options, found) => setImmediate(found, null, '192.0.2.9', 4) });
  const { all, settle } = outcomes();
  socket.send('a', 9, 'example.org', settle('a'));
  socket.sendMany([{ msg: 'b', port: 9, address: 'example.org' }], settle('b'));
  socket.send('c', 9, 'example.org');
  socket.close();
  await settled();
  expect(all).toEqual([['b', 'ECANCELED']]);
  expect(net.payloads).toEqual([]);
});

test('a runtime that cannot wait: an error event, and nothing stays open', async () => {
  const net = new FakeNet();
  net.host.readiness.refuse = new Error('not here');
  const socket = net.make();
  const errors: unknown[] = [];
  socket.on('error', (error) => errors.push(error));
  expect(await uncaught(() => socket.bind(0))).toEqual([]);
  expect(errors).toEqual([net.host.readiness.refuse]);
  socket.close();
  expect(net.host.syscalls.sockets.size).toBe(0);
});

test('addMembership() of what is no address leaves the socket unbound', async () => {
  const net = new FakeNet();
  const socket = net.make();
  for (const join of [
    () => socket.addMembership('example.org'),
    () => socket.addSourceSpecificMembership('192.0.2.9', 'group'),
  ]) {
    expect(join).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(net.host.syscalls.sockets.size).toBe(0);
  }
});
