/**
 * What Windows has since 10 2004 by its documentation (a TTL, a TOS, the ECN bits with a datagram; one payload cut into several):
 * used where a datagram to ourselves has shown it, by sockets of ours, and left alone where a release refuses it or takes it
 * without a word.
 */
import { Engine } from '../../src/datagram/engine';
import { proved } from '../../src/datagram/engines';
import { findings } from '../../src/socket/capabilities';
import { Socket } from '../../src/socket/socket';
import type { SendOptions, SocketOptions } from '../../src/types';
import type { WindowsKernel } from './win32';
import { PORT, World } from './world';

describe.each(['win32-x64', 'win32-ia32'])('%s', (os) => {
  let world: World;
  const open: Socket[] = [];
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
    world.close();
  });

  /** A machine whose kernel is another release. */
  function on(release: (kernel: WindowsKernel) => void = () => {}) {
    world = new World(os);
    const kernel = world.kernel as WindowsKernel;
    release(kernel);
    const engine = new Engine(proved(world.host));
    expect(kernel.sockets.size).toBe(0);
    const create = (options: SocketOptions) => {
      const socket = new Socket(options, undefined, engine);
      open.push(socket);
      return socket;
    };
    const send = async (type: 'udp4' | 'udp6', msg: string, options: SendOptions = {}) => {
      const socket = create({ type });
      const address = type === 'udp4' ? '10.0.0.9' : '2001:db8::9';
      const error = await new Promise((done) => {
        socket.once('error', done); // its bind(), of which a callback does not hear
        socket.send(msg, { port: 4000, address, ...options }, done);
      });
      await world.quiet();
      return { error, calls: socket.stats().systemCallsOut };
    };
    return { engine, kernel, create, send };
  }
  const heard = () => world.near.inbox.splice(0).map(({ payload, ttl, tos }) => [String(payload), ttl, tos]);
  const kinds = ['udp4', 'udp6'] as const;

  test.each(kinds)('TTL and TOS go with a datagram, %s', async (type) => {
    const { send } = on();
    expect(await send(type, 'x', { ttl: 9, tos: 0xbb })).toMatchObject({ error: null });
    expect(heard()).toEqual([['x', 9, 0xbb]]);
  });

  test.each(kinds)('segmentSize is cut by the kernel, and runs of equal datagrams are one call, %s', async (type) => {
    const { send, engine, create } = on();
    expect(await send(type, 'aabbc', { segmentSize: 2 })).toEqual({ error: null, calls: 1 });
    expect(heard().map(([text]) => text)).toEqual(['aa', 'bb', 'c']);
    const socket = create({ type });
    const to = { port: 4000, address: type === 'udp4' ? '10.0.0.9' : '2001:db8::9' };
    await new Promise((done) => {
      socket.once('error', done);
      socket.sendMany(
        ['1', '2', '3'].map((msg) => ({ msg, ...to })),
        done,
      );
    });
    await world.quiet();
    expect([heard().length, socket.stats().systemCallsOut]).toEqual([3, 1]);
    expect(findings(engine).gso).toEqual({ given: true });
  });

  test.each(kinds)('a release that refuses them gets none, and datagrams leave without, %s', async (type) => {
    const { send, engine } = on((kernel) => {
      kernel.documented.clear();
      kernel.unknown.add('UDP_SEND_MSG_SIZE');
    });
    expect(await send(type, 'x', { ttl: 9, tos: 0xbb })).toMatchObject({ error: null });
    expect(await send(type, 'aab', { segmentSize: 2 })).toMatchObject({ error: null });
    expect(heard()).toEqual([
      ['x', 64, 0],
      ['aa', 64, 0],
      ['b', 64, 0],
    ]);
    expect(findings(engine).gso).toEqual({ given: false, note: 'this release of win32 was not seen to cut datagrams' });
  });

  test('what takes every message and does nothing with it (Wine) is not believed', async () => {
    const { send } = on((kernel) => {
      kernel.ignoresMessages = true;
    });
    expect(await send('udp4', 'aab', { segmentSize: 2 })).toMatchObject({ error: null });
    expect(heard().map(([text]) => text)).toEqual(['aa', 'b']);
  });

  test('one family may have what the other has not', async () => {
    const { send } = on((kernel) => void kernel.documented.delete('IPV6_HOPLIMIT'));
    for (const type of kinds) await send(type, 'x', { ttl: 9 });
    expect(heard().map(([, ttl]) => ttl)).toEqual([9, 64]);
  });

  test('where the whole TOS is refused its ECN bits go', async () => {
    const { send } = on((kernel) => {
      kernel.documented.delete('IP_TOS');
      kernel.documented.delete('IPV6_TCLASS');
    });
    for (const type of kinds) expect(await send(type, 'x', { tos: 0xba })).toMatchObject({ error: null });
    expect(heard().map(([, , tos]) => tos)).toEqual([2, 2]);
  });

  test('where the whole TOS is not told, recvTOS tells the ECN bits', async () => {
    const { create } = on((kernel) => {
      for (const name of ['IP_RECVTOS', 'IPV6_RECVTCLASS']) kernel.unknown.add(name);
    });
    const socket = create({ type: 'udp4', recvTOS: true });
    const told: unknown[] = [];
    socket.on('message', (_msg, { tos, ecn }) => told.push([tos, ecn]));
    await new Promise<unknown>((done) => {
      socket.once('error', done);
      socket.bind(PORT, done as () => void);
    });
    world.near.send('10.0.0.2', PORT, 'x', { tos: 0xbb });
    await world.quiet();
    expect(told).toEqual([[3, 3]]);
  });

  test('without a socket of a family nothing is tried on it', () => {
    world = new World(os);
    const socket = world.kernel.socket.bind(world.kernel);
    world.kernel.socket = (family) =>
      family === world.kernel.facts.number('AF_INET6') ? -world.platform.errno.EAFNOSUPPORT! : socket(family);
    const { ttl, tos, segment } = proved(world.host).platform;
    expect([Object.keys(ttl), Object.keys(tos), segment !== undefined]).toEqual([['udp4'], ['udp4'], true]);
  });
});

test('other systems are left alone', () => {
  for (const name of ['linux-x64', 'darwin-arm64', 'freebsd-x64']) {
    const { host } = new World(name);
    expect(proved(host)).toBe(host);
  }
});
