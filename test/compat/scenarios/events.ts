/** Messages and errors as events: order, listeners that throw, async context at every callback. */
import { AsyncLocalStorage, executionAsyncId } from 'node:async_hooks';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { inspect } from 'node:util';
import { memoryOf, type Scenarios } from '../stage';

export const scenarios: Scenarios = {
  'ticks and microtasks between messages': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    const done = new Promise<void>((resolve) => {
      socket.on('message', (msg) => {
        t.log('message', msg);
        process.nextTick(() => t.log(`tick of ${msg}`));
        Promise.resolve().then(() => t.log(`microtask of ${msg}`));
        if (String(msg) === '4') setImmediate(resolve);
      });
    });
    for (const i of [1, 2, 3, 4]) peer.send(`${i}`, socket.address().port, '127.0.0.1');
    await done;
  },

  'await once() for each message': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    for (let i = 0; i < 20; i++) peer.send(`${i}`, socket.address().port, '127.0.0.1');
    const heard: string[] = [];
    for (let i = 0; i < 20; i++) heard.push(String((await once(socket, 'message'))[0]));
    t.log('heard', heard.join(' '));
  },

  'a listener that throws': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    const caught = (error: Error, origin: string) => t.log('caught', error, origin);
    process.on('uncaughtException', caught);
    const last = new Promise<void>((resolve) => {
      socket.on('message', (msg) => {
        t.log('message', msg);
        if (String(msg) === '3') resolve();
        throw new Error(`thrown for ${msg}`);
      });
      socket.on('message', () => t.log('never'));
    });
    for (const i of [1, 2, 3]) peer.send(`${i}`, socket.address().port, '127.0.0.1');
    await last;
    await t.settle();
    process.removeListener('uncaughtException', caught);
    t.log('still open', socket.address().address);
  },

  'a listener that rejects': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    const caught = new Promise((resolve) => process.once('unhandledRejection', resolve));
    socket.on('message', async (msg) => {
      throw new Error(`rejected for ${msg}`);
    });
    peer.send('1', socket.address().port, '127.0.0.1');
    t.log('caught', await caught);
  },

  "'listening' that throws": async (t) => {
    const socket = t.socket('udp4');
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    socket.on('listening', () => {
      throw new Error("thrown by 'listening'");
    });
    socket.bind(0, '127.0.0.1', t.callback('bound'));
    t.log('caught', await caught);
    t.log('address', socket.address().address);
  },

  "'connect' that throws": async (t) => {
    const socket = await t.bound();
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    socket.connect(9, '127.0.0.1', () => {
      throw new Error("thrown by 'connect'");
    });
    t.log('caught', await caught);
    t.attempt('remoteAddress', () => (socket.remoteAddress as () => unknown)());
  },

  'listeners added and removed': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    peer.send('unheard', socket.address().port, '127.0.0.1');
    await t.settle();
    const first = (msg: unknown) => t.log('first', msg);
    socket.on('message', first);
    socket.once('message', (msg) => t.log('once', msg));
    peer.send('1', socket.address().port, '127.0.0.1');
    await once(socket, 'message');
    socket.off('message', first);
    peer.send('2', socket.address().port, '127.0.0.1');
    await once(socket, 'message');
    t.log('listeners', socket.listenerCount('message'));
  },

  'messages belong to the listener': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    const kept: Buffer[] = [];
    socket.on('message', (msg) => kept.push(msg));
    for (let i = 0; i < 10; i++) peer.send(`message ${i}`, socket.address().port, '127.0.0.1');
    while (kept.length < 10) await once(socket, 'message');
    kept[3].fill(120);
    t.log('kept', kept);
    t.log('is a Buffer', Buffer.isBuffer(kept[0]), kept[0].constructor.name);
  },

  'what a message is made of': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    for (const size of [0, 1, 5, 63, 64, 65, 100, 1000, 4096, 9000, 65507]) {
      const message = once(socket, 'message');
      peer.send(Buffer.alloc(size, 97), socket.address().port, '127.0.0.1');
      const [msg, rinfo] = (await message) as [Buffer, Record<string, unknown>];
      const seen = t.rinfo(rinfo) as Record<string, unknown>;
      t.log(`${size} bytes`, msg.length, memoryOf(msg), msg.constructor.name, Object.prototype.toString.call(msg));
      t.log('own keys', Object.keys(msg).length === size, Reflect.ownKeys(msg).length - size, Object.isExtensible(msg));
      t.log('rinfo', seen, Object.keys(seen), JSON.stringify(seen), inspect(seen));
      t.log('a field', Object.getOwnPropertyDescriptor(rinfo, 'port'), Object.isExtensible(rinfo), 'size' in rinfo);
      t.log('its prototype', Object.getPrototypeOf(rinfo) === Object.prototype);
      if (size === 0) continue; // nothing to transfer
      const { buffer } = msg;
      const moved = structuredClone(msg, { transfer: [buffer as ArrayBuffer] });
      t.log('moved', moved.length, moved.buffer.byteLength, buffer.byteLength);
    }
  },

  "the listener's this and arguments": async (t) => {
    const peer = await t.peer();
    const socket = t.socket('udp4', function (this: unknown, ...args: unknown[]) {
      t.log('called with', this === socket, args.length, args[0]);
    });
    socket.bind(0, '127.0.0.1', function (this: unknown, ...args: unknown[]) {
      t.log('bound with', this === socket, args.length);
    });
    await once(socket, 'listening');
    peer.send('x', socket.address().port, '127.0.0.1');
    await once(socket, 'message');
    const closed = once(socket, 'close');
    socket.close(function (this: unknown, ...args: unknown[]) {
      t.log('closed with', this === socket, args.length);
    });
    await closed;
  },

  'async context': async (t) => {
    const context = new AsyncLocalStorage<string>();
    const say = (what: string) => () => t.log(what, context.getStore());
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = context.run('created', () => t.socket('udp4'));
    socket.on('listening', say("'listening'"));
    socket.on('message', say("'message'"));
    socket.on('connect', say("'connect'"));
    socket.on('close', say("'close'"));
    context.run('bind', () => socket.bind(0, '127.0.0.1', say('bind callback')));
    context.run('send, queued by nobody', () => t.log('outside', context.getStore()));
    await once(socket, 'listening');
    await new Promise<void>((resolve) => {
      context.run('send', () =>
        socket.send('x', port, '127.0.0.1', () => {
          say('send callback')();
          resolve();
        }),
      );
    });
    await new Promise<void>((resolve) => {
      context.run('send by name', () =>
        socket.send('x', port, 'localhost', () => {
          say('send callback, by name')();
          resolve();
        }),
      );
    });
    const heard = once(socket, 'message');
    context.run('peer', () => peer.send('x', socket.address().port, '127.0.0.1'));
    await heard;
    const connected = once(socket, 'connect');
    context.run('connect', () => socket.connect(port, '127.0.0.1', say('connect callback')));
    await connected;
    const closed = once(socket, 'close');
    context.run('close', () => socket.close(say('close callback')));
    await closed;
  },

  'between two messages': async (t) => {
    const context = new AsyncLocalStorage<string>();
    const peer = await t.peer();
    const socket = context.run('created', () => t.socket('udp4'));
    const ids = new Set<number>();
    let heard = 0;
    socket.on('message', (msg) => {
      ids.add(executionAsyncId());
      t.log('message', msg, context.getStore());
      queueMicrotask(() => {
        t.log('microtask', context.getStore());
        process.nextTick(() => t.log('tick of a microtask'));
      });
      process.nextTick(() => {
        t.log('tick', context.getStore());
        Promise.resolve().then(() => t.log('promise of a tick'));
      });
      setImmediate(() => heard++);
      if (`${msg}` === '1') Promise.reject(new Error('nobody handles it'));
      if (`${msg}` === '2') context.enterWith('entered');
    });
    const rejected = () => t.log('unhandled rejection');
    process.on('unhandledRejection', rejected);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    for (let i = 0; i < 5; i++) peer.send(String(i), socket.address().port, '127.0.0.1');
    while (heard < 5) await turn();
    process.removeListener('unhandledRejection', rejected);
    t.log('async ids', ids.size);
  },

  'async context of what waits for bind': async (t) => {
    const context = new AsyncLocalStorage<string>();
    const say = (what: string) => () => t.log(what, context.getStore());
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = t.socket('udp4');
    socket.on('listening', say("'listening'"));
    socket.on('connect', say("'connect'"));
    socket.on('close', say("'close'"));
    context.run('first', () => socket.send('1', port, '127.0.0.1', say('first callback')));
    await once(socket, 'listening');
    await t.settle();
    const other = t.socket('udp4');
    other.on('connect', say("other's 'connect'"));
    context.run('bind', () => other.bind(0, '127.0.0.1'));
    context.run('connect', () => other.connect(port, '127.0.0.1', say('connect callback')));
    await once(other, 'connect');
    await t.settle();
  },

  'async context of failures': async (t) => {
    const context = new AsyncLocalStorage<string>();
    const say = (what: string) => (error: unknown) => t.log(what, context.getStore(), error);
    const taken = (await t.bound()).address().port;
    const socket = context.run('created', () => t.socket('udp4'));
    socket.on('error', say("'error'"));
    context.run('bind', () => socket.bind(taken, '127.0.0.1'));
    await t.settle();
    context.run('bind again', () => socket.bind(0, '127.0.0.1'));
    await once(socket, 'listening');
    context.run('send', () => socket.send('x', 9, '::1', say('send callback')));
    context.run('send too much', () => socket.send(Buffer.alloc(65508), 9, '127.0.0.1', say('send callback')));
    await t.settle();
    await new Promise<void>((resolve) => {
      context.run('send by no name', () =>
        socket.send('x', 9, 'nothing.invalid', (error: unknown) => {
          say('send callback')(error);
          resolve();
        }),
      );
    });
    context.run('connect', () => socket.connect(9, '::1', say('connect callback')));
    await t.settle();
    context.run('connect without callback', () => socket.connect(9, '::1'));
    await t.settle();
    const gone = await t.peer();
    const { port } = gone.address();
    gone.close();
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const refused = new Promise((resolve) => socket.once('error', resolve));
    context.run('refused', () => socket.send('x'));
    await refused;
  },
};
