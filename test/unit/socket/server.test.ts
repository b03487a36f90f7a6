import { once } from 'node:events';
import { Server, type ServerOptions } from '../../../src/socket/server';
import type { ReceivedMessage } from '../../../src/types';
import { datagrams, FakeNet, FROM, settled } from '../../support/fake-socket';
import { linux64 } from '../../support/layouts';

const EADDRINUSE = -98;
const EAFNOSUPPORT = -97;

function setUp(options: ServerOptions = {}) {
  const net = new FakeNet();
  const server = new Server(options, undefined, net.engine);
  const { syscalls } = net.host;
  const fdOf = (family: 4 | 6) => {
    const af = family === 4 ? 2 : linux64.numbers.AF_INET6;
    for (const [fd, socket] of syscalls.sockets) if (socket.family === af) return fd;
    throw new Error(`no IPv${family} socket`);
  };
  return { net, server, syscalls, fdOf };
}

test('one port for both families', async () => {
  const { server, syscalls } = setUp();
  await once(server.listen(5300), 'listening');
  expect(server.address()).toEqual({
    port: 5300,
    ipv4: { address: '0.0.0.0', family: 'IPv4', port: 5300 },
    ipv6: { address: '::', family: 'IPv6', port: 5300 },
  });
  const only = [...syscalls.sockets.values()].map(({ options }) => options.get('41/26')?.readInt32LE());
  expect(only).toEqual([undefined, 1]); // IPV6_V6ONLY
  server.close();
  await once(server, 'close');
  expect(syscalls.sockets.size).toBe(0);
});

test('listen(callback) takes any port', async () => {
  const { server } = setUp();
  await new Promise<void>((listening) => server.listen(listening));
  const { ipv4, ipv6, port } = server.address();
  expect([ipv4?.port, ipv6?.port]).toEqual([port, port]);
});

test('port 0: tries until one is free for both; nothing of the failures stays', async () => {
  const { server, syscalls, net } = setUp();
  let left = 20;
  syscalls.bindResult = ({ scope }) => (scope !== undefined && left-- > 0 ? EADDRINUSE : 0);
  const warnings: unknown[] = [];
  const warn = (warning: unknown) => warnings.push(warning);
  process.on('warning', warn);
  await once(server.listen(), 'listening');
  await settled();
  process.off('warning', warn);
  expect(warnings).toEqual([]);
  expect([syscalls.sockets.size, net.host.readiness.watchers.size]).toEqual([2, 2]);
  expect(server.address().ipv6?.port).toBe(server.address().ipv4?.port);
});

test.each([
  ['a port that is taken', 5300, EADDRINUSE, 'EADDRINUSE'],
  ['no port for a hundred tries', 0, EADDRINUSE, 'EADDRINUSE'],
  ['no permission', 53, -13, 'EACCES'],
])('%s is an error, and the server can be asked again', async (_, port, result, code) => {
  const { server, syscalls } = setUp();
  const early = jest.fn();
  syscalls.bindResult = ({ scope }) => (scope === undefined ? 0 : result);
  server.listen(port, early);
  expect((await once(server, 'error'))[0]).toMatchObject({ code });
  expect(syscalls.sockets.size).toBe(0);
  syscalls.bindResult = () => 0;
  const late = jest.fn();
  await once(server.listen(port, late), 'listening');
  expect([early.mock.calls.length, late.mock.calls.length]).toEqual([0, 1]);
});

test.each([
  ['without IPv6', EAFNOSUPPORT, 0, ['ipv4']],
  ['without IPv4', 0, EAFNOSUPPORT, ['ipv6']],
])('a host %s says so in address()', async (_, ipv6, ipv4, families) => {
  const { server, syscalls } = setUp();
  const { socket } = syscalls;
  syscalls.socket = (family) => (family === 2 ? ipv4 : ipv6) || socket.call(syscalls, family);
  await once(server.listen(), 'listening');
  expect(Object.keys(server.address())).toEqual(['port', ...families]);
});

test('`host` limits it to one address', async () => {
  const { server } = setUp({ host: '127.0.0.1' });
  await once(server.listen(), 'listening');
  expect(server.address().ipv4?.address).toBe('127.0.0.1');
  expect(server.address().ipv6).toBeUndefined();
});

test('answers through the socket that heard; also when asked before it listens', async () => {
  const lookup: ServerOptions['lookup'] = (host, _options, found) => setImmediate(found, null, host as string, 4);
  const { net, server, syscalls, fdOf } = setUp({ lookup });
  server.on('message', (msg, rinfo) => server.reply(msg, rinfo));
  server.listen();
  while (net.host.readiness.watchers.size === 0) await new Promise((resolve) => setImmediate(resolve));
  net.arrive(fdOf(4), datagrams('early'));
  expect(() => server.address()).toThrow();
  await once(server, 'listening');
  net.arrive(fdOf(6), [{ from: { address: '2001:db8::9', port: 9 }, payload: 'six' }]);
  await settled();
  expect(syscalls.sent).toMatchObject([
    { fd: fdOf(4), payload: 'early', to: FROM },
    { fd: fdOf(6), payload: 'six' },
  ]);
  expect(server.stats()).toMatchObject({ datagramsIn: 2, datagramsOut: 2 });
});

