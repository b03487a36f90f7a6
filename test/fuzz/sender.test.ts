/**
 * A sender, and a kernel that takes some, is full, or refuses: each datagram has one fate, is told of it once, and what
 * leaves does so in order, from bytes as they were when it was handed over.
 */
import { Engine } from '../../src/datagram/engine';
import { Sender } from '../../src/datagram/sender';
import { newStats } from '../../src/socket/stats';
import { FakeHost } from '../support/fake-host';
import { linux64 } from '../support/layouts';
import { fc } from './settings';

const { EAGAIN } = linux64.numbers;

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ push: fc.oneof(fc.constant(8), fc.integer({ min: 4, max: 900 })) }) },
  { weight: 2, arbitrary: fc.record({ push: fc.integer({ min: 4000, max: 60_000 }) }) },
  fc.record({ run: fc.integer({ min: 4, max: 20_000 }), segment: fc.integer({ min: 4, max: 2000 }) }),
  fc.record({ sync: fc.integer({ min: 4, max: 6000 }) }),
  fc.constantFrom('flush', 'resume'),
);
/** What sendmmsg says: this part of what it is asked to send, or -errno. */
const kernel = fc.array(
  fc.oneof(fc.constantFrom(1, 1, 0.5, 0.1), fc.constantFrom(-EAGAIN, -EAGAIN, -90, -22, -111, -105)),
  { minLength: 1, maxLength: 100, size: 'max' },
);

test('each datagram has one fate, in order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: 'max' }), kernel, fc.boolean(), (steps, says, segments) => {
      const host = new FakeHost(linux64, segments);
      const engine = new Engine(host, () => now);
      const stats = newStats();
      const nothing = () => {};
      const hooks = { stats, drained: nothing, explained: () => false, failed: nothing, answersFrom: () => false };
      const waits = { awaitWritable: nothing, retryAfter: nothing, sourceGone: nothing };
      const sender = new Sender(engine, host.syscalls.socket(2), { ...hooks, ...waits }, true);
      const to = engine.names.endpoint('192.0.2.9')!;
      let now = 0;
      let calls = 0;
      host.syscalls.sendResult = (count) => {
        const said = says[calls++ % says.length];
        return said < 0 ? said : Math.max(1, Math.floor(count * said));
      };
      const left: number[] = [];
      const told: number[] = [];
      let handed = 0;
      const numbered = (size: number): Buffer => {
        const bytes = Buffer.alloc(size);
        bytes.writeUInt32LE(handed);
        return bytes;
      };
      const settle = (number: number) => ({
        settle: (error: Error | null) => {
          told.push(number);
          if (error === null) left.push(number);
        },
      });
      for (const one of steps) {
        now += 0.4;
        if (one === 'flush') sender.flush();
        else if (one === 'resume') sender.resume();
        else if ('sync' in one) {
          const bytes = numbered(one.sync);
          if (sender.sendSync(bytes, to, 53, undefined, undefined) < 0) continue;
          told.push(handed);
          left.push(handed++);
        } else if ('push' in one) {
          const bytes = numbered(one.push);
          sender.push(bytes, to, 53, undefined, undefined, settle(handed++));
          bytes.fill(255); // it is the program's again
        } else {
          const bytes = Buffer.alloc(one.run);
          const datagrams = Math.ceil(one.run / one.segment);
          const first = handed;
          handed += datagrams;
          for (let i = 0; i < datagrams; i++) {
            if (one.run - i * one.segment >= 4) bytes.writeUInt32LE(first + i, i * one.segment);
          }
          let next = first;
          const each = {
            settle(error: Error | null, _bytes: number, together = 1) {
              for (let i = 0; i < together; i++) settle(next++).settle(error);
            },
          };
          sender.pushRun(bytes, one.segment, to, 53, undefined, undefined, each, false);
          bytes.fill(255);
        }
      }
      sender.close();
      expect([sender.pending, sender.pendingBytes]).toEqual([0, 0]);
      expect(told).toEqual(Array.from({ length: handed }, (_, i) => i));
      const arrived = host.syscalls.sent.map(({ payload }) => Buffer.from(payload, 'latin1'));
      expect(arrived).toHaveLength(left.length);
      for (const [i, bytes] of arrived.entries()) {
        if (bytes.length >= 4 && bytes.readUInt32LE() !== left[i])
          throw new Error(`${bytes.readUInt32LE()} instead of ${left[i]}`);
      }
      expect(stats.datagramsOut).toBe(left.length);
    }),
  );
});
