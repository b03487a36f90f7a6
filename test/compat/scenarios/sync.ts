/** bindSync() and connectSync(), on the lines that have them. recvfromto has them on every line. */
import { once } from 'node:events';
import { type LooseSocket, NativeSocket, type Scenarios } from '../stage';

const given = 'bindSync' in NativeSocket.prototype;
const bindSync = (socket: LooseSocket, ...args: unknown[]) =>
  (socket.bindSync as (...args: unknown[]) => unknown)(...args);
const connectSync = (socket: LooseSocket, ...args: unknown[]) =>
  (socket.connectSync as (...args: unknown[]) => unknown)(...args);

const all: Scenarios = {
  bindSync: async (t) => {
    for (const [type, ...args] of [
      ['udp4'],
      ['udp6'],
      ['udp4', {}],
      ['udp4', { port: 0, address: '127.0.0.1' }],
      ['udp6', { address: '::1' }],
      ['udp4', { address: '' }],
      ['udp4', { port: '0' }],
      ['udp4', { port: null }],
    ] as const) {
      const socket = t.socket(type);
      t.watch(socket, type);
      t.attempt(`bindSync(${t.spell(args)})`, () => bindSync(socket, ...args));
      t.attempt('address', () => socket.address());
      t.attempt('bind', () => socket.bind(0));
      t.attempt('bindSync', () => bindSync(socket));
      await once(socket, 'listening');
    }
  },

  'bindSync: what is wrong': async (t) => {
    const taken = (await t.bound()).address().port;
    const socket = t.socket('udp4');
    for (const args of [
      [null],
      [5],
      ['x'],
      [[]],
      [() => {}],
      [{ port: -1 }],
      [{ port: 65536 }],
      [{ port: 'abc' }],
      [{ port: 1.5 }],
      [{ address: 5 }],
      [{ address: 'localhost' }],
      [{ address: '::1' }],
      [{ address: '198.51.100.7' }],
      [{ address: '127.0.0.1', port: taken }],
    ]) {
      t.attempt(`bindSync(${t.spell(args)})`, () => bindSync(socket, ...args));
    }
    t.attempt('at last', () => bindSync(socket, { address: '127.0.0.1' }));
    await once(socket, 'listening');
    socket.close();
    t.attempt('closed', () => bindSync(socket));
    t.attempt('closed, bad', () => bindSync(socket, 5));
    const closing = t.socket('udp4');
    t.watch(closing, 'closing');
    bindSync(closing);
    closing.close();
    await t.settle();
  },

  connectSync: async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    for (const args of [[port], [port, '127.0.0.1'], [String(port), null], [port, '']]) {
      const socket = t.socket('udp4');
      t.watch(socket);
      t.attempt('connectSync', () => connectSync(socket, ...args));
      t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
      t.log('address', socket.address().address);
      t.attempt('again', () => connectSync(socket, port));
      t.attempt('connect', () => socket.connect(port));
      socket.send('hello', t.callback('sent'));
      t.log('peer hears', (await once(peer, 'message'))[0]);
      (socket.disconnect as () => void)();
      t.attempt('and again', () => connectSync(socket, port));
      await t.settle(1);
    }
  },

  'connectSync: what is wrong': async (t) => {
    const socket = t.socket('udp4');
    for (const args of [[], [0], [-1], ['abc'], [65536], [9, 5], [9, 'localhost'], [9, {}]]) {
      t.attempt(`connectSync(${t.spell(args)})`, () => connectSync(socket, ...args));
    }
    t.attempt('other family', () => connectSync(socket, 9, '::1'));
    t.attempt('broadcast', () => connectSync(socket, 9, '255.255.255.255'));
    t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
    t.attempt('at last', () => connectSync(socket, 9, '127.0.0.1'));
    const binding = t.socket('udp4');
    binding.bind(0, '127.0.0.1');
    t.attempt('while binding', () => connectSync(binding, 9));
    socket.close();
    t.attempt('closed', () => connectSync(socket, 9));
    t.attempt('closed, bad', () => connectSync(socket, 0));
    await t.settle();
  },
};

export const scenarios: Scenarios = given ? all : {};
