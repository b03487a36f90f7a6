/** What waits for its turn, against a model of plain arrays; and code of a program that changes whose turn it is. */
import { createHook } from 'node:async_hooks';
import type { Core } from '../../../../src/socket/core';
import { type Entry, Inbox } from '../../../../src/socket/in/inbox';
import type { Socket } from '../../../../src/socket/socket';
import type { ReceivedMessage, RemoteInfo } from '../../../../src/types';
import { fc } from '../../../fuzz/settings';
import { datagrams, FakeNet, FROM, heard, settled } from '../../../support/fake-socket';

const SOCKETS = 70; // more than the inbox has places for at first
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ push: fc.nat(SOCKETS - 1), bytes: fc.option(fc.nat(9)) }) },
  { weight: 4, arbitrary: fc.record({ push: fc.nat(2), bytes: fc.option(fc.nat(9)) }) },
  { weight: 6, arbitrary: fc.constant('drop' as const) },
  { weight: 2, arbitrary: fc.constant('rotate' as const) },
  { weight: 1, arbitrary: fc.record({ take: fc.nat(SOCKETS - 1) }) },
  { weight: 1, arbitrary: fc.constant('all' as const) },
);

test('of each socket oldest first, the sockets in turn; what is dropped is held no more', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const inbox = new Inbox();
      const cores = Array.from(
        { length: SOCKETS },
        () => ({ oldest: undefined, newest: undefined }) as unknown as Core,
      );
      const turns: number[] = [];
      const waiting = cores.map((): { msg: Buffer | undefined; about: RemoteInfo }[] => []);
      const seen = new Set<Entry>();
      const drop = () => {
        const index = turns[0];
        const first = waiting[index].shift()!;
        const { msg, about } = cores[index].oldest as Entry;
        expect([msg, about]).toEqual([first.msg, first.about]);
        seen.add(cores[index].oldest as Entry);
        inbox.drop();
        if (waiting[index].length === 0) turns.shift();
      };
      let most = 0;
      for (const one of steps) {
        if (one === 'drop') {
          if (turns.length > 0) drop();
        } else if (one === 'all') while (turns.length > 0) drop();
        else if (one === 'rotate') {
          inbox.rotate();
          if (turns.length > 0) turns.push(turns.shift() as number);
        } else if ('take' in one) {
          const taken = inbox.take(cores[one.take]);
          expect(taken.map(({ msg, about }) => ({ msg, about }))).toEqual(waiting[one.take].splice(0));
          const at = turns.indexOf(one.take);
          if (at >= 0) turns.push(...turns.splice(0, at + 1).slice(0, -1));
        } else {
          const msg = one.bytes === null ? undefined : Buffer.alloc(one.bytes);
          const about = { size: one.bytes } as unknown as RemoteInfo;
          inbox.push(cores[one.push], msg, about);
          if (waiting[one.push].push({ msg, about }) === 1) turns.push(one.push);
        }
        const all = waiting.flat();
        most = Math.max(most, all.length);
        const bytes = all.reduce((sum, { msg }) => sum + (msg?.length ?? 0), 0);
        expect([inbox.size, inbox.bytes]).toEqual([all.length, bytes]);
        expect(inbox.core === undefined ? undefined : cores.indexOf(inbox.core)).toBe(turns[0]);
      }
      while (turns.length > 0) drop();
      expect(seen.size).toBeLessThanOrEqual(most); // entries are used again
      for (const { msg, about } of seen) expect([msg, about]).toEqual([undefined, undefined]);
      for (const { oldest, newest } of cores) expect([oldest, newest]).toEqual([undefined, undefined]);
    }),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 25) },
  );
});

/** One that is paused, of which some is held and some waits: it was connected meanwhile, to one address of the host. */
async function paused(net: FakeNet) {
  const { socket, fd } = await net.bound({ stickySource: true });
  const { texts } = heard(socket);
  socket.once('message', () => socket.pause());
  net.arrive(fd, datagrams('a', 'b'));
  await settled();
  net.host.syscalls.sockets.get(fd)!.incoming.push(...datagrams('c'));
  return { socket, texts, connect: () => socket.connectSync(FROM.port, FROM.address) };
}

function goOn(others: readonly { socket: Socket; connect(): void }[]): void {
  for (const { connect } of others) connect();
  others[0].socket.resume();
  setImmediate(() => others[1].socket.resume());
}

test('what waits for a socket that pauses is put aside in one go: a copy of the list for each would take its square', async () => {
  const net = new FakeNet();
  const { socket, fd } = await net.bound();
  const { texts } = heard(socket);
  const taken = jest.spyOn(Inbox.prototype, 'take');
  const dropped = jest.spyOn(Inbox.prototype, 'drop');
  socket.once('message', () => socket.pause());
  const sent = Array.from({ length: 60 }, (_, i) => `${i}`);
  net.arrive(fd, datagrams(...sent));
  await settled();
  expect([texts, taken.mock.results.map(({ value }) => value.length)]).toEqual([['0'], [59]]);
  expect(dropped).toHaveBeenCalledTimes(60);
  socket.resume();
  await settled();
  expect(texts).toEqual(sent);
  jest.restoreAllMocks();
});

test("a filter of a socket's batch lets others go on, of which something waits: each hears its own, once", async () => {
  const net = new FakeNet();
  const others = [await paused(net), await paused(net)];
  let asked = 0;
  const accept = () => {
    if (asked++ === 0) goOn(others);
    return true;
  };
  const { socket, fd } = await net.bound({ accept });
  const batches: string[] = [];
  socket.on('messages', (batch: ReceivedMessage[]) => batches.push(batch.map(({ msg }) => `${msg}`).join('+')));
  net.arrive(fd, datagrams('1', '2', '3'));
  await settled();
  expect(others.map(({ texts }) => texts)).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
  expect(batches.join('+')).toBe('1+2+3');
});

test("a hook of the program's that lets others go on before a message: each hears its own, once", async () => {
  const net = new FakeNet();
  const others = [await paused(net), await paused(net)];
  const { socket, fd } = await net.bound();
  const { texts } = heard(socket);
  let armed = false;
  const hook = createHook({
    before() {
      if (!armed) return;
      armed = false;
      goOn(others);
    },
  }).enable();
  socket.once('message', () => {
    armed = true;
  });
  net.arrive(fd, datagrams('1', '2', '3'));
  await settled();
  hook.disable();
  expect(others.map((other) => other.texts)).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
  expect(texts).toEqual(['1', '2', '3']);
});
