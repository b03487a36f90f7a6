/** Making sockets: types, options and what is wrong with them; the forms in which Socket is used. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { inherits } from 'node:util';
import { type LooseSocket, NativeSocket, type Scenarios } from '../stage';

const WRONG = [
  undefined,
  null,
  0,
  1,
  -1,
  1.5,
  Number.NaN,
  2 ** 32,
  2 ** 53,
  10n,
  '',
  'abc',
  true,
  false,
  [],
  {},
  () => {},
];

class Base {}

export const scenarios: Scenarios = {
  types: (t) => {
    for (const type of ['udp4', 'udp6', 'udp5', 'UDP4', ' udp4', 'tcp', ...WRONG]) {
      t.attempt(`type ${t.spell(type)}`, () => t.socket(type).type);
      t.attempt(`options.type ${t.spell(type)}`, () => t.socket({ type }).type);
    }
    t.attempt('none', () => t.socket().type);
    t.attempt('with its own toString', () => t.socket({ type: 'udp6', toString: () => 'udp4' }).type);
    t.attempt('inherited', () => t.socket(Object.create({ type: 'udp6' })).type);
  },

  listeners: (t) => {
    for (const listener of [undefined, null, 'abc', {}, () => {}]) {
      t.attempt(`listener ${t.spell(listener)}`, () => t.socket('udp4', listener).listenerCount('message'));
    }
  },

  'buffer size options': (t) => {
    for (const value of WRONG) {
      for (const name of ['recvBufferSize', 'sendBufferSize']) {
        t.attempt(`${name} ${t.spell(value)}`, () => t.socket({ type: 'udp4', [name]: value }).type);
      }
    }
  },

  'lookup option': (t) => {
    for (const value of WRONG) {
      t.attempt(`lookup ${t.spell(value)}`, () => t.socket({ type: 'udp4', lookup: value }).type);
    }
  },

  'signal option': (t) => {
    for (const value of [...WRONG, new EventEmitter(), { aborted: false, addEventListener() {} }]) {
      t.attempt(`signal ${t.spell(value)}`, () => t.socket({ type: 'udp4', signal: value }).type);
    }
  },

  'which mistake is told first': (t) => {
    const signal = 'no signal';
    const lookup = 'no function';
    t.attempt('all', () => t.socket({ type: 'x', lookup, signal, recvBufferSize: 'r', sendBufferSize: 's' }));
    t.attempt('all but recvBufferSize', () => t.socket({ type: 'x', lookup, signal, sendBufferSize: 's' }));
    t.attempt('type, lookup, signal', () => t.socket({ type: 'x', lookup, signal }));
    t.attempt('type, signal', () => t.socket({ type: 'x', signal }));
    t.attempt('signal', () => t.socket({ type: 'udp4', signal }));
  },

  'the constructor': (t) => {
    const { Socket } = t.dgram;
    const socket = t.held(new Socket('udp4'));
    t.log('instance of Socket', socket instanceof Socket);
    t.log('instance of EventEmitter', socket instanceof EventEmitter);
    t.log('created is an instance', t.socket('udp6') instanceof Socket);
    t.log("instance of node:dgram's Socket", socket instanceof NativeSocket);
    t.log('constructor', socket.constructor === (Socket as unknown));
    t.log('prototype', Object.getPrototypeOf(socket) === Socket.prototype);
    t.log('name and length', Socket.name, Socket.length, t.dgram.createSocket.length);
    t.log(
      'keys of its own',
      Object.keys(socket).filter((key) => !key.startsWith('_')),
    );
    t.log('inherits', Object.getPrototypeOf(Socket) === EventEmitter);
    t.log('defaultMaxListeners', (Socket as unknown as typeof EventEmitter).defaultMaxListeners);
  },

  'extended by a class': async (t) => {
    const base = t.dgram.Socket as unknown as { new (type: unknown, listener?: unknown): Base };
    class Chatty extends base {
      readonly name: string;
      constructor(options: unknown) {
        super(options, () => {});
        this.name = 'chatty';
      }
      greet(this: LooseSocket & Chatty) {
        return `${this.name} ${this.type} ${this.listenerCount('message')}`;
      }
    }
    const socket = new Chatty({ type: 'udp4' }) as unknown as LooseSocket & { greet(): string };
    t.held(socket);
    t.log('greets', socket.greet(), socket instanceof Chatty, socket instanceof t.dgram.Socket);
    const bound = t.awaited('bound');
    socket.bind(0, '127.0.0.1', bound.call);
    await bound.called;
    t.log('address', socket.address());
  },

  'extended as in old days': async (t) => {
    const { Socket } = t.dgram;
    function Old(this: LooseSocket, type: unknown) {
      Socket.call(this, type, () => {});
      (this as unknown as { age: number }).age = 12;
    }
    inherits(Old as unknown as new () => object, Socket as unknown as new () => object);
    const socket = t.held(new (Old as unknown as new (type: unknown) => LooseSocket)('udp4'));
    t.log('instance', socket instanceof Socket, socket instanceof (Old as unknown as typeof Socket), socket.type);
    t.log('listeners', socket.listenerCount('message'), socket.age);
    const bound = t.awaited('bound');
    socket.bind(0, '127.0.0.1', bound.call);
    await bound.called;
    t.log('address', socket.address());
    t.attempt('bad type', () => new (Old as unknown as new (type: unknown) => LooseSocket)('udp5'));
  },

  'bound and captured functions': (t) => {
    const { createSocket } = t.dgram;
    t.log('captured', t.held(createSocket('udp4')).type);
    t.log('bound to null', t.held(createSocket.bind(null, 'udp6')()).type);
    t.log('Reflect.construct', t.held(Reflect.construct(t.dgram.Socket, ['udp4']) as LooseSocket).type);
  },

  'names on the prototype': (t) => {
    const { prototype } = t.dgram.Socket;
    const theirs = Object.getOwnPropertyNames(NativeSocket.prototype).filter(
      (name) => !name.startsWith('_') && name !== 'constructor',
    );
    for (const name of theirs.sort()) {
      const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
      t.log(name, typeof prototype[name], descriptor?.enumerable, descriptor?.writable, descriptor?.configurable);
    }
    const enumerable: string[] = [];
    for (const name in t.socket('udp4')) if (theirs.includes(name)) enumerable.push(name);
    t.log('for in', enumerable.sort().join(' '));
    t.log('asyncDispose', typeof prototype[Symbol.asyncDispose as unknown as string]);
  },

  'patched methods are used': async (t) => {
    const socket = t.socket('udp4');
    const { bind } = socket;
    socket.bind = (...args: unknown[]) => {
      t.log('bind is called with', ...args);
      return bind.apply(socket, args);
    };
    const sent = t.awaited('sent');
    socket.send('x', (await t.peer()).address().port, '127.0.0.1', sent.call);
    await sent.called;
  },

  'the diagnostics channel': (t) => {
    const hear = (message: unknown) => {
      const { socket } = message as { socket: LooseSocket };
      t.log('published', socket instanceof t.dgram.Socket, socket.type, socket.listenerCount('message'));
      t.log('keys', Object.keys(message as object));
    };
    subscribe('udp.socket', hear);
    t.socket('udp4', () => {});
    t.attempt('bad', () => t.socket('udp5'));
    unsubscribe('udp.socket', hear);
  },

  'an async iterator of events': async (t) => {
    const socket = await t.bound();
    const peer = await t.peer();
    t.log('emit returns', socket.emit('nothing'));
    socket.setMaxListeners(3);
    t.log('max', socket.getMaxListeners());
    const heard = new Promise((resolve) => socket.once('message', resolve));
    peer.send('hello', socket.address().port, '127.0.0.1');
    t.log('heard', await heard);
  },
};
