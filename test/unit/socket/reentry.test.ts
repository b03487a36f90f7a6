/** Code of a program that runs where a socket is in the middle of something: subscribers, getters, look-ups, block lists. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from '../../../src/socket/socket';
import { datagrams, FakeNet, settled } from '../../support/fake-socket';

type Outcome = [name: string, code: string | null | undefined];

function outcomes() {
  const all: Outcome[] = [];
  const settle = (name: string) => (error: Error | null) =>
    void all.push([name, error && ((error as NodeJS.ErrnoException).code ?? error.message)]);
  return { all, settle };
}

async function subscribed(name: string, listener: (message: unknown) => void, use: () => Promise<void>): Promise<void> {
  subscribe(name, listener);
  try {
    await use();
  } finally {
    unsubscribe(name, listener);
  }
}

const to = { port: 9, address: '192.0.2.9' };

test.each([
  ['closes the socket', (socket: Socket) => void socket.close()],
  ['sends', (socket: Socket) => socket.send('more', 9, '192.0.2.9')],
])("a subscriber of 'recvfromto:failed' that %s: every callback once, and nothing by another's descriptor", async (_, act) => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  const { socket: other } = await net.bound();
  const { all, settle } = outcomes();
  const results = [-13, -13];
  net.host.syscalls.sendResult = (count, on) => (on === fd ? (results.shift() ?? count) : count);
  let times = 0;
  const listener = () => {
    if (times++ > 0) return;
    act(socket);
    other.send('other', 9, '192.0.2.9', settle('other'));
  };
  await subscribed('recvfromto:failed', listener, async () => {
    for (const name of ['a', 'b', 'c']) socket.send(name, 9, '192.0.2.9', settle(name));
    await settled();
  });
  expect(times).toBe(2);
  expect(all.sort()).toEqual([
    ['a', 'EACCES'],
    ['b', 'EACCES'],
    ['c', null],
    ['other', null],
  ]);
  expect(net.host.syscalls.sent.find(({ payload }) => payload === 'other')?.fd).not.toBe(fd);
  expect(socket.stats()).toMatchObject({ sendErrors: 2, errors: { EACCES: 2 } });
});

test("a subscriber of 'recvfromto:dropped' runs when all of the batch has been read", async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound({ maxQueueTime: 1 });
  const old = datagrams('old')[0];
  const { SOL_SOCKET } = net.host.platform.constants;
  const stamp = Buffer.alloc(16); // 1970
  const at = { level: SOL_SOCKET, type: 35, data: stamp };
  const texts: string[] = [];
  const seen: number[] = [];
  socket.on('message', (msg) => texts.push(msg.toString()));
  const calls = () => net.host.syscalls.calls.filter((call) => call === 'recvmmsg').length;
  const listener = () => {
    seen.push(calls());
    socket.connectSync(9, '192.0.2.9');
    socket.disconnect();
  };
  await subscribed('recvfromto:dropped', listener, async () => {
    net.arrive(fd, [{ ...old, control: [...(old.control ?? []), at] }, ...datagrams('b', 'c')]);
    await settled();
  });
  expect(socket.stats().stale).toBe(1);
  expect(seen).toHaveLength(1);
  expect(texts).toEqual(['b', 'c']);
});

test('sendSync() of a socket that a getter of its options, or its block list, closes', async () => {
  const net = new FakeNet();
  const running = { code: 'ERR_SOCKET_DGRAM_NOT_RUNNING' };
  for (const sentBefore of [false, true]) {
    const { socket } = await net.bound();
    if (sentBefore) socket.sendSync('x', to);
    const options = {
      get port() {
        socket.close();
        return 9;
      },
      address: to.address,
    };
    expect(() => socket.sendSync('x', options)).toThrow(expect.objectContaining(running));
  }
  const { socket } = await net.bound({ sendBlockList: { check: () => void socket.close() as never } as never });
  expect(() => socket.sendSync('x', to)).toThrow(expect.objectContaining(running));
});

test('a block list that throws behind a look-up: whoever called back hears of it, once; else it is an error event', async () => {
  const net = new FakeNet();
  const sendBlockList = {
    check() {
      throw new Error('no list');
    },
  };
  const { socket } = await net.bound({
    sendBlockList: sendBlockList as never,
    lookup: (_host, _options, found) => setImmediate(found, null, '192.0.2.9', 4),
  });
  const { all, settle } = outcomes();
  const errors: string[] = [];
  socket.on('error', (error) => errors.push(error.message));
  socket.send('a', 9, 'example.org', settle('a'));
  socket.sendMany(
    ['b', 'c'].map((msg) => ({ msg, port: 9, address: 'example.org' })),
    settle('many'),
  );
  socket.send('d', 9, 'example.org');
  await settled();
  expect(all).toEqual([
    ['a', 'no list'],
    ['many', 'no list'],
  ]);
  expect(errors).toEqual(['no list']);
  expect(socket.stats().sendErrors).toBe(4);
});

test('what is lost with a bind() that fails is counted, each datagram', async () => {
  const net = new FakeNet();
  net.host.syscalls.bindResult = () => -98;
  const socket = net.make();
  socket.on('error', () => {});
  socket.sendMany(['a', 'b', 'c'].map((msg) => ({ msg, ...to })));
  socket.send('d', 9, '192.0.2.9');
  await settled();
  expect(socket.stats().sendErrors).toBe(4);
});

test('what waits for room when a socket is disconnected reaches its peer, and not the next one', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  const connect = async (port: number, address: string) => {
    socket.connect(port, address);
    await settled();
  };
  await connect(53, '192.0.2.9');
  let full = true;
  net.host.syscalls.sendResult = (count) => (full ? -11 : count);
  socket.send('for the first');
  socket.disconnect();
  await connect(54, '192.0.2.10');
  full = false;
  net.host.readiness.fire(fd, 2);
  await settled();
  socket.send('for the second');
  await settled();
  expect(net.host.syscalls.sent.map(({ to, payload }) => [to?.address, to?.port, payload])).toEqual([
    ['192.0.2.9', 53, 'for the first'],
    [undefined, undefined, 'for the second'],
  ]);
});
