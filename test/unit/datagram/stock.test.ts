/** Datagrams that come one at a time get Buffers that were made together: what a program has is still its own alone. */
import { Names } from '../../../src/datagram/names';
import { Receiver } from '../../../src/datagram/receiver';
import { fc } from '../../fuzz/settings';
import { FakeHost } from '../../support/fake-host';
import { linux64 } from '../../support/layouts';
import { newReading } from '../../support/reading';

const FastBuffer = (Buffer as unknown as { [Symbol.species]: new (size: number) => Buffer })[Symbol.species];
const from = { address: '192.0.2.9', port: 4321 };

function setUp() {
  const host = new FakeHost(linux64);
  const { syscalls } = host;
  const receiver = new Receiver(host.platform, syscalls, new Names(syscalls, { now: () => 0 }), 4, 2000);
  const reading = newReading();
  const fd = syscalls.socket(2);
  /** @param making is run with each Buffer that is made for them */
  return (limit: number, payload: string, making: () => void = () => {}) => {
    syscalls.sockets.get(fd)!.incoming.push({ from, payload });
    const received = receiver.receive(fd, limit);
    const Base = new Proxy(Uint8Array, {
      construct(target, args, self) {
        making();
        return Reflect.construct(target, args, self);
      },
    });
    return Array.from({ length: received }, (_, slot) => {
      const { size } = receiver.rinfo(slot, reading);
      Object.setPrototypeOf(FastBuffer, Base);
      try {
        return receiver.message(slot, size, true);
      } finally {
        Object.setPrototypeOf(FastBuffer, Uint8Array);
      }
    });
  };
}

/** Datagrams of which each byte says which one it is. */
const text = (size: number, number: number) => String.fromCharCode(33 + (number % 90)).repeat(size);

/** How many Buffers each of these made. */
function made(sizes: readonly number[], limit = 1): number[] {
  const receive = setUp();
  return sizes.map((size, index) => {
    let count = 0;
    receive(limit, text(size, index), () => count++);
    return count;
  });
}

test('of one size, more and more are made at a time, and sixteen at most', () => {
  const counts = made(new Array(64).fill(100));
  expect(counts.filter((count) => count > 0)).toEqual([1, 2, 4, 8, 16, 16, 16, 16]);
});

test('of other sizes than the one before one is made, and of few bytes', () => {
  expect(made([100, 200, 100, 200, 300, 400])).toEqual([1, 1, 1, 1, 1, 1]);
  expect(made(new Array(5).fill(64))).toEqual([1, 1, 1, 1, 1]);
});

test('so it is where more than one may come', () => {
  expect(made(new Array(5).fill(100), 4)).toEqual([1, 1, 1, 1, 1]);
});

test('no memory for those that follow costs the datagram nothing', () => {
  const receive = setUp();
  const messages = receive(1, text(100, 0));
  let left = 1;
  const full = () => {
    if (left-- === 0) throw new RangeError('Array buffer allocation failed');
  };
  messages.push(...receive(1, text(100, 1), full));
  expect(left).toBe(-1);
  for (let i = 2; i < 40; i++) messages.push(...receive(1, text(100, i)));
  expect(messages.map(String)).toEqual(Array.from({ length: 40 }, (_, i) => text(100, i)));
  expect(new Set(messages.map(({ buffer }) => buffer)).size).toBe(40);
});

test('whatever comes, each message is as it was sent, in memory of its own and of its size', () => {
  const sizes = fc.array(fc.tuple(fc.constantFrom(1, 4), fc.constantFrom(0, 1, 64, 65, 100, 101, 512, 513, 1500)), {
    size: 'max',
    maxLength: 60,
  });
  fc.assert(
    fc.property(sizes, (all) => {
      const receive = setUp();
      const messages = all.flatMap(([limit, size], index) => receive(limit, text(size, index)));
      expect(messages.map(String)).toEqual(all.map(([, size], index) => text(size, index)));
      for (const { buffer, byteOffset, byteLength } of messages)
        expect([byteOffset, buffer.byteLength]).toEqual([0, byteLength]);
      expect(new Set(messages.map(({ buffer }) => buffer)).size).toBe(messages.length);
    }),
  );
});
