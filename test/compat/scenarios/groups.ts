/** Multicast and what is set on the descriptor: memberships, interfaces, time to live, broadcast, buffers. */
import { once } from 'node:events';
import type { LooseSocket, Scenarios } from '../stage';

const call = (socket: LooseSocket, name: string, ...args: unknown[]) =>
  (socket[name] as (...args: unknown[]) => unknown)(...args);
const NUMBERS = [-1, 0, 1, 64, 255, 256, 1000, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32 + 5, -(2 ** 32) + 7];
const NO_NUMBERS = [undefined, null, '5', true, {}, [], 10n, Symbol('s')];
const FLAGS = [true, false, 1, 0, 'on', '', undefined, null, {}];
const GROUPS: unknown[][] = [
  ['224.0.0.114', '127.0.0.1'],
  ['224.0.0.114', '127.0.0.1'],
  ['224.0.0.115'],
  ['224.0.0.116', ''],
  ['224.0.0.116', null],
  ['224.0.0.117', '198.51.100.7'],
  ['224.0.0.117', 'no address'],
  ['224.0.0.117', '::1'],
  ['224.0.0.117', 5],
  ['127.0.0.1'],
  ['10.0.0.1', '127.0.0.1'],
  ['no address'],
  [''],
  [undefined],
  [null],
  [0],
  [5],
  [true],
  [{}],
  ['ff02::1:114', '::1%lo'],
  ['ff02::1:114', '::%lo'],
  ['ff02::1:115', '127.0.0.1'],
  ['ff02::1:115', '::%nosuch'],
  ['::1', '::%lo'],
];

