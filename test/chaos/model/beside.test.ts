/**
 * Any commands on sockets of node:dgram and of recvfromto at once, on the loopback: the same is thrown, the same events
 * and callbacks come, the same datagrams arrive. FUZZ_RUNS and FUZZ_SEED look further.
 * What differs on purpose (docs/compat.md) is left out of what may be asked for.
 */
import type * as dgram from 'node:dgram';
import { fc } from '../../fuzz/settings';
import { report } from '../support/report';
import { uncaughtDuring } from '../support/uncaught';
import { accepted, type Hostile, hostile } from './hostile';
import { outcomeOf, type Seen, Side, SLOTS } from './sides';

const RUNS = Number(process.env.FUZZ_RUNS ?? 250);

/** What is done, on one side. → what a program sees of it at once */
interface Step {
  readonly [fc.toStringMethod]?: () => string;
  readonly name: string;
  run(side: Side): string;
  /** Do both sides get a turn of the loop behind it? dgram sends a tick later, and forgets what is closed until then. */
  readonly turn: boolean;
}

const slot = fc.nat(SLOTS - 1);

function step(
  name: string,
  turn: boolean,
  act: (socket: dgram.Socket, side: Side, one: Seen) => unknown,
  index = 0,
): Step {
  return {
    [fc.toStringMethod]: () => `${name} on ${index}`,
    name: `${name} on ${index}`,
    turn,
    run(side) {
      const one = side.seen[index]!;
      try {
        const result = act(one.socket as dgram.Socket, side, one);
        return typeof result === 'number' || typeof result === 'boolean' ? `ok ${result}` : 'ok';
      } catch (error) {
        return outcomeOf(error);
      } finally {
        one.touched = true;
      }
    },
  };
}

/**
 * Arrays with a getter act when they are read: dgram reads them twice, and some of it a tick later. Memory that is gone has
 * a test of its own, faults/memory.test.ts.
 */
const message = fc.constantFrom<Hostile>(
  ...accepted.filter(({ name }) => !/proxy/.test(name)),
  ...hostile.filter(({ name }) => !/getter|proxy|iterator|liar|lies|memory that/.test(name)),
);

