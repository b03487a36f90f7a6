/**
 * Many sockets that share rings, and a kernel that takes some, is full, or refuses: whatever a slot carried before, a
 * datagram leaves through its own descriptor, to its own remote, with its own control messages and bytes, and as a ring
 * that was never used would have written it.
 */
import type { Endpoint } from '../../src/datagram/endpoint';
import { Engine } from '../../src/datagram/engine';
import type { Extras } from '../../src/datagram/envelopes';
import { SendRing } from '../../src/datagram/send-ring';
import { Sender } from '../../src/datagram/sender';
import { newStats } from '../../src/socket/stats';
import type { ControlMessage, Peer } from '../support/bytes';
import { FakeHost } from '../support/fake-host';
import { linux64 } from '../support/layouts';
import { fc } from './settings';

const { EAGAIN, EADDRNOTAVAIL } = linux64.numbers;
const SENDERS = 3;

/** To and from whom, by number: what stands at one number fits together. */
const PAIRS = [
  ['192.0.2.9', '192.0.2.1'],
  ['192.0.2.10', '192.0.2.2'],
  ['2001:db8::9', '2001:db8::1'],
  ['fe80::9%1', 'fe80::1%1'],
  ['::ffff:192.0.2.9', '::ffff:192.0.2.1'],
] as const;
const EXTRAS: readonly (Extras | undefined)[] = [
  undefined,
  undefined,
  { ifindex: 1, ttl: -1, tos: -1 },
  { ifindex: 0, ttl: 7, tos: 3 },
  { ifindex: 1, ttl: 255, tos: 0, mark: 0xffff_ffff, txTime: 2n ** 63n + 5n },
];

const whither = fc.record({
  by: fc.nat(SENDERS - 1),
  pair: fc.nat(PAIRS.length - 1),
  port: fc.constantFrom(0, 53, 53, 53, 54),
  from: fc.boolean(),
  extras: fc.nat(EXTRAS.length - 1),
  lenient: fc.boolean(),
  times: fc.constantFrom(1, 1, 1, 2, 5, 5, 66),
});
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ to: whither, push: fc.oneof(fc.constant(8), fc.integer({ min: 4, max: 900 })) }),
  },
  { weight: 1, arbitrary: fc.record({ to: whither, push: fc.integer({ min: 20_000, max: 60_000 }) }) },
  fc.record({ to: whither, run: fc.integer({ min: 4, max: 20_000 }), segment: fc.integer({ min: 4, max: 2000 }) }),
  fc.record({ to: whither, sync: fc.integer({ min: 4, max: 6000 }) }),
  fc.record({ flush: fc.nat(SENDERS - 1) }),
  fc.record({ resume: fc.nat(SENDERS - 1) }),
  fc.record({ leave: fc.nat(SENDERS - 1) }),
  fc.record({ close: fc.nat(SENDERS - 1) }),
);
/** What sendmmsg says: this part of what it is asked to send, or -errno. */
const kernel = fc.array(
  fc.oneof(fc.constantFrom(1, 1, 1, 0.5, 0.1), fc.constantFrom(-EAGAIN, 0, -EADDRNOTAVAIL, -90, -22, -111, -105)),
  { minLength: 1, maxLength: 60, size: 'max' },
);

interface Written {
  readonly to: Peer | undefined;
  readonly control: readonly ControlMessage[];
}

/** What a ring that was never used writes. */
class Oracle {
  readonly #engine: Engine;
  readonly #host: FakeHost;
  readonly #known = new Map<string, string>();

  constructor(engine: Engine, host: FakeHost) {
    this.#engine = engine;
    this.#host = host;
  }