export const scenarios: Scenarios = {
  memberships: async (t) => {
    for (const type of ['udp4', 'udp6']) {
      const socket = await t.bound(type, type === 'udp4' ? '0.0.0.0' : '::');
      for (const args of GROUPS) {
        const name = `${type} ${t.spell(args)}`;
        t.attempt(`add ${name}`, () => call(socket, 'addMembership', ...args));
      }
      for (const args of [...GROUPS, ['224.0.0.118', '127.0.0.1']]) {
        t.attempt(`drop ${type} ${t.spell(args)}`, () => call(socket, 'dropMembership', ...args));
      }
    }
  },

  'zones that are numbers, or no interface': async (t) => {
    for (const type of ['udp4', 'udp6']) {
      const socket = await t.bound(type, type === 'udp4' ? '0.0.0.0' : '::');
      for (const zone of ['::%12', '::%1', '::%lo', '::%nosuch', 'fe80::1%12', '::1%12', '127.0.0.1%12', '::%', '%1']) {
        const group = 'ff02::1:fb';
        t.attempt(`${type} interface ${zone}`, () => call(socket, 'setMulticastInterface', zone));
        t.attempt(`${type} add ${zone}`, () => call(socket, 'addMembership', group, zone));
        t.attempt(`${type} drop ${zone}`, () => call(socket, 'dropMembership', group, zone));
        const source = ['::1', 'ff32::1:fb', zone];
        t.attempt(`${type} add of ${zone}`, () => call(socket, 'addSourceSpecificMembership', ...source));
        t.attempt(`${type} drop of ${zone}`, () => call(socket, 'dropSourceSpecificMembership', ...source));
      }
    }
  },

  'memberships of one source': async (t) => {
    const calls: unknown[][] = [
      ['127.0.0.1', '232.0.0.114', '127.0.0.1'],
      ['127.0.0.1', '232.0.0.114', '127.0.0.1'],
      ['127.0.0.1', '232.0.0.115'],
      ['127.0.0.1', '232.0.0.116', ''],
      ['127.0.0.1', '232.0.0.116', 'no address'],
      ['no address', '232.0.0.116', '127.0.0.1'],
      ['127.0.0.1', 'no address', '127.0.0.1'],
      ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
      ['::1', '232.0.0.116', '127.0.0.1'],
      ['::1', 'ff32::1:114', '::%lo'],
      ['::1', 'ff32::1:114', '127.0.0.1'],
      ['127.0.0.1', 'ff32::1:114', '::%lo'],
      [undefined, '232.0.0.114'],
      [0, '232.0.0.114'],
      ['127.0.0.1'],
      ['127.0.0.1', 5],
      ['', ''],
    ];
    for (const type of ['udp4', 'udp6']) {
      const socket = await t.bound(type, type === 'udp4' ? '0.0.0.0' : '::');
      for (const method of ['addSourceSpecificMembership', 'dropSourceSpecificMembership']) {
        for (const args of calls) t.attempt(`${type} ${method} ${t.spell(args)}`, () => call(socket, method, ...args));
      }
      t.attempt('mixed add', () => call(socket, 'addMembership', '232.0.0.114', '127.0.0.1'));
    }
  },

  'memberships before bind': async (t) => {
    const socket = t.socket('udp4');
    t.watch(socket);
    t.attempt('drop', () => call(socket, 'dropMembership', '224.0.0.114', '127.0.0.1'));
    t.attempt('address', () => socket.address());
    t.attempt('add', () => call(socket, 'addMembership', '224.0.0.114', '127.0.0.1'));
    t.attempt('bind', () => socket.bind(0, '127.0.0.1') === socket);
    await t.settle();
    const bad = t.socket('udp4');
    t.attempt('add nothing', () => call(bad, 'addMembership', 'no address'));
    t.attempt('address', () => bad.address());
    t.attempt('add to a bad interface', () => call(bad, 'addMembership', '224.0.0.114', 'no address'));
    t.attempt('address', () => bad.address().address);
    const six = t.socket('udp6');
    t.attempt('add IPv6', () => call(six, 'addMembership', 'ff02::1:114', '::%lo'));
    t.attempt('address', () => six.address().address);
    const one = t.socket('udp4');
    t.attempt('add one source', () =>
      call(one, 'addSourceSpecificMembership', '127.0.0.1', '232.0.0.114', '127.0.0.1'),
    );
    t.attempt('address', () => one.address().address);
  },

  'a message to a group': async (t) => {
    const socket = await t.bound({ type: 'udp4', reuseAddr: true }, '0.0.0.0');
    const { port } = socket.address();
    t.watch(socket);
    call(socket, 'addMembership', '224.0.0.114', '127.0.0.1');
    call(socket, 'setMulticastInterface', '127.0.0.1');
    t.log('loopback', call(socket, 'setMulticastLoopback', true));
    const heard = once(socket, 'message');
    socket.send('to the group', port, '224.0.0.114', t.callback('sent'));
    await heard;
    call(socket, 'setMulticastLoopback', false);
    socket.send('not to us', port, '224.0.0.114', t.callback('sent'));
    await t.settle();
    call(socket, 'dropMembership', '224.0.0.114', '127.0.0.1');
    call(socket, 'setMulticastLoopback', true);
    socket.send('to nobody', port, '224.0.0.114', t.callback('sent'));
    await t.settle();
  },

  numbers: async (t) => {
    for (const type of ['udp4', 'udp6']) {
      const [socket, unbound] = [await t.bound(type), t.socket(type)];
      for (const method of ['setTTL', 'setMulticastTTL']) {
        for (const value of [...NUMBERS, ...NO_NUMBERS]) {
          t.attempt(`${type} ${method}(${t.spell(value)})`, () => call(socket, method, value));
          t.attempt(`unbound ${method}(${t.spell(value)})`, () => call(unbound, method, value));
        }
      }
    }
  },

  flags: async (t) => {
    for (const type of ['udp4', 'udp6']) {
      const [socket, unbound] = [await t.bound(type), t.socket(type)];
      for (const method of ['setBroadcast', 'setMulticastLoopback']) {
        for (const value of FLAGS) {
          t.attempt(`${type} ${method}(${t.spell(value)})`, () => call(socket, method, value));
          t.attempt(`unbound ${method}(${t.spell(value)})`, () => call(unbound, method, value));
        }
      }
    }
  },

  interfaces: async (t) => {
    for (const type of ['udp4', 'udp6']) {
      const [socket, unbound] = [await t.bound(type), t.socket(type)];
      for (const value of [
        '127.0.0.1',
        '0.0.0.0',
        '::%lo',
        '::1',
        '::%nosuch',
        '198.51.100.7',
        '224.0.0.1',
        '',
        'lo',
        undefined,
        null,
        5,
      ]) {
        t.attempt(`${type} ${t.spell(value)}`, () => call(socket, 'setMulticastInterface', value));
        t.attempt(`unbound ${t.spell(value)}`, () => call(unbound, 'setMulticastInterface', value));
      }
    }
  },

  broadcast: async (t) => {
    const socket = await t.bound('udp4', '0.0.0.0');
    const refused = t.awaited('without');
    socket.send('x', 9, '255.255.255.255', refused.call);
    await refused.called;
    call(socket, 'setBroadcast', true);
    const sent = t.awaited('with');
    socket.send('x', 9, '127.255.255.255', sent.call);
    await sent.called;
    call(socket, 'setBroadcast', false);
    const again = t.awaited('without again');
    socket.send('x', 9, '127.255.255.255', again.call);
    await again.called;
  },

  'buffer sizes': async (t) => {
    for (const method of ['RecvBufferSize', 'SendBufferSize']) {
      const [socket, unbound] = [await t.bound(), t.socket('udp4')];
      t.attempt(`unbound get${method}`, () => call(unbound, `get${method}`));
      t.attempt(`unbound set${method}`, () => call(unbound, `set${method}`, 8192));
      for (const size of [
        -1,
        1.5,
        'abc',
        '',
        '8192',
        null,
        undefined,
        {},
        true,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        2 ** 32,
        2 ** 31,
        2 ** 31 - 1,
        10n,
        0,
        1,
        8192,
        30_000,
      ]) {
        t.attempt(`set${method}(${t.spell(size)})`, () => call(socket, `set${method}`, size));
        t.attempt(`get${method}`, () => call(socket, `get${method}`));
      }
    }
  },

  'buffer sizes as options': async (t) => {
    const socket = await t.bound({ type: 'udp4', recvBufferSize: 10_000, sendBufferSize: 15_000 });
    t.log('sizes', call(socket, 'getRecvBufferSize'), call(socket, 'getSendBufferSize'));
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    const bad = t.socket({ type: 'udp4', recvBufferSize: 2 ** 31 });
    t.watch(bad, 'bad');
    bad.bind(0, '127.0.0.1');
    t.log('uncaught', await caught);
    t.attempt('address', () => bad.address().address);
  },

  'queue sizes': async (t) => {
    const socket = await t.bound();
    t.log('at rest', call(socket, 'getSendQueueSize'), call(socket, 'getSendQueueCount'));
    t.log('unbound', call(t.socket('udp4'), 'getSendQueueSize'), call(t.socket('udp4'), 'getSendQueueCount'));
    const sent = t.awaited('sent');
    socket.send('hello', 9, '127.0.0.1', sent.call);
    await sent.called;
    t.log('after', call(socket, 'getSendQueueSize'), call(socket, 'getSendQueueCount'));
  },
};
