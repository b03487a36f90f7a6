/** send()'s arguments: every overload, connected and not, and all that is no message, port, address or slice. */
import { once } from 'node:events';
import type { Scenarios } from '../stage';

const hello = Buffer.from('hello');

function messages(): [string, unknown][] {
  const words = new Uint16Array([0x6161, 0x6262, 0x6363]);
  return [
    ['string', 'hello'],
    ['empty string', ''],
    ['Buffer', hello],
    ['empty Buffer', Buffer.alloc(0)],
    ['Uint8Array', new Uint8Array(hello)],
    ['Uint16Array', words],
    ['subarray', words.subarray(1)],
    ['DataView', new DataView(words.buffer, 2, 3)],
    ['array', ['he', Buffer.from('ll'), new Uint8Array([111])]],
    ['array of words', [words, 'x', new DataView(words.buffer, 1, 2)]],
    ['empty array', []],
    ['array of nothing', ['', Buffer.alloc(0)]],
    ['long array', Array.from({ length: 40 }, (_, i) => `${i},`)],
    ['unicode', 'grüße 🌍'],
    ['SharedArrayBuffer view', new Uint8Array(new SharedArrayBuffer(3))],
    ['1400 bytes', Buffer.alloc(1400, 'x')],
  ];
}

const NO_MESSAGES: unknown[] = [
  undefined,
  null,
  5,
  true,
  {},
  Symbol('s'),
  10n,
  () => {},
  [5],
  ['a', null],
  [[]],
  [['a']],
  new ArrayBuffer(3),
  new Date(0),
];
const NO_PORTS = [undefined, null, -1, 0, 1.5, 65536, '', 'abc', true, {}, [], Number.NaN, 10n, Symbol('s'), () => {}];
const NO_ADDRESSES = [0, 5, true, false, {}, [], Symbol('s'), 10n];

type View = new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView;

/** Views of memory that was transferred, and of memory that shrank away from under them. */
function gone(): Record<string, ArrayBufferView> {
  const views: Record<string, ArrayBufferView> = {};
  const Resizable = ArrayBuffer as unknown as new (size: number, options: object) => ArrayBuffer;
  for (const Type of [Uint8Array, Uint16Array, DataView] as View[]) {
    const moved = new ArrayBuffer(8);
    views[`transferred ${Type.name}`] = new Type(moved, 4, 2);
    structuredClone(moved, { transfer: [moved] });
    const shrunk = new Resizable(8, { maxByteLength: 16 });
    views[`shrunk ${Type.name}`] = new Type(shrunk, 4, 2);
    (shrunk as unknown as { resize(size: number): void }).resize(2);
  }
  return views;
}