const steps: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(slot, fc.constantFrom<unknown>(0, '0', undefined, null), fc.constantFrom('127.0.0.1', '192.0.2.77', '::1'))
    .map(([i, port, address]) =>
      step(`bind(${port}, ${address})`, true, (socket) => void socket.bind(port as number, address), i),
    ),
  fc
    .tuple(slot, slot)
    .map(([i, other]) =>
      step(`bind(port of ${other})`, true, (socket, side) => void socket.bind(side.port(other), '127.0.0.1'), i),
    ),
  fc.tuple(slot, message, fc.boolean(), fc.boolean()).map(([i, { name, make }, named, toSlot]) =>
    step(
      `send(${name}${named ? ', callback' : ''})${toSlot ? ' to itself' : ''}`,
      true,
      (socket, side, one) => {
        const msg = make(side.victim(one)) as string;
        const port = (toSlot && side.port(i)) || side.sinkPort;
        if (named) socket.send(msg, port, '127.0.0.1', side.callback(one));
        else socket.send(msg, port, '127.0.0.1');
      },
      i,
    ),
  ),
  fc
    .tuple(slot, message)
    .map(([i, { name, make }]) =>
      step(
        `send(${name}) connected`,
        true,
        (socket, side, one) => socket.send(make(side.victim(one)) as string, side.callback(one)),
        i,
      ),
    ),
  fc
    .tuple(slot, fc.integer({ min: -1, max: 9 }), fc.integer({ min: -1, max: 9 }))
    .map(([i, offset, length]) =>
      step(
        `send(offset ${offset}, length ${length})`,
        true,
        (socket, side, one) =>
          socket.send(Buffer.from('12345678'), offset, length, side.sinkPort, '127.0.0.1', side.callback(one)),
        i,
      ),
    ),
  fc.tuple(slot, fc.constantFrom(0, 1, 2)).map(([i, how]) =>
    step(
      `connect(${how})`,
      true,
      (socket, side, one) => {
        const callback = side.callback(one);
        socket.connect(
          [side.sinkPort, side.sinkPort, 70000][how]!,
          ['127.0.0.1', '::1', '127.0.0.1'][how]!,
          callback as () => void,
        );
      },
      i,
    ),
  ),
  slot.map((i) => step('disconnect()', true, (socket) => socket.disconnect(), i)),
  slot.map((i) => step('close()', true, (socket) => void socket.close(), i)),
  slot.map((i) =>
    step('close(callback)', true, (socket, side, one) => void socket.close(side.callback(one) as () => void), i),
  ),
  fc.tuple(slot, fc.constantFrom<Seen['deed']>('close', 'send', 'disconnect', 'throw')).map(([i, deed]) =>
    step(
      `${deed} at the next message`,
      false,
      (_, __, one) => {
        one.deed = deed;
      },
      i,
    ),
  ),
  slot.map((i) => step('address()', false, (socket) => socket.address().address === '127.0.0.1', i)),
  slot.map((i) => step('remoteAddress()', false, (socket) => socket.remoteAddress().address === '127.0.0.1', i)),
  fc
    .tuple(slot, fc.constantFrom('ref', 'unref'))
    .map(([i, name]) => step(name, false, (socket) => void socket[name as 'ref'](), i)),
  fc
    .tuple(
      slot,
      fc.constantFrom(
        'setTTL',
        'setBroadcast',
        'setMulticastTTL',
        'setMulticastLoopback',
        'addMembership',
        'dropMembership',
        'setMulticastInterface',
        'setRecvBufferSize',
      ),
      fc.constantFrom<unknown>(0, 1, 64, 255, 256, -1, true, 'x', '127.0.0.1', '239.1.2.3', null, {}),
    )
    .map(([i, name, value]) =>
      step(
        `${name}(${JSON.stringify(value)})`,
        true,
        (socket) => {
          (socket as unknown as Record<string, (value: unknown) => void>)[name]!(value);
        },
        i,
      ),
    ),
  slot.map((i) =>
    step(
      'bind({ fd })',
      true,
      // After a bind that failed, or a membership, dgram has a descriptor already, and says EBUSY. With one of the other
      // family it cannot send; we can.
      (socket, side, { touched }) => {
        const { type } = socket as unknown as { type: string };
        if (!touched && type === 'udp4') socket.bind({ fd: side.descriptor(), exclusive: true });
      },
      i,
    ),
  ),
  fc.tuple(fc.boolean(), fc.boolean()).map(([reuseAddr, ipv6]) => ({
    name: 'a new socket in the place of a closed one',
    turn: false,
    run(side: Side) {
      if (!side.seen.some(({ closed }) => closed)) return 'none';
      side.create({ type: ipv6 ? 'udp6' : 'udp4', reuseAddr });
      return 'ok';
    },
  })),
);

/** Long enough for a datagram on the loopback to come, and to be answered. */
async function rest(turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((done) => setImmediate(done));
}

async function play(all: readonly Step[]): Promise<void> {
  const sides = [new Side(false), new Side(true)] as const;
  await Promise.all(sides.map((side) => side.begin()));
  try {
    for (const { name, run, turn } of all) {
      const [theirs, ours] = [run(sides[0]), run(sides[1])];
      // On a closed socket ours say so first, whatever else is wrong.
      const closed = ours === 'ERR_SOCKET_DGRAM_NOT_RUNNING' && !theirs.startsWith('ok');
      if (theirs !== ours && !closed) throw new Error(`${name}: dgram ${theirs}, recvfromto ${ours}`);
      if (turn) await rest(6);
    }
    await rest(20);
    expect(sides[1].view()).toEqual(sides[0].view());
  } finally {
    await Promise.all(sides.map((side) => side.end()));
    await rest(3);
  }
}

test('what a program sees of recvfromto is what it sees of node:dgram', async () => {
  let executed = 0;
  const uncaught = await uncaughtDuring(async () => {
    const sequence = fc.array(steps, { maxLength: 20 });
    const property = fc.asyncProperty(sequence, async (all) => {
      await play(all);
      executed += all.length;
    });
    const limit = Number(process.env.FUZZ_MS ?? 40_000);
    await fc.assert(property, { numRuns: RUNS, interruptAfterTimeLimit: limit });
  });
  report('commands beside node:dgram', { runs: RUNS, commands: executed });
  expect(executed).toBeGreaterThan(50); // whatever the time allowed
  const strange = uncaught.filter((error) => !/BOOM|ERR_SOCKET/.test(String((error as NodeJS.ErrnoException).code)));
  expect(strange).toEqual([]);
}, 3_600_000);
