/** Where one datagram comes at a time it goes to the listener without the inbox: what else holds of datagrams holds of it. */
import { AsyncLocalStorage, createHook, executionAsyncId } from 'node:async_hooks';
import { kState } from '../../../../src/socket/core';
import { Inbox } from '../../../../src/socket/in/inbox';
import type { Socket } from '../../../../src/socket/socket';
import type { ReceivedMessage, SocketOptions } from '../../../../src/types';
import { datagrams, FakeNet, heard, settled } from '../../../support/fake-socket';
import { uncaught } from '../../../support/uncaught';

/** A socket that has heard a few datagrams, one at a time. */
async function sparse(options: Partial<SocketOptions> = {}, listen = true) {
  const net = new FakeNet();
  const { socket, fd } = await net.bound(options);
  const { texts, rinfos } = listen ? heard(socket) : { texts: [], rinfos: [] };
  const errors: string[] = [];
  socket.on('error', ({ code, message }: NodeJS.ErrnoException) => errors.push(code ?? message));
  for (let i = 0; i < 9; i++) {
    net.arrive(fd, datagrams(`${i}`));
    await settled();
  }
  texts.length = 0;
  return { net, socket, fd, texts, rinfos, errors, core: socket[kState] };
}

afterEach(() => jest.restoreAllMocks());

test('it does without the inbox, and one of a batch does not', async () => {
  const { net, fd, texts } = await sparse();
  const push = jest.spyOn(Inbox.prototype, 'push');
  net.arrive(fd, datagrams('alone'));
  await settled();
  expect(push).not.toHaveBeenCalled();
  expect(texts).toEqual(['alone']);
  const other = await net.bound();
  net.arrive(other.fd, datagrams('a', 'b'));
  await settled();
  expect(push).toHaveBeenCalledTimes(2);
});

test('answers from ticks and promises leave with those that the listener gives', async () => {
  const { net, socket, fd } = await sparse();
  const calls: number[] = [];
  net.host.syscalls.sendResult = (taken) => {
    calls.push(taken);
    return taken;
  };
  socket.on('message', (msg, rinfo) => {
    socket.reply(`${msg} at once`, rinfo);
    process.nextTick(() => socket.reply(`${msg} by a tick, longer`, rinfo));
    Promise.resolve().then(() => socket.reply(`${msg} by a promise, longer still`, rinfo));
  });
  net.arrive(fd, datagrams('x'));
  await settled();
  expect(net.payloads).toEqual(['x at once', 'x by a tick, longer', 'x by a promise, longer still']);
  expect(calls).toEqual([3]);
});

test("a listener of 'messages' gets a batch of one", async () => {
  const { net, socket, fd, texts } = await sparse();
  const batches: string[][] = [];
  socket.on('messages', (batch: readonly ReceivedMessage[]) => batches.push(batch.map(({ msg }) => `${msg}`)));
  net.arrive(fd, datagrams('x'));
  await settled();
  expect([texts, batches]).toEqual([[], [['x']]]);
});

test('the listener runs in the async context of its socket', async () => {
  const storage = new AsyncLocalStorage<string>();
  const net = new FakeNet();
  const { socket, fd } = await storage.run('of the socket', () => net.bound());
  const contexts: unknown[] = [];
  socket.on('message', () => contexts.push(storage.getStore(), executionAsyncId()));
  for (let i = 0; i < 9; i++) {
    net.arrive(fd, datagrams(`${i}`));
    await settled();
  }
  expect(new Set(contexts)).toEqual(new Set(['of the socket', socket[kState].resource.asyncId()]));
});

test('a listener that throws: what it has sent leaves, the next datagram is heard', async () => {
  const { net, socket, fd, texts } = await sparse();
  const thrower = (_msg: Buffer, rinfo: Parameters<Socket['reply']>[1]) => {
    socket.reply('sent before', rinfo);
    throw new Error('of the program');
  };
  socket.prependListener('message', thrower);
  expect(await uncaught(() => net.arrive(fd, datagrams('x')))).toEqual([new Error('of the program')]);
  expect(net.payloads).toEqual(['sent before']);
  socket.off('message', thrower);
  net.arrive(fd, datagrams('y'));
  await settled();
  expect(texts).toEqual(['y']);
});

test('no memory for it: the socket hears of that, once, and it counts as discarded', async () => {
  const { net, socket, fd, texts, errors, core } = await sparse();
  jest.spyOn(core.receiver, 'message').mockImplementationOnce(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  net.arrive(fd, datagrams('x'));
  await settled();
  net.arrive(fd, datagrams('y'));
  await settled();
  expect([texts, errors]).toEqual([['y'], ['Array buffer allocation failed']]);
  expect(socket.stats()).toMatchObject({ datagramsIn: 11, bytesIn: 11, discarded: 1 });
});

test('an error of the receive is heard in its place', async () => {
  const { net, fd, texts, errors } = await sparse();
  net.arrive(fd, [-net.host.platform.errno.ECONNREFUSED!]);
  await settled();
  net.arrive(fd, datagrams('y'));
  await settled();
  expect([texts, errors]).toEqual([['y'], ['ECONNREFUSED']]);
});

test.each<[string, (socket: Socket) => void, texts: string[], discarded: number]>([
  ['pauses', (socket) => socket.pause(), ['x'], 0],
  ['closes', (socket) => socket.close(), [], 1],
])('an async hook that %s its socket before the listener runs', async (_, act, expected, discarded) => {
  const { net, socket, fd, texts, core } = await sparse();
  const id = core.resource.asyncId();
  let runs = 0;
  const hook = createHook({
    before(asyncId) {
      // The first one is the immediate's, which runs in the socket's context, too.
      if (
        asyncId === id &&
        core.channel.fd >= 0 &&
        net.host.syscalls.sockets.get(fd)!.incoming.length === 0 &&
        runs++ === 0
      )
        act(socket);
    },
  }).enable();
  net.arrive(fd, datagrams('x'));
  await settled();
  hook.disable();
  expect(runs).toBeGreaterThan(0);
  expect(texts).toEqual([]);
  if (!core.closed) socket.resume();
  await settled();
  expect(texts).toEqual(expected);
  expect(core.stats.discarded).toBe(discarded);
});

test('a filter that closes its socket: the datagram is not delivered, and counted', async () => {
  let closes = false;
  const made: Socket[] = [];
  const accept = () => {
    if (closes) made[0].close();
    return true;
  };
  const { net, socket, fd, texts, core } = await sparse({ accept });
  made.push(socket);
  closes = true;
  net.arrive(fd, datagrams('x'));
  await settled();
  expect(texts).toEqual([]);
  expect(core.stats).toMatchObject({ discarded: 1, filtered: 0 });
});