export const scenarios: Scenarios = {
  'messages of all kinds': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const sockets = [await t.bound(), await t.connected(peer)];
    for (const [name, message] of messages()) {
      t.log(name);
      const sent = t.awaited('sent');
      await t.heard(peer, () => sockets[0].send(message, port, '127.0.0.1', sent.call));
      await sent.called;
      const again = t.awaited('sent, connected');
      await t.heard(peer, () => sockets[1].send(message, again.call));
      await again.called;
    }
  },

  'forms, not connected': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = await t.bound();
    const a = '127.0.0.1';
    const callback = t.callback('callback');
    const forms: unknown[][] = [
      [hello, 1, 3, port, a, callback],
      [hello, 1, 3, port, a],
      [hello, 1, 3, port, callback],
      [hello, 1, 3, port],
      [hello, port, a, callback],
      [hello, port, a],
      [hello, port, callback],
      [hello, port],
      [hello, String(port), a],
      [hello, 0, 5, String(port), a],
      [hello, '1', '3', port, a],
      [hello, 1.9, 3.9, port, a],
      [hello, null, 2, port, a],
      [hello, undefined, 2, port, a],
      [hello, -(2 ** 32), 2, port, a],
      ['hello', 1, 3, port, a],
      [new Uint16Array([1, 2, 3]), 1, 3, port, a],
      [hello, 5, 0, port, a],
      [hello, port, null],
      [hello, port, undefined],
      [hello, port, ''],
      [hello, port, undefined, callback],
      [hello, port, null, callback],
      [hello, 0, 5, port, null, callback],
      [hello, 0, 5, port, undefined, callback],
      [hello, 0, 5, port, '', callback],
      [hello, port, a, null],
      [hello, port, a, 'no callback'],
      [hello, port, 'localhost', callback],
      [['a', 'b'], port, a],
      [['a', 'b'], port, callback],
    ];
    for (const form of forms) {
      t.log(`send(${form.map((each) => t.spell(each)).join(', ')})`);
      await t.heard(peer, () => t.log('returns', socket.send(...form)));
      await t.settle(2);
    }
  },

  'forms, connected': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = await t.connected(peer);
    const callback = t.callback('callback');
    const forms: unknown[][] = [
      [hello, 1, 3, callback],
      [hello, 1, 3],
      [hello, callback],
      [hello],
      ['hello', 1, 3],
      [['a', 'b'], callback],
      [['a', 'b']],
      [hello, null],
      [hello, undefined, undefined, callback],
      [hello, callback, 5],
      [hello, 0, 5, null, null, callback],
      [hello, 0, 5, 0, '', callback],
      [hello, 0],
    ];
    for (const form of forms) {
      t.log(`send(${form.map((each) => t.spell(each)).join(', ')})`);
      await t.heard(peer, () => t.log('returns', socket.send(...form)));
      await t.settle(2);
    }
    for (const form of [
      [hello, port],
      [hello, port, '127.0.0.1'],
      [hello, 0, 5, port, '127.0.0.1'],
      [hello, 0, 5, port],
      [hello, 0, 5, null, '127.0.0.1'],
      [hello, 0, undefined, port],
      [hello, 0, undefined, callback],
    ] as unknown[][]) {
      t.attempt(`send(${form.map((each) => t.spell(each)).join(', ')})`, () => socket.send(...form));
      await t.settle(2);
    }
  },

  'no messages': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const [socket, toPeer] = [await t.bound(), await t.connected(peer)];
    for (const message of NO_MESSAGES) {
      const name = t.spell(message);
      t.attempt(`send(${name}, port)`, () => socket.send(message, port));
      t.attempt(`send(${name}, 0, 1, port)`, () => socket.send(message, 0, 1, port));
      t.attempt(`send(${name})`, () => toPeer.send(message));
      t.attempt(`send(${name}, 0, 1)`, () => toPeer.send(message, 0, 1));
    }
    t.attempt('send(array, 0, 1, port)', () => socket.send(['a', 'b'], 0, 1, port));
    t.attempt('send()', () => socket.send());
    t.attempt('send() connected', () => toPeer.send());
  },

  'no ports': async (t) => {
    const socket = await t.bound();
    for (const port of NO_PORTS) {
      t.attempt(`send(m, ${t.spell(port)})`, () => socket.send('m', port));
      t.attempt(`send(m, ${t.spell(port)}, address)`, () => socket.send('m', port, '127.0.0.1'));
      t.attempt(`send(m, 0, 1, ${t.spell(port)}, address)`, () => socket.send('m', 0, 1, port, '127.0.0.1'));
    }
    await t.settle();
  },

  'no addresses': async (t) => {
    const socket = await t.bound();
    for (const address of NO_ADDRESSES) {
      t.attempt(`send(m, 9, ${t.spell(address)})`, () => socket.send('m', 9, address));
      t.attempt(`send(m, 0, 1, 9, ${t.spell(address)})`, () => socket.send('m', 0, 1, 9, address));
    }
    await t.settle();
  },

  'outside of the buffer': async (t) => {
    const socket = await t.bound();
    for (const [offset, length] of [
      [6, 0],
      [0, 6],
      [3, 3],
      [-1, 1],
      [0, -1],
      [2 ** 31, 1],
      ['a', 'b'],
      [{}, 5],
      [Number.NaN, 6],
    ]) {
      t.attempt(`${t.spell(offset)}, ${t.spell(length)}`, () => socket.send(hello, offset, length, 9, '127.0.0.1'));
    }
    await t.settle();
  },

  'which mistake is told first': async (t) => {
    const socket = await t.bound();
    t.attempt('message, port, address', () => socket.send(5, 0, 0, 0, 5));
    t.attempt('message, port', () => socket.send(5, 0));
    t.attempt('bounds, port', () => socket.send('m', 0, 9, 'x', '127.0.0.1'));
    t.attempt('port, address', () => socket.send('m', 0, 5));
    socket.close();
    t.attempt('closed: message', () => socket.send(5, 9));
    t.attempt('closed: port', () => socket.send('m', 0));
    t.attempt('closed: address', () => socket.send('m', 9, 5));
    t.attempt('closed', () => socket.send('m', 9));
  },

  sendto: async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = await t.bound();
    const sendto = (...args: unknown[]) => (socket.sendto as (...args: unknown[]) => unknown)(...args);
    const sent = t.awaited('sent');
    await t.heard(peer, () => sendto(hello, 1, 3, port, '127.0.0.1', sent.call));
    await sent.called;
    t.attempt('offset', () => sendto(hello, '1', 3, port, '127.0.0.1'));
    t.attempt('length', () => sendto(hello, 1, undefined, port, '127.0.0.1'));
    t.attempt('port', () => sendto(hello, 1, 3, '9', '127.0.0.1'));
    t.attempt('address', () => sendto(hello, 1, 3, port, undefined));
    t.attempt('bounds', () => sendto(hello, 1, 9, port, '127.0.0.1'));
  },

  'memory that is gone': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const [socket, toPeer] = [await t.bound(), await t.connected(peer)];
    let heard = 0;
    peer.on('message', (msg) => {
      heard++;
      t.log('heard', msg.length);
    });
    for (const [name, view] of Object.entries(gone())) {
      t.attempt(`${name} sliced`, () => socket.send(view, 0, 0, port, '127.0.0.1'));
      t.attempt(`${name} sliced too long`, () => socket.send(view, 0, 2, port, '127.0.0.1'));
      t.attempt(`${name} in an array`, () => socket.send([view], port, '127.0.0.1'));
      const before = heard;
      t.attempt(name, () => socket.send(view, port, '127.0.0.1', t.callback('sent')));
      while (heard === before) await once(peer, 'message');
      t.attempt(`${name} to the peer`, () => toPeer.send(view, t.callback('sent')));
      while (heard < before + 2) await once(peer, 'message');
      await t.settle(2);
    }
  },
};
