/** bind() in all its forms, its errors, address(), reuse and descriptors. */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { descriptorOf } from '../descriptor';
import { type LooseSocket, NativeSocket, type Scenarios, type Stage } from '../stage';

async function outcome(t: Stage, socket: LooseSocket): Promise<void> {
  await Promise.race([once(socket, 'listening'), once(socket, 'error')]).catch(() => {});
  await t.settle(1);
}

export const scenarios: Scenarios = {
  'forms of arguments': async (t) => {
    const callback = t.callback('callback');
    const forms: unknown[][] = [
      [],
      [0],
      ['0'],
      [null],
      [undefined],
      ['abc'],
      [''],
      [true],
      [{}],
      [callback],
      [0, callback],
      [0, null],
      [0, ''],
      [0, undefined, callback],
      [0, '127.0.0.1'],
      [0, '127.0.0.1', callback],
      [0, '127.0.0.1', null],
      [null, '127.0.0.1'],
      [{ port: 0 }, callback],
      [{ port: null, address: null }],
      [{ port: 0, address: '127.0.0.1' }],
      [{ port: 0, address: '127.0.0.1', exclusive: true }, callback],
      [{ address: '127.0.0.1' }, null],
      [{ fd: 0 }],
      [{ fd: -1 }],
      [{ fd: 1.5 }],
      [{ fd: 'abc' }],
      [{ fd: null, port: 0 }],
      [0, false],
      [[]],
    ];
    for (const form of forms) {
      const label = `bind(${form.map((each) => t.spell(each)).join(', ')})`;
      const socket = t.socket('udp4');
      socket.on('error', (error) => t.log(`${label} 'error'`, error));
      t.attempt(label, () => socket.bind(...form) === socket);
      await outcome(t, socket);
      t.attempt(`${label} address`, () => socket.address());
      t.attempt(`${label} listeners`, () => [socket.listenerCount('listening'), socket.listenerCount('error')]);
    }
  },

  'addresses that are none': async (t) => {
    for (const address of [5, true, {}, [], 10n, 'not an address', '1.2.3', '::1', '256.1.1.1', '127.1']) {
      const socket = t.socket('udp4');
      socket.on('error', (error) => t.log("'error'", error));
      const begun = t.attempt(`bind(0, ${t.spell(address)})`, () => socket.bind(0, address) === socket);
      if (begun) await outcome(t, socket);
      if (t.attempt('then bind()', () => socket.bind(0, '127.0.0.1') === socket)) await outcome(t, socket);
    }
  },

  udp6: async (t) => {
    for (const address of ['::1', '::', undefined, '127.0.0.1', '::ffff:127.0.0.1', 'fe80::1', '::1%lo', 'localhost']) {
      const socket = t.socket('udp6');
      t.watch(socket, String(address));
      socket.bind(0, address);
      await outcome(t, socket);
      t.attempt(`${address} address`, () => socket.address());
    }
  },

  ipv6Only: async (t) => {
    const only = await t.bound({ type: 'udp6', ipv6Only: true }, '::');
    const { port } = only.address();
    const other = t.socket('udp4');
    t.watch(other, 'udp4 on the same port');
    other.bind(port);
    await outcome(t, other);
    const dual = await t.bound('udp6', '::');
    const second = t.socket('udp4');
    t.watch(second, 'udp4 beside dual-stack');
    second.bind(dual.address().port);
    await outcome(t, second);
  },

  localhost: async (t) => {
    for (const type of ['udp4', 'udp6']) {
      const socket = t.socket(type);
      t.watch(socket, type);
      socket.bind(0, 'localhost');
      await outcome(t, socket);
      t.attempt(type, () => socket.address());
    }
  },

  twice: async (t) => {
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.bind(0, '127.0.0.1');
    t.attempt('while binding', () => socket.bind(0, '127.0.0.1'));
    await once(socket, 'listening');
    t.attempt('when bound', () => socket.bind(0, '127.0.0.1'));
    t.attempt('with a callback', () => socket.bind(t.callback('never')));
    t.log('listeners', socket.listenerCount('listening'));
    socket.close();
    t.attempt('when closed', () => socket.bind(0));
    t.attempt('closed, bad address', () => socket.bind(0, 5));
  },

  'address(): before, after, closed': async (t) => {
    const socket = t.socket('udp4');
    t.attempt('unbound', () => socket.address());
    socket.bind(0, '127.0.0.1');
    t.attempt('binding', () => socket.address());
    await once(socket, 'listening');
    t.attempt('bound', () => socket.address());
    t.log('its keys', Object.keys(socket.address()));
    socket.close();
    t.attempt('closed', () => socket.address());
    t.attempt(
      'closed remoteAddress',
      () => socket.remoteAddress instanceof Function && (socket.remoteAddress as () => void)(),
    );
  },

  'an address in use': async (t) => {
    const first = await t.bound();
    const { port } = first.address();
    const second = t.socket('udp4');
    t.watch(second, 'second');
    t.log('returns', second.bind(port, '127.0.0.1') === second);
    await outcome(t, second);
    t.attempt('address after the error', () => second.address());
    t.attempt('setTTL after the error', () => second.setTTL(8));
    second.bind(0, '127.0.0.1');
    await outcome(t, second);
    t.attempt('address of the second try', () => second.address());
  },

  'an address in use, without a listener': async (t) => {
    const first = await t.bound();
    const { port } = first.address();
    const second = t.socket('udp4');
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    second.bind(port, '127.0.0.1');
    t.log('uncaught', await caught);
  },

  'an address in use, with a callback': async (t) => {
    const first = await t.bound();
    const { port } = first.address();
    const second = t.socket('udp4');
    second.bind(port, '127.0.0.1', t.callback('never'));
    t.log('listeners', second.listenerCount('listening'), second.listenerCount('error'));
    const caught = (error: unknown) => t.log('uncaught', error);
    process.once('uncaughtException', caught);
    await t.settle();
    process.removeListener('uncaughtException', caught);
    t.log('listeners', second.listenerCount('listening'), second.listenerCount('error'));
    const third = t.socket('udp4');
    third.on('error', (error) => t.log('third', error));
    third.bind(port, '127.0.0.1', t.callback('never'));
    await t.settle();
    t.log('listeners', third.listenerCount('listening'), third.listenerCount('error'));
  },

  'an address that is not here': async (t) => {
    for (const [type, address] of [
      ['udp4', '198.51.100.7'],
      ['udp6', '2001:db8::7'],
      ['udp4', '255.255.255.255'],
      ['udp4', '224.0.0.1'],
    ]) {
      const socket = t.socket(type);
      t.watch(socket, address);
      socket.bind(0, address);
      await outcome(t, socket);
      t.attempt(`${address} address`, () => socket.address().address);
    }
  },

  'a name that cannot be found': async (t) => {
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.bind(0, 'nothing.invalid', t.callback('never'));
    await once(socket, 'error').catch(() => {});
    await t.settle();
    t.attempt('again', () => socket.bind(0, '127.0.0.1') === socket);
    await once(socket, 'listening');
    t.log('address', socket.address());
  },

  reuseAddr: async (t) => {
    const first = await t.bound({ type: 'udp4', reuseAddr: true });
    const { port } = first.address();
    const second = t.socket({ type: 'udp4', reuseAddr: true });
    t.watch(second, 'second');
    second.bind(port, '127.0.0.1');
    await outcome(t, second);
    const third = t.socket({ type: 'udp4' });
    t.watch(third, 'third');
    third.bind(port, '127.0.0.1');
    await outcome(t, third);
  },

  reusePort: async (t) => {
    if (!/reusePort/.test(String(NativeSocket))) return; // ignored by dgram, not by recvfromto
    const first = await t.bound({ type: 'udp4', reusePort: true });
    const { port } = first.address();
    for (const options of [{ reusePort: true }, { reuseAddr: true }, { reuseAddr: true, reusePort: true }, {}]) {
      const second = t.socket({ type: 'udp4', ...options });
      t.watch(second, JSON.stringify(options));
      second.bind(port, '127.0.0.1');
      await outcome(t, second);
    }
  },

  'errors again and again': async (t) => {
    const taken = (await t.bound()).address().port;
    const socket = t.socket('udp4');
    for (const address of ['127.0.0.1', 'nothing.invalid', '::1', '127.0.0.1']) {
      const failed = new Promise((resolve) => socket.once('error', resolve));
      socket.bind(taken, address, t.callback('never'));
      t.log(address, await failed);
      t.log('listeners', socket.listenerCount('listening'), socket.listenerCount('error'));
    }
    const bound = t.awaited('at last');
    socket.bind(0, '127.0.0.1', bound.call);
    await bound.called;
  },

  exclusive: async (t) => {
    const first = t.socket('udp4');
    t.watch(first, 'first');
    first.bind({ port: 0, address: '127.0.0.1', exclusive: true });
    await outcome(t, first);
    const second = t.socket('udp4');
    t.watch(second, 'second');
    t.namePort(first.address().port, 'FIRST');
    second.bind({ port: first.address().port, address: '127.0.0.1', exclusive: false });
    await outcome(t, second);
  },

  'the order of events': async (t) => {
    const socket = t.socket('udp4');
    socket.on('listening', () => t.log("'listening' of before"));
    socket.bind(0, '127.0.0.1', function (this: unknown, ...args: unknown[]) {
      t.log('callback', this === socket, ...args);
    });
    socket.on('listening', () => t.log("'listening' of after"));
    t.log('bind has returned');
    process.nextTick(() => t.log('tick'));
    queueMicrotask(() => t.log('microtask'));
    await outcome(t, socket);
    socket.emit('listening');
  },

  'a descriptor of another make': async (t) => {
    const libc = require(join(__dirname, '../../../dist/libc.js')) as typeof import('../../../src/libc');
    const { AF_INET, AF_INET6, SOCK_DGRAM, SOL_SOCKET, constants } = libc;
    for (const [type, family] of Object.entries({ udp4: AF_INET, udp6: AF_INET6 })) {
      for (const bound of [true, false]) {
        const fd = libc.socket(family, SOCK_DGRAM);
        const loopback = type === 'udp4' ? '127.0.0.1' : '::1';
        if (bound) libc.bind(fd, { address: loopback, port: 0 });
        const socket = t.socket(type);
        const name = `${bound ? 'a bound' : 'an unbound'} ${type}`;
        t.watch(socket, name);
        t.attempt(`${name}: bind`, () => socket.bind({ fd }) === socket);
        t.log('may be bound again', libc.getsockopt(fd, SOL_SOCKET, constants.SO_REUSEADDR));
        const peer = await t.peer(type as 'udp4' | 'udp6');
        const sent = t.awaited('sent');
        const heard = once(peer, 'message');
        t.attempt('send', () => socket.send('x', peer.address().port, loopback, sent.call));
        await sent.called;
        const arrived = await Promise.race([heard, t.settle()]);
        t.log('arrived', arrived !== undefined);
        t.attempt('address', () => socket.address());
      }
    }
  },

  'a descriptor': async (t) => {
    const owner = await t.peer();
    const socket = t.socket('udp4', (msg: unknown) => t.log('message', msg));
    const fd = descriptorOf(owner);
    t.log('there is one', typeof fd);
    // Of another process in real life: this one's loop may know a descriptor only once.
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const file = openSync(__filename, 'r');
    const handles = { none: 987, stdin: 2 ** 31 - 1, file, null: openSync('/dev/null', 'r'), float: 3.5 };
    for (const [name, number] of Object.entries(handles)) {
      const each = t.socket('udp4');
      each.on('error', (error) => t.log(`${name} 'error'`, error));
      t.attempt(name, () => each.bind({ fd: number }) === each);
      await t.settle(1);
    }
    const tcpFd = (tcp as unknown as { _handle: { fd: number } })._handle.fd;
    t.attempt('tcp', () => t.socket('udp4').bind({ fd: tcpFd }));
    closeSync(file);
    closeSync(handles.null);
    tcp.close();
    socket.close();
  },
};
