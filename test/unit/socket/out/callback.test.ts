/** Callbacks of datagrams that leave together. */
import { AsyncLocalStorage, createHook, executionAsyncId } from 'node:async_hooks';
import { datagrams, FakeNet, settled } from '../../../support/fake-socket';
import { uncaught } from '../../../support/uncaught';

/** Answers each message of one batch with what `callbackOf` makes for it. */
async function answered(
  callbackOf: (text: string) => (error: Error | null, bytes?: number) => void,
  ...texts: string[]
) {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  socket.on('message', (msg, rinfo) => socket.reply(msg, rinfo, callbackOf(msg.toString())));
  net.arrive(fd, datagrams(...texts));
  return { net, socket, fd };
}

test('are called in order, before what they ask for themselves, and before anything that comes later', async () => {
  const seen: string[] = [];
  await answered(
    (text) => (error, bytes) => {
      seen.push(`${text}: ${error} ${bytes}`);
      process.nextTick(() => seen.push(`tick of ${text}`));
      void Promise.resolve().then(() => seen.push(`promise of ${text}`));
      setImmediate(() => seen.push(`immediate of ${text}`));
    },
    'a',
    'bb',
    'ccc',
  );
  await settled();
  expect(seen).toEqual([
    ...['a: null 1', 'bb: null 2', 'ccc: null 3'],
    ...['tick of a', 'tick of bb', 'tick of ccc'],
    ...['promise of a', 'promise of bb', 'promise of ccc'],
    ...['immediate of a', 'immediate of bb', 'immediate of ccc'],
  ]);
});

test('each is called once, though others throw, and each error is heard', async () => {
  const seen: string[] = [];
  const errors = await uncaught(() => {
    void answered(
      (text) => () => {
        seen.push(text);
        if (text !== 'b') throw new Error(text);
      },
      ...['a', 'b', 'c', 'd'],
    );
  });
  expect(seen).toEqual(['a', 'b', 'c', 'd']);
  expect(errors.map((error) => (error as Error).message)).toEqual(['a', 'c', 'd']);
});

test('an error comes alone, and those of other datagrams with their bytes', async () => {
  const seen: unknown[] = [];
  const net = new FakeNet();
  const { socket } = await net.bound();
  const results = [1, -113]; // EHOSTUNREACH
  net.host.syscalls.sendResult = (count) => Math.min(results.shift() ?? count, count);
  for (const port of [1, 2, 3]) {
    socket.send('x', port, '192.0.2.9', (...args: unknown[]) =>
      seen.push(args.map((arg) => (arg instanceof Error ? (arg as NodeJS.ErrnoException).code : arg))),
    );
  }
  socket.sendMany([{ msg: 'x', port: 4, address: '192.0.2.9' }], (...args: unknown[]) => seen.push(args));
  await settled();
  expect(seen).toEqual([[null, 1], ['EHOSTUNREACH'], [null, 1], [null, 1]]);
});

test("run in the async context of their call, as resources of dgram's type, one each", async () => {
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const made = new Map<number, string>();
  const entered: number[] = [];
  const hook = createHook({
    init: (id, type) => void made.set(id, type),
    before: (id) => void entered.push(id),
  }).enable();
  try {
    const net = new FakeNet();
    const { socket } = await net.bound();
    for (const name of ['one', 'two', 'three']) {
      storage.run(name, () =>
        socket.send('x', 7, '192.0.2.9', () => seen.push([storage.getStore(), made.get(executionAsyncId())])),
      );
    }
    await settled();
  } finally {
    hook.disable();
  }
  expect(seen).toEqual(['one', 'two', 'three'].map((name) => [name, 'UDPSENDWRAP']));
  expect(entered.filter((id) => made.get(id) === 'UDPSENDWRAP')).toHaveLength(3);
});

test('a connected socket, which sends at once, calls back in the order of ticks, as dgram does', async () => {
  const net = new FakeNet();
  const { socket } = await net.bound();
  await new Promise<void>((done) => socket.connect(7, '192.0.2.9', done));
  const seen: string[] = [];
  socket.send('x', () => seen.push('first'));
  process.nextTick(() => seen.push('between'));
  socket.send('x', () => seen.push('second'));
  await settled();
  expect(seen).toEqual(['first', 'between', 'second']);
});
