/** connect(), disconnect(), remoteAddress(): arguments, states, errors and orders. */
import { once } from 'node:events';
import type { Scenarios } from '../stage';

const PORTS = [
  undefined,
  null,
  -1,
  0,
  1.5,
  65536,
  70000,
  '',
  ' ',
  'abc',
  '-1',
  true,
  {},
  [],
  Number.NaN,
  Number.POSITIVE_INFINITY,
  10n,
  Symbol('s'),
];

export const scenarios: Scenarios = {
  'ports that are none': (t) => {
    const socket = t.socket('udp4');
    for (const port of PORTS) t.attempt(`connect(${t.spell(port)})`, () => socket.connect(port, t.callback('never')));
    t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
  },

  'addresses that are none': (t) => {
    for (const address of [null, 5, true, {}, [], Symbol('s'), 10n]) {
      const socket = t.socket('udp4');
      t.attempt(`connect(9, ${t.spell(address)})`, () => socket.connect(9, address, t.callback('never')));
    }
  },

  'bound, with a callback': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    t.watch(socket);
    const connected = t.awaited('callback');
    t.log('returns', socket.connect(peer.address().port, '127.0.0.1', connected.call));
    t.log('listeners', socket.listenerCount('connect'));
    t.attempt('while connecting', () => socket.connect(peer.address().port));
    t.attempt('remoteAddress while connecting', () => (socket.remoteAddress as () => unknown)());
    t.attempt('disconnect while connecting', () => (socket.disconnect as () => unknown)());
    await connected.called;
    t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
    t.attempt('address', () => socket.address());
    t.attempt('again', () => socket.connect(peer.address().port));
    t.log('listeners', socket.listenerCount('connect'));
    const heard = once(peer, 'message');
    const sent = t.awaited('sent');
    socket.send('hello', sent.call);
    await sent.called;
    t.log('peer hears', (await heard)[0]);
    t.attempt('disconnect', () => (socket.disconnect as () => unknown)());
    t.attempt('disconnect again', () => (socket.disconnect as () => unknown)());
    t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
    t.attempt('address', () => socket.address().address);
    const again = t.awaited('again');
    socket.connect(peer.address().port, again.call);
    await again.called;
    t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
  },

  unbound: async (t) => {
    const peer = await t.peer();
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.connect(peer.address().port, t.callback('callback'));
    t.attempt('twice', () => socket.connect(peer.address().port));
    t.attempt('bind', () => socket.bind(0));
    t.attempt('disconnect', () => (socket.disconnect as () => unknown)());
    t.attempt('send to the peer to be', () => socket.send('early', t.callback('early')));
    t.attempt('send elsewhere', () => socket.send('x', peer.address().port, '127.0.0.1', t.callback('elsewhere')));
    await once(socket, 'connect');
    await t.settle();
    t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
    t.log('address', socket.address().address);
  },

  'by names and default addresses': async (t) => {
    for (const [type, address] of [
      ['udp4', 'localhost'],
      ['udp4', ''],
      ['udp4', undefined],
      ['udp6', undefined],
      ['udp6', '::1'],
      ['udp6', '::ffff:127.0.0.1'],
    ] as const) {
      const peer = await t.peer(address?.includes('.') || type === 'udp4' ? 'udp4' : 'udp6');
      const socket = t.socket(type);
      const connected = t.awaited(`${type} ${address}`);
      socket.connect(peer.address().port, address, connected.call);
      await connected.called;
      t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
    }
  },

  failures: async (t) => {
    for (const [type, address] of [
      ['udp4', '::1'],
      ['udp6', '127.0.0.1'],
      ['udp4', 'nothing.invalid'],
      ['udp4', '255.255.255.255'],
      ['udp6', 'fe80::1'],
    ] as const) {
      const socket = t.socket(type);
      t.watch(socket, `${type} ${address}`);
      const failed = t.awaited('callback');
      socket.connect(1234, address, failed.call);
      await failed.called;
      t.log('listeners', socket.listenerCount('connect'));
      t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
      const refused = new Promise((resolve) => socket.once('error', resolve));
      socket.connect(1234, address);
      await refused;
      await t.settle();
      t.attempt('then to another', () => socket.connect(1235, type === 'udp4' ? '127.0.0.1' : '::1'));
      await t.settle();
      t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
    }
  },

  'failures that nobody hears': async (t) => {
    const socket = t.socket('udp4');
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    socket.connect(1234, '::1');
    t.log('uncaught', await caught);
  },

  'callbacks that are none': async (t) => {
    const peer = await t.peer();
    for (const callback of [null, undefined, 0, '']) {
      const socket = await t.bound();
      t.attempt(`connect(port, address, ${t.spell(callback)})`, () =>
        socket.connect(peer.address().port, '127.0.0.1', callback),
      );
      await once(socket, 'connect');
    }
  },

  closed: async (t) => {
    const socket = t.socket('udp4');
    socket.close();
    t.attempt('connect', () => socket.connect(1234));
    t.attempt('bad port', () => socket.connect(0));
    t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
    t.attempt('disconnect', () => (socket.disconnect as () => unknown)());
    const other = t.socket('udp4');
    t.watch(other, 'other');
    other.connect(1234, '127.0.0.1', t.callback('never'));
    other.close();
    await t.settle();
  },

  'closed while connecting': async (t) => {
    const socket = await t.bound();
    t.watch(socket);
    socket.connect(1234, '127.0.0.1', t.callback('never'));
    socket.close(t.callback('closed'));
    await t.settle();
  },

  'what a connected socket hears': async (t) => {
    const [peer, stranger] = [await t.peer(), await t.peer()];
    const socket = await t.bound();
    const connected = t.awaited('connected');
    socket.connect(peer.address().port, '127.0.0.1', connected.call);
    await connected.called;
    t.watch(socket);
    stranger.send('from a stranger', socket.address().port, '127.0.0.1');
    peer.send('from the peer', socket.address().port, '127.0.0.1');
    await once(socket, 'message');
    await t.settle();
    (socket.disconnect as () => void)();
    stranger.send('from a stranger again', socket.address().port, '127.0.0.1');
    await once(socket, 'message');
  },

  'a peer that is not there': async (t) => {
    const gone = await t.peer();
    const { port } = gone.address();
    gone.close();
    const socket = await t.bound();
    t.watch(socket);
    const connected = t.awaited('connected');
    socket.connect(port, '127.0.0.1', connected.call);
    await connected.called;
    const refused = once(socket, 'message').catch((error) => t.log('refused', error));
    socket.send('x', t.callback('sent'));
    await refused;
    await t.settle();
    t.attempt('still connected', () => (socket.remoteAddress as () => unknown)());
    const again = once(socket, 'message').catch((error) => t.log('refused again', error));
    socket.send('y', t.callback('sent'));
    await again;
  },
};
