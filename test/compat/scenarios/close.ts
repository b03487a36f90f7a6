/** close(): when, how often, from where; signals, dispose, ref and unref. */
import { once } from 'node:events';
import type { LooseSocket, Scenarios } from '../stage';

const call = (socket: LooseSocket, name: string | symbol, ...args: unknown[]) =>
  (socket as unknown as Record<string | symbol, (...args: unknown[]) => unknown>)[name](...args);

export const scenarios: Scenarios = {
  unbound: async (t) => {
    const socket = t.socket('udp4');
    t.watch(socket);
    t.log('returns itself', socket.close(t.callback('closed')) === socket);
    t.log('close has returned');
    process.nextTick(() => t.log('tick'));
    queueMicrotask(() => t.log('microtask'));
    await t.settle();
  },

  twice: async (t) => {
    const socket = await t.bound();
    t.watch(socket);
    socket.close(t.callback('first'));
    t.attempt('again', () => socket.close(t.callback('second')));
    await once(socket, 'close');
    t.attempt('later', () => socket.close(t.callback('third')));
    t.log('listeners', socket.listenerCount('close'));
    await t.settle();
  },

  'callbacks that are none': async (t) => {
    for (const callback of [null, undefined, 5, 'abc', {}]) {
      const socket = t.socket('udp4');
      t.attempt(`close(${t.spell(callback)})`, () => socket.close(callback) === socket);
      await once(socket, 'close');
    }
  },

  'while binding': async (t) => {
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.bind(0, '127.0.0.1', t.callback('never'));
    socket.close(t.callback('closed'));
    t.attempt('bind', () => socket.bind(0));
    await t.settle();
  },

  'while binding implicitly': async (t) => {
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.send('x', 9, 'localhost', t.callback('sent'));
    t.attempt('close', () => socket.close(t.callback('closed')) === socket);
    await once(socket, 'close');
    await t.settle();
  },

  'twice while binding implicitly': async (t) => {
    const socket = t.socket('udp4');
    t.watch(socket);
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    socket.send('x', 9, 'localhost');
    socket.close(t.callback('first'));
    t.attempt('again', () => socket.close(t.callback('second')) === socket);
    t.log('uncaught', await caught);
    await t.settle();
  },

  "in 'listening'": async (t) => {
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.on('listening', () => {
      t.log('closing');
      socket.close(t.callback('closed'));
    });
    socket.on('listening', () => t.log('second listener'));
    socket.bind(0, '127.0.0.1', t.callback('bound'));
    await t.settle();
  },

  "in 'error'": async (t) => {
    const taken = (await t.bound()).address().port;
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.on('error', () => socket.close(t.callback('closed')));
    socket.bind(taken, '127.0.0.1', t.callback('never'));
    await t.settle();
  },

  "in 'message', with more of them waiting": async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    t.watch(socket);
    socket.on('message', () => {
      socket.close(t.callback('closed'));
      t.attempt('address', () => socket.address());
    });
    socket.once('close', () => t.log('once closed'));
    const { port } = socket.address();
    for (const i of [1, 2, 3]) peer.send(`${i}`, port, '127.0.0.1');
    await once(socket, 'close');
    await t.settle();
  },

  "in 'connect'": async (t) => {
    const peer = await t.peer();
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.connect(peer.address().port, () => socket.close(t.callback('closed')));
    await once(socket, 'close');
    await t.settle();
  },

  "in a send's callback": async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    t.watch(socket);
    socket.send('1', peer.address().port, '127.0.0.1', (...args: unknown[]) => {
      t.log('sent', ...args);
      socket.close(t.callback('closed'));
    });
    t.log('heard', (await once(peer, 'message'))[0]);
    await t.settle();
  },

  "in close's callback": async (t) => {
    const socket = await t.bound();
    socket.close(() => {
      t.attempt('close', () => socket.close());
      t.attempt('send', () => socket.send('x', 9));
      t.attempt('bind', () => socket.bind());
      t.attempt('address', () => socket.address());
    });
    await t.settle();
  },

  'methods afterwards': async (t) => {
    const socket = await t.bound();
    socket.close();
    for (const [name, ...args] of [
      ['address'],
      ['bind'],
      ['send', 'x', 9],
      ['remoteAddress'],
      ['disconnect'],
      ['addMembership', '224.0.0.1'],
      ['dropMembership'],
      ['addSourceSpecificMembership', 1],
      ['dropSourceSpecificMembership', 1],
      ['setMulticastInterface', 1],
    ] as const) {
      t.attempt(name, () => call(socket, name, ...args));
    }
    for (const name of ['ref', 'unref']) t.attempt(name, () => call(socket, name) === socket);
    t.attempt('setTTL of no number', () => call(socket, 'setTTL', 'x'));
    await t.settle();
  },

  'a listener that throws': async (t) => {
    const socket = await t.bound();
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    socket.on('close', () => {
      throw new Error("thrown by 'close'");
    });
    socket.close(t.callback('closed'));
    t.log('caught', await caught);
    await t.settle();
  },

  'ref and unref': async (t) => {
    const socket = t.socket('udp4');
    for (const name of ['ref', 'unref', 'ref', 'unref']) t.attempt(name, () => call(socket, name) === socket);
    await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
    for (const name of ['ref', 'unref', 'ref']) t.attempt(name, () => call(socket, name) === socket);
  },

  asyncDispose: async (t) => {
    for (const socket of [t.socket('udp4'), await t.bound()]) {
      t.watch(socket);
      const disposed = call(socket, Symbol.asyncDispose) as Promise<unknown>;
      t.log('is a promise', disposed instanceof Promise);
      t.log('resolves to', await disposed);
      t.log('again', await (call(socket, Symbol.asyncDispose) as Promise<unknown>));
      t.attempt('close', () => socket.close());
    }
    const binding = t.socket('udp4');
    t.watch(binding, 'binding');
    binding.bind(0, '127.0.0.1');
    t.log('while binding', await (call(binding, Symbol.asyncDispose) as Promise<unknown>));
  },

  'a signal': async (t) => {
    const controller = new AbortController();
    const socket = await t.bound({ type: 'udp4', signal: controller.signal });
    t.watch(socket);
    controller.abort();
    t.attempt('address', () => socket.address());
    await once(socket, 'close');
    controller.abort();
    await t.settle();
  },

  'a signal that was given before': async (t) => {
    const signal = AbortSignal.abort();
    const socket = t.socket({ type: 'udp4', signal });
    t.watch(socket);
    t.attempt('bind', () => socket.bind(0));
    await t.settle();
  },

  'a signal while binding': async (t) => {
    const controller = new AbortController();
    const socket = t.socket({ type: 'udp4', signal: controller.signal });
    t.watch(socket);
    socket.bind(0, '127.0.0.1', t.callback('never'));
    controller.abort();
    await t.settle();
  },

  'a signal after close': async (t) => {
    const controller = new AbortController();
    const socket = await t.bound({ type: 'udp4', signal: controller.signal });
    t.watch(socket);
    socket.close();
    controller.abort();
    await t.settle();
    controller.abort();
  },

  'a signal that somebody stops': async (t) => {
    const controller = new AbortController();
    controller.signal.addEventListener('abort', (event) => event.stopImmediatePropagation());
    const socket = await t.bound({ type: 'udp4', signal: controller.signal });
    t.watch(socket);
    controller.abort();
    await t.settle();
  },
};
