/** The control message walker, on bytes that no kernel would send. */
import { newArrived, readControl } from '../../src/datagram/control';
import { platformFor } from '../../src/platform/index';
import type { Arrived } from '../../src/platform/platform';
import { arrived4, controlBytes, pktinfo6 } from '../support/bytes';
import { cases } from '../support/layouts';
import { fc } from './settings';

const SIZE = 256;
/** Behind and before the message: whoever reads it is found out. */
const POISON = 0xa5;

/** Views that notice every access outside of [start, start + length). */
function guarded(bytes: Uint8Array, start: number, length: number) {
  const outside: number[] = [];
  const watch = <View extends Uint8Array | Int32Array>(view: View, width: number): View =>
    new Proxy(view, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) {
          const at = Number(key) * width;
          if (at < start || at + width > start + length) outside.push(at);
        }
        return Reflect.get(target, key, target);
      },
    });
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  return { view: { bytes: watch(bytes, 1), words: watch(words, 4) }, outside };
}

describe.each(cases)('$name $arch', (on) => {
  const { cmsg, arrivals } = platformFor(on.name, on.arch);

  function walk(content: Uint8Array, start: number, length: number): { arrived: Arrived; outside: number[] } {
    const bytes = new Uint8Array(start + SIZE + 64).fill(POISON);
    bytes.set(content, start);
    const { view, outside } = guarded(bytes, start, length);
    const arrived = newArrived();
    readControl(cmsg, arrivals, view, start, length, arrived);
    return { arrived, outside };
  }

  test('random bytes: it ends, throws nothing and reads nothing outside', () => {
    const property = fc.property(
      fc.uint8Array({ maxLength: SIZE }),
      fc.integer({ min: 0, max: 8 }).map((n) => n * 8),
      (content, start) => {
        expect(walk(content, start, content.length).outside).toEqual([]);
      },
    );
    fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 300) });
  });

  // Headers with plausible levels and types reach the readers, which random bytes hardly do.
  const header = fc.record({
    kind: fc.constantFrom(...arrivals),
    length: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(-1, 0x7fffffff, -0x80000000)),
    data: fc.uint8Array({ maxLength: 48 }),
  });

  test('headers that lie about their length', () => {
    const property = fc.property(fc.array(header, { maxLength: 6 }), fc.nat(SIZE), (headers, cut) => {
      const content = controlBytes(
        on,
        headers.map(({ kind, data }) => ({ level: kind.level, type: kind.type, data: Buffer.from(data) })),
      );
      let at = 0;
      for (const { length, data } of headers) {
        if (at + 4 <= content.length) content.writeInt32LE(length, at);
        at += Math.ceil((on.layout.cmsg.data + data.length) / on.layout.align) * on.layout.align;
      }
      const length = Math.min(cut, content.length, SIZE);
      expect(walk(content.subarray(0, length), 8, length).outside).toEqual([]);
    });
    fc.assert(property, { numRuns: Number(process.env.FUZZ_RUNS ?? 300) });
  });

  test('every truncation of real messages says all of a message or nothing of it', () => {
    const hoplimit = { level: 41, type: on.numbers.IPV6_HOPLIMIT, data: Buffer.from([64, 0, 0, 0]) };
    const ipv4 = arrived4(on, '192.0.2.1', '192.0.2.1', 7);
    const whole = controlBytes(on, [hoplimit, pktinfo6(on, '::ffff:192.0.2.1', 7), ...ipv4]);
    const seen = new Set<string>();
    for (let length = 0; length <= whole.length; length++) {
      const { arrived, outside } = walk(whole.subarray(0, length), 8, length);
      expect(outside).toEqual([]);
      const { family, ttl, destination0, destination3 } = arrived;
      const mapped = family === 6 ? destination3 : destination0;
      seen.add(`${family} ${ttl} ${family === 0 ? '' : Buffer.from(Int32Array.of(mapped).buffer).join('.')}`);
    }
    expect([...seen]).toEqual(['0 -1 ', '0 64 ', '6 64 192.0.2.1', '4 64 192.0.2.1']);
  });
});