  said(remote: Endpoint, port: number, source: Endpoint | undefined, extras: Extras | undefined): string {
    const key = `${remote.text} ${port} ${source?.text} ${EXTRAS.indexOf(extras)}`;
    let known = this.#known.get(key);
    if (known === undefined) {
      const { platform, syscalls } = this.#host;
      const ring = new SendRing(platform, syscalls, this.#engine.sockaddrs);
      ring.write(Buffer.from('x'), 1, remote, port, source, extras, undefined);
      const fd = syscalls.socket(2);
      syscalls.sendResult = () => 1;
      syscalls.sendmmsg(fd, ring.messages, 0, 1);
      known = said(syscalls.sent.pop() as Written);
      this.#known.set(key, known);
    }
    return known;
  }
}

function said({ to, control }: Written): string {
  return JSON.stringify({ to, control: control.map(({ level, type, data }) => [level, type, data.toString('hex')]) });
}

const oracleHost = new FakeHost(linux64, true);
const oracleEngine = new Engine(oracleHost, () => 0);
const oracle = new Oracle(oracleEngine, oracleHost);

interface Where {
  readonly by: number;
  readonly pair: number;
  readonly port: number;
  readonly from: boolean;
  readonly extras: number;
  readonly lenient: boolean;
}

interface Handed extends Where {
  port: number;
  readonly size: number;
  told: number;
  left: boolean;
}

test('whatever a slot carried before, a datagram leaves as itself, once, and is told of once', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40, size: 'max' }),
      kernel,
      fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
      (steps, says, explained) => {
        const host = new FakeHost(linux64, true);
        const engine = new Engine(host, () => now);
        let now = 0;
        let calls = 0;
        let asked = 0;
        const coin = () => explained[asked++ % explained.length];
        jest.spyOn(engine, 'isLocal').mockImplementation(coin);
        const nothing = () => {};
        const stats = newStats();
        const outlet = {
          ...{ stats, drained: nothing, failed: nothing, awaitWritable: nothing, retryAfter: nothing },
          ...{ sourceGone: nothing, explained: () => coin() && coin(), answersFrom: () => coin() && coin() },
        };
        const fds = Array.from({ length: SENDERS }, () => host.syscalls.socket(2));
        const senders = fds.map((fd, i) => new Sender(engine, fd, outlet, i > 0));
        const closed = new Set<number>();
        host.syscalls.sendResult = (count) => {
          const result = says[calls++ % says.length];
          return result <= 0 ? result : Math.max(1, Math.floor(count * result));
        };
        const handed: Handed[] = [];
        const bytesOf = (number: number, size: number): Buffer => {
          const bytes = Buffer.alloc(size, number);
          bytes.writeUInt32LE(number);
          return bytes;
        };
        const note = (to: Where, size: number): number => handed.push({ ...to, size, told: 0, left: false }) - 1;
        const settle = (number: number) => ({
          settle: (error: Error | null) => {
            handed[number].told++;
            if (error === null) handed[number].left = true;
          },
        });
        const ends = ({ pair, from, extras }: Where) => ({
          remote: engine.names.endpoint(PAIRS[pair][0]) as Endpoint,
          source: from ? engine.names.endpoint(PAIRS[pair][1]) : undefined,
          extras: EXTRAS[extras],
        });
        for (const one of steps) {
          now += 0.4;
          if ('flush' in one) senders[one.flush].flush();
          else if ('resume' in one) senders[one.resume].resume();
          else if ('leave' in one) {
            senders[one.leave].leavePeer(77);
            for (const each of handed) if (each.by === one.leave && each.told === 0 && each.port === 0) each.port = 77;
          } else if ('close' in one) {
            senders[one.close].close();
            closed.add(one.close);
          } else
            for (let i = 0; i < one.to.times; i++) {
              const { remote, source, extras } = ends(one.to);
              const { by, port, lenient } = one.to;
              if ('push' in one) {
                const number = note(one.to, one.push);
                const bytes = bytesOf(number, one.push);
                senders[by].push(bytes, remote, port, source, extras, settle(number), lenient);
                bytes.fill(255);
              } else if ('sync' in one) {
                const number = note(one.to, one.sync);
                const result = senders[by].sendSync(bytesOf(number, one.sync), remote, port, source, extras);
                settle(number).settle(result < 0 ? new Error('refused') : null);
              } else {
                const bytes = Buffer.alloc(one.run);
                const first = handed.length;
                for (let at = 0; at < one.run; at += one.segment) {
                  const size = Math.min(one.segment, one.run - at);
                  const number = note(one.to, size);
                  if (size >= 4) bytesOf(number, size).copy(bytes, at);
                }
                let next = first;
                const each = {
                  settle(error: Error | null, _bytes: number, together = 1) {
                    for (let k = 0; k < together; k++) settle(next++).settle(error);
                  },
                };
                senders[by].pushRun(bytes, one.segment, remote, port, source, extras, each, lenient);
                bytes.fill(255);
              }
            }
        }
        for (const sender of senders) sender.close();
        for (const sender of senders) expect([sender.pending, sender.pendingBytes]).toEqual([0, 0]);
        for (const [number, { told }] of handed.entries())
          if (told !== 1) throw new Error(`${number}: told ${told} times`);
        let arrived = 0;
        const last = senders.map(() => -1);
        for (const { fd, payload, ...written } of host.syscalls.sent) {
          arrived++;
          if (payload.length < 4) continue;
          const bytes = Buffer.from(payload, 'latin1');
          const number = bytes.readUInt32LE();
          const one = handed[number];
          if (one === undefined || !bytes.equals(bytesOf(number, one.size))) throw new Error(`${number}: other bytes`);
          if (!one.left) throw new Error(`${number}: left, and was said to have failed`);
          if (fd !== fds[one.by]) throw new Error(`${number}: by another's descriptor`);
          if (number <= last[one.by]) throw new Error(`${number} after ${last[one.by]}`);
          last[one.by] = number;
          const { remote, source, extras } = ends(one);
          const meant = [oracle.said(remote, one.port, source, extras)];
          if (one.lenient) meant.push(oracle.said(remote, one.port, undefined, extras));
          if (!meant.includes(said(written))) throw new Error(`${number}: ${said(written)} instead of ${meant[0]}`);
        }
        expect(arrived).toBe(handed.filter(({ left }) => left).length);
      },
    ),
    { numRuns: Number(process.env.FUZZ_RUNS ?? 100) }, // each is thousands of datagrams
  );
});
