// How a socket behaves in this runtime, beyond the features of the matrix: turns, contexts, batches, ends.
'use strict';
const assert = require('node:assert');
const { AsyncLocalStorage } = require('node:async_hooks');
const { once } = require('node:events');
const { ask, echo } = require('./features.cjs');

/** `count` datagrams that wait in a bound socket before anybody listens, in one system call's reach. */
async function queued({ library }, count) {
  const socket = library.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const sender = library.createSocket('udp4');
  const { port } = socket.address();
  const datagrams = Array.from({ length: count }, (_, i) => ({ msg: String(i), port, address: '127.0.0.1' }));
  const sent = new Promise((done, failed) =>
    sender.sendMany(datagrams, (error, n) => (error ? failed(error) : done(n))),
  );
  const close = () => {
    socket.close();
    sender.close();
  };
  return { socket, sender, sent, close };
}

const behaviour = [
  {
    name: 'ticks and promises run between two messages',
    async run(world) {
      const { socket, sent, close } = await queued(world, 20);
      const order = [];
      const all = new Promise((done) => {
        socket.on('message', (msg) => {
          order.push(`message ${msg}`);
          process.nextTick(() => order.push(`tick ${msg}`));
          Promise.resolve().then(() => order.push(`promise ${msg}`));
          if (String(msg) === '19') setImmediate(done);
        });
      });
      await sent;
      await all;
      close();
      const expected = Array.from({ length: 20 }, (_, i) => [`message ${i}`, `tick ${i}`, `promise ${i}`]).flat();
      assert.deepStrictEqual(order, expected);
    },
  },
  {
    name: "a loop of once(socket, 'message') sees 20 of 20",
    async run(world) {
      const { socket, sent, close } = await queued(world, 20);
      const seen = [];
      const loop = (async () => {
        while (seen.length < 20) seen.push(Number((await once(socket, 'message'))[0]));
      })();
      await sent;
      await loop;
      close();
      assert.deepStrictEqual(
        seen,
        Array.from({ length: 20 }, (_, i) => i),
      );
    },
  },
  {
    name: "a listener runs in the async context of its socket's creation",
    async run(world) {
      const storage = new AsyncLocalStorage();
      const contexts = [];
      const one = await storage.run('one', () => queued(world, 3));
      const two = await storage.run('two', () => queued(world, 3));
      for (const { socket } of [one, two]) {
        socket.on('message', async () => {
          contexts.push(storage.getStore());
          await null;
          contexts.push(storage.getStore());
        });
      }
      await Promise.all([one.sent, two.sent]);
      while (contexts.length < 12) await new Promise((done) => setTimeout(done, 1));
      one.close();
      two.close();
      assert.deepStrictEqual(contexts.sort(), [...Array(6).fill('one'), ...Array(6).fill('two')]);
    },
  },
  {
    name: '500 datagrams by sendMany arrive, in order and in batches',
    async run(world) {
      const { socket, sent, close } = await queued(world, 500);
      const seen = [];
      socket.setRecvBufferSize(1 << 20);
      socket.on('message', (msg) => seen.push(Number(msg)));
      assert.strictEqual(await sent, 500);
      for (let i = 0; i < 500 && seen.length < 500; i++) await new Promise((done) => setTimeout(done, 2));
      const { systemCallsIn } = socket.stats();
      close();
      assert.ok(seen.length > 100, `only ${seen.length} arrived`); // the kernel may drop what does not fit
      assert.deepStrictEqual(
        seen,
        [...seen].sort((a, b) => a - b),
      );
      return `${seen.length} arrived, ${systemCallsIn} system calls`;
    },
  },
  {
    name: 'a full send buffer drains by itself: WRITABLE comes',
    needs: ({ device }) => (device ? undefined : 'needs a neighbour who does not answer'),
    async run(world) {
      // What waits for a neighbour's address fills the buffer; world.sh has the kernel give up on it soon.
      const sender = world.library.createSocket({ type: 'udp4', sendBufferSize: 4096 });
      const datagrams = Array.from({ length: 64 }, (_, i) => ({
        msg: Buffer.alloc(900 + i), // each longer than the one before, or they would leave as one by UDP_SEGMENT
        port: 9,
        address: '192.0.2.200',
      }));
      const sent = await new Promise((done, failed) =>
        sender.sendMany(datagrams, (error, n) => (error ? failed(error) : done(n))),
      );
      const { wouldBlock } = sender.stats();
      sender.close();
      assert.strictEqual(sent, 64);
      assert.ok(wouldBlock > 0, 'the buffer was never full');
      return `full ${wouldBlock} times`;
    },
  },
  {
    name: 'a connected socket whose peer refuses says ECONNREFUSED and goes on',
    async run(world) {
      const gone = await echo(world, 'udp4', '127.0.0.1');
      gone.socket.close();
      const socket = world.library.createSocket('udp4');
      socket.connect(gone.port, '127.0.0.1');
      await once(socket, 'connect');
      const failed = once(socket, 'error');
      socket.send('x');
      const [error] = await failed;
      assert.strictEqual(error.code, 'ECONNREFUSED');
      socket.disconnect();
      socket.close();
    },
  },
  {
    name: '200 sockets opened, used and closed; descriptors are reused',
    async run(world) {
      for (let i = 0; i < 200; i++) {
        const server = await echo(world, 'udp4', '127.0.0.1');
        if (i % 20 === 0) assert.strictEqual(await ask('udp4', server.port, '127.0.0.1'), '127.0.0.1');
        server.socket.close();
      }
    },
  },
];

module.exports = { behaviour };