test('answers by what is left of a rinfo: an address and a port', async () => {
  const { server, syscalls, fdOf } = setUp();
  await once(server.listen(), 'listening');
  server.reply('four', { address: '192.0.2.9', port: 9 } as never);
  server.reply('six', { address: '2001:db8::9', port: 9 } as never);
  await settled();
  expect(syscalls.sent).toMatchObject([
    { fd: fdOf(4), payload: 'four' },
    { fd: fdOf(6), payload: 'six' },
  ]);
});

test("a faked process.nextTick keeps nobody from 'messages'", async () => {
  const { server } = setUp();
  await once(server.listen(5300), 'listening');
  const { nextTick } = process;
  process.nextTick = () => {};
  server.on('messages', () => {});
  process.nextTick = nextTick;
  await settled();
  expect(server.sockets.map((socket) => socket.listenerCount('messages'))).toEqual([1, 1]);
  server.close();
});

test("'messages' while somebody listens for them, 'message' before and after", async () => {
  const { net, server, fdOf } = setUp();
  const seen: string[] = [];
  server.on('message', (msg) => seen.push(`${msg}`));
  await once(server.listen(), 'listening');
  const listener = (batch: ReceivedMessage[]) => seen.push(batch.map(({ msg }) => `${msg}`).join('+'));
  const round = async () => {
    await settled();
    net.arrive(fdOf(4), datagrams('a', 'b'));
    await settled();
    return seen.splice(0);
  };
  expect(await round()).toEqual(['a', 'b']);
  server.on('messages', listener);
  expect(await round()).toEqual(['a+b']);
  server.off('messages', listener);
  expect(await round()).toEqual(['a', 'b']);
  server.once('messages', listener);
  expect(await round()).toEqual(['a+b']);
  expect(await round()).toEqual(['a', 'b']);
});

describe('closing', () => {
  test('by a signal, also while it starts, and before', async () => {
    for (const when of ['before', 'while', 'after']) {
      const controller = new AbortController();
      if (when === 'before') controller.abort();
      const { server, syscalls } = setUp({ signal: controller.signal });
      const closed = once(server, 'close');
      if (when !== 'before') server.listen();
      if (when === 'after') await once(server, 'listening');
      controller.abort();
      await closed;
      await settled();
      expect(syscalls.sockets.size).toBe(0);
      expect(() => server.listen()).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }));
    }
  });

  test('while it starts: no listening event, nothing stays open', async () => {
    const { server, syscalls } = setUp();
    const listening = jest.fn();
    const closed = jest.fn();
    server.listen(0, listening);
    server.close(closed);
    await settled();
    expect([listening.mock.calls.length, closed.mock.calls.length, syscalls.sockets.size]).toEqual([0, 1, 0]);
    expect(() => server.close()).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }));
    await server[Symbol.asyncDispose]();
  });

  test('answers to it are refused afterwards', async () => {
    const { server } = setUp();
    await once(server.listen(), 'listening');
    server.close();
    const rinfo = { address: '192.0.2.9', port: 9, family: 'IPv4' } as never;
    expect(() => server.reply('x', rinfo)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' }));
  });
});

test('ref and unref, before and while it listens', async () => {
  const { server, net } = setUp();
  server.unref();
  await once(server.listen(), 'listening');
  const refed = () => [...net.host.readiness.watchers.values()].map((watcher) => watcher.refed);
  expect(refed()).toEqual([false, false]);
  server.ref();
  expect(refed()).toEqual([true, true]);
});

test.each([
  ['before listen()', (server: Server) => server.pause().listen()],
  ['while it starts', (server: Server) => server.listen().pause()],
])('pause() %s holds back what comes until resume()', async (_, start) => {
  const { net, server, fdOf } = setUp();
  const heard = jest.fn();
  server.on('message', heard);
  await once(start(server), 'listening');
  net.arrive(fdOf(4), datagrams('early'));
  await settled();
  expect(heard).not.toHaveBeenCalled();
  server.resume();
  net.arrive(fdOf(4), []);
  await settled();
  expect(heard).toHaveBeenCalledTimes(1);
});

test('resume() while it starts takes a pause() back', async () => {
  const { net, server, fdOf } = setUp();
  const heard = jest.fn();
  server.on('message', heard);
  await once(server.pause().listen().resume(), 'listening');
  net.arrive(fdOf(4), datagrams('x'));
  await settled();
  expect(heard).toHaveBeenCalledTimes(1);
});

test('bad options are thrown at once', () => {
  expect(() => setUp({ batch: 0 })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  expect(() => setUp({ signal: {} as never })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  expect(() => setUp().server.listen(70000)).toThrow(expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' }));
});
