/** What comes of send(): errors, the queue before bind, callbacks and their order, messages to itself, mapped, link-local. */
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import type { Scenarios } from '../stage';

export const scenarios: Scenarios = {
  'too long a message': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const [socket, toPeer] = [await t.bound(), await t.connected(peer)];
    for (const size of [65508, 65536, 100_000]) {
      for (const address of ['127.0.0.1', undefined, 'localhost']) {
        const sent = t.awaited(`${size} to ${address}`);
        socket.send(Buffer.alloc(size), port, address, sent.call);
        await sent.called;
      }
      const sent = t.awaited(`${size} connected`);
      toPeer.send(Buffer.alloc(size), sent.call);
      await sent.called;
      const many = t.awaited(`${size} in parts`);
      socket.send([Buffer.alloc(size - 5), 'hello'], port, '127.0.0.1', many.call);
      await many.called;
    }
    await t.heard(peer, () => socket.send(Buffer.alloc(65507), port, '127.0.0.1'));
  },

  'the queue right after a connected send()': async (t) => {
    const socket = await t.connected(await t.peer());
    for (const words of ['hello', Buffer.alloc(9000), ['in ', 'parts']]) {
      socket.send(words);
      const [size, count] = [socket.getSendQueueSize, socket.getSendQueueCount] as (() => number)[];
      t.log('waiting', size.call(socket), count.call(socket));
    }
  },

  'errors without a callback are dropped': async (t) => {
    const socket = await t.bound();
    t.watch(socket);
    socket.send(Buffer.alloc(65508), 9, '127.0.0.1');
    socket.send('x', 9, '::1');
    socket.send('x', 9, '255.255.255.255');
    await t.settle();
  },

  'errors with a callback': async (t) => {
    for (const [type, address] of [
      ['udp4', '::1'],
      ['udp4', '::ffff:127.0.0.1'],
      ['udp4', '255.255.255.255'],
      ['udp6', '127.0.0.1'],
      ['udp6', 'fe80::1'],
      ['udp6', '::1%nosuch'],
      ['udp6', '2001:db8::1%nosuch'],
      ['udp4', '1.2.3'],
      ['udp4', 'fe80::1%lo'],
    ] as const) {
      const socket = await t.bound(type);
      t.watch(socket);
      const sent = t.awaited(`${type} ${address}`);
      socket.send('x', 9, address, sent.call);
      await sent.called;
    }
  },

  'a name that cannot be found': async (t) => {
    const socket = await t.bound();
    t.watch(socket);
    const sent = t.awaited('callback');
    socket.send('x', 9, 'nothing.invalid', sent.call);
    await sent.called;
    const failed = new Promise((resolve) => socket.once('error', resolve));
    socket.send('x', 9, 'nothing.invalid');
    await failed;
    const unbound = t.socket('udp4');
    t.watch(unbound, 'unbound');
    const called = t.awaited('unbound');
    unbound.send('x', 9, 'nothing.invalid', called.call);
    await called.called;
  },

  'implicit bind and the queue': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = t.socket('udp4');
    t.watch(socket);
    for (const i of [1, 2, 3]) socket.send(`queued ${i}`, port, '127.0.0.1', t.callback(`sent ${i}`));
    t.log('listeners', socket.listenerCount('listening'), socket.listenerCount('error'));
    t.log('queue', (socket.getSendQueueCount as () => number)(), (socket.getSendQueueSize as () => number)());
    t.attempt('bind', () => socket.bind(0));
    t.attempt('address', () => socket.address());
    peer.on('message', (msg) => t.log('peer hears', msg));
    await once(socket, 'listening');
    await t.settle();
    t.log('bound to', socket.address().address);
    t.log('listeners', socket.listenerCount('listening'));
  },

  'the queue when bind fails': async (t) => {
    const taken = (await t.bound()).address().port;
    const socket = t.socket('udp4');
    t.watch(socket);
    socket.bind(taken, '127.0.0.1');
    socket.send('x', 9, '127.0.0.1', t.callback('never'));
    socket.close(t.callback('closed'));
    await t.settle();
    t.log('listeners', socket.listenerCount('listening'));
    t.attempt('send again', () => socket.send('y', 9, '127.0.0.1', t.callback('sent')));
    await t.settle();
    t.attempt('address', () => socket.address().address);
  },

  'the order of callbacks': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = await t.bound();
    for (const i of [1, 2, 3]) {
      socket.send(`${i}`, port, '127.0.0.1', (...args: unknown[]) => {
        t.log(`sent ${i}`, ...args);
        process.nextTick(() => t.log(`tick of ${i}`));
        Promise.resolve().then(() => t.log(`microtask of ${i}`));
      });
    }
    t.log('send has returned');
    process.nextTick(() => t.log('tick'));
    queueMicrotask(() => t.log('microtask'));
    const texts: string[] = [];
    peer.on('message', (msg) => texts.push(String(msg)));
    await t.settle();
    t.log('heard', texts);
  },

  'callbacks come behind the next tick, in the order of the calls, whatever was sent': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = await t.bound();
    const host = '127.0.0.1';
    const small = 'small';
    const large = Buffer.alloc(30_000);
    const tooLarge = Buffer.alloc(200_000);
    const cases: Record<string, readonly (readonly [string | Buffer, string])[]> = {
      large: [[large, host]],
      'small, large': [
        [small, host],
        [large, host],
      ],
      'small, to the other family': [
        [small, host],
        [small, '::1'],
      ],
      'to the other family, small': [
        [small, '::1'],
        [small, host],
      ],
      'too large, small': [
        [tooLarge, host],
        [small, host],
      ],
      'more than are sent at once': Array.from({ length: 70 }, () => [small, host] as const),
    };
    for (const [what, messages] of Object.entries(cases)) {
      const order: string[] = [];
      messages.forEach(([message, address], i) => {
        const called = (error: NodeJS.ErrnoException | null) => order.push(`${i}${error?.code ?? ''}`);
        socket.send(message, port, address, called);
      });
      process.nextTick(() => order.push('tick'));
      await t.settle(20);
      t.log(what, order);
    }
  },

  'what several sockets send on one tick arrives in the order of the calls': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const [a, b] = [await t.bound(), await t.bound()];
    const texts: string[] = [];
    peer.on('message', (msg) => texts.push(String(msg)));
    const called: string[] = [];
    for (let round = 0; round < 20; round++) {
      // One at a time, and some at once: what was before must not change the order.
      for (let i = 0; i < round; i++) {
        a.send('alone', port, '127.0.0.1');
        await t.settle(2);
      }
      texts.length = 0;
      called.length = 0;
      for (const [i, socket] of [a, b, a, b, b, a].entries()) {
        const callback = round % 2 === 0 ? () => called.push(String(i)) : undefined;
        socket.send(String(i), port, '127.0.0.1', callback);
      }
      await t.settle(20);
      t.log('heard, called', texts, called);
    }
    // Some are large enough to be sent from where they are.
    const large = (i: number) => Buffer.alloc(30_000, String(i));
    for (const inOrder of [[1], [0, 2], [0, 1, 4], [3]]) {
      texts.length = 0;
      for (const [i, socket] of [a, b, a, a, b].entries())
        socket.send(inOrder.includes(i) ? large(i) : String(i), port, '127.0.0.1');
      await t.settle(20);
      t.log(
        'heard',
        texts.map((text) => text[0]),
      );
    }
    // A connected socket, which looks nothing up, is ahead of those that do.
    const connected = await t.bound();
    connected.connect(port, '127.0.0.1');
    await t.settle();
    for (const message of ['1', large(1)]) {
      texts.length = 0;
      a.send('0', port, '127.0.0.1');
      connected.send(message);
      await t.settle(20);
      t.log(
        'heard beside a connected one',
        texts.map((text) => text[0]),
      );
    }
  },

  'a callback that throws': async (t) => {
    const peer = await t.peer();
    const socket = await t.bound();
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve));
    socket.send('1', peer.address().port, '127.0.0.1', () => {
      throw new Error('thrown by a callback');
    });
    socket.send('2', peer.address().port, '127.0.0.1', t.callback('second'));
    t.log('caught', await caught);
    await t.settle();
  },

  'sending from a callback': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = await t.bound();
    const done = t.awaited('last');
    const next = (left: number) => {
      if (left === 0) socket.send('last', port, '127.0.0.1', done.call);
      else socket.send(String(left), port, '127.0.0.1', () => next(left - 1));
    };
    next(5);
    const texts: string[] = [];
    peer.on('message', (msg) => texts.push(String(msg)));
    await done.called;
    await t.settle();
    t.log('heard', texts);
  },

  'many at once': async (t) => {
    const peer = await t.peer();
    const { port } = peer.address();
    const socket = await t.bound();
    let called = 0;
    let heardOf = 0;
    peer.on('message', () => heardOf++);
    for (let i = 0; i < 200; i++)
      socket.send(`message ${i}`, port, '127.0.0.1', (error: unknown) => (called += error === null ? 1 : 1000));
    await t.settle(20);
    t.log('called, heard', called, heardOf);
    t.log('queue', (socket.getSendQueueCount as () => number)(), (socket.getSendQueueSize as () => number)());
  },

  'to itself, and what rinfo says': async (t) => {
    for (const type of ['udp4', 'udp6']) {
      const socket = await t.bound(type);
      t.watch(socket, type);
      const message = once(socket, 'message');
      socket.send('to myself', socket.address().port);
      await message;
      const empty = once(socket, 'message');
      socket.send('', socket.address().port);
      await empty;
    }
  },

  'link-local addresses': async (t) => {
    const all = Object.entries(networkInterfaces()).flatMap(([name, entries]) =>
      (entries ?? []).filter(({ address }) => address.startsWith('fe80:')).map(({ address }) => `${address}%${name}`),
    );
    t.log('there are', all.length);
    for (const address of all) {
      const socket = t.socket('udp6');
      t.watch(socket, address);
      socket.bind(0, address);
      await once(socket, 'listening');
      t.log('address', socket.address());
      const heard = once(socket, 'message');
      socket.send('x', socket.address().port, address, t.callback('sent'));
      await heard;
      const bare = t.awaited('without a zone');
      socket.send('x', socket.address().port, address.split('%')[0], bare.call);
      await bare.called;
      const connected = t.awaited('connected');
      socket.connect(socket.address().port, address, connected.call);
      await connected.called;
      t.log('remoteAddress', (socket.remoteAddress as () => unknown)());
    }
  },

  'IPv4 through a udp6 socket': async (t) => {
    const peer = await t.peer();
    const dual = await t.bound('udp6', '::');
    t.watch(dual, 'dual');
    peer.on('message', (msg, { address, family }) => t.log('peer hears', msg, address, family));
    dual.send('mapped', peer.address().port, '::ffff:127.0.0.1', t.callback('sent'));
    await once(peer, 'message');
    peer.send('back', dual.address().port, '127.0.0.1');
    await once(dual, 'message');
    const named = t.awaited('by name');
    dual.send('by name', peer.address().port, 'localhost', named.call);
    await named.called;
  },
};
