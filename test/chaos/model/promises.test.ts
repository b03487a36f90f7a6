/**
 * Any calls of recvfromto/promises in any order: each promise is settled, nothing is thrown where nobody can catch it, and the
 * socket can be closed, which closes its descriptor. FUZZ_RUNS and FUZZ_SEED look further.
 */
import { createSocket, type Socket } from '../../../src/promises';
import { fc } from '../../fuzz/settings';
import { uncaughtDuring } from '../support/uncaught';

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
const HOST = '127.0.0.1';
/** Of nobody here (RFC 5737): a bind() to it fails. */
const NOT_HERE = '192.0.2.1';
/** ms in which everything has to be settled. */
const PATIENCE = 5000;

type Loops = ReturnType<Socket['messages']>[];

const deeds: Record<string, (socket: Socket, port: number, loops: Loops) => Promise<unknown> | undefined> = {
  bind: (socket) => socket.bind(0, HOST),
  'bind by name': (socket) => socket.bind(0, 'localhost'),
  'bind, which fails': (socket) => socket.bind(0, NOT_HERE),
  bindSync: (socket) => Promise.resolve(socket.socket.bindSync({ address: HOST })),
  connect: (socket, port) => socket.connect(port, HOST),
  'connect by name': (socket, port) => socket.connect(port, 'localhost'),
  send: (socket, port) => socket.send('x', port, HOST),
  'send by name': (socket, port) => socket.send('x', port, 'localhost'),
  'send to the peer': (socket) => socket.send('x'),
  reply: (socket, port) => socket.reply('x', { port, address: HOST, family: 'IPv4' }),
  sendMany: (socket, port) =>
    socket.sendMany(['127.0.0.1', 'localhost'].map((address) => ({ msg: 'x', port, address }))),
  close: (socket) => socket.close(),
  dispose: (socket) => socket[Symbol.asyncDispose](),
  'a loop': (socket, _, loops) => loops[loops.push(socket.messages()) - 1]?.next(),
  'a loop that closes': (socket, _, loops) => loops[loops.push(socket[Symbol.asyncIterator]()) - 1]?.next(),
  'the last loop, left': (_, __, loops) => loops.at(-1)?.return(undefined),
  'an aborted loop': (socket) => {
    const aborter = new AbortController();
    const next = socket.messages({ signal: aborter.signal }).next();
    setImmediate(() => aborter.abort(Object.assign(new Error('enough'), { code: 'MINE' })));
    return next;
  },
};

const step = fc.record({
  name: fc.constantFrom(...Object.keys(deeds)),
  behind: fc.constantFrom('', 'a tick', 'a turn'),
});

test('whatever is called, each promise is settled, and the socket can be closed', async () => {
  const sink = createSocket('udp4');
  const { port } = await sink.bind(0, HOST);
  const uncaught = await uncaughtDuring(async () => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      const socket = createSocket('udp4');
      socket.socket.setMaxListeners(0);
      const loops: Loops = [];
      const waiting = new Set<string>();
      const errors: { code?: unknown }[] = [];
      let asked = 0;
      const ask = (name: string): void => {
        let promise: Promise<unknown> | undefined;
        try {
          promise = deeds[name]?.(socket, port, loops);
        } catch (error) {
          promise = Promise.reject(error); // bindSync
        }
        const key = `${name}, ${++asked}.`;
        waiting.add(key);
        Promise.resolve(promise)
          .catch((error) => errors.push(error))
          .finally(() => waiting.delete(key));
      };
      for (const { name, behind } of steps) {
        ask(name);
        if (behind === 'a tick') await Promise.resolve();
        if (behind === 'a turn') await new Promise((done) => setImmediate(done));
      }
      ask('close');
      for (const end = Date.now() + PATIENCE; waiting.size > 0 && Date.now() < end; ) {
        await new Promise((done) => setTimeout(done, 1));
      }
      expect([...waiting]).toEqual([]);
      expect(socket.socket.fd).toBe(-1);
      for (const { code } of errors) expect(code).toEqual(expect.any(String));
    });
    await fc.assert(property, { numRuns: RUNS });
  });
  expect(uncaught).toEqual([]);
  await sink.close();
});
