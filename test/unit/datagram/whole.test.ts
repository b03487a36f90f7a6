/** Large datagrams of one size are received where they stay; whatever comes instead of them is as it was sent, too. */
import { Names } from '../../../src/datagram/names';
import { Receiver } from '../../../src/datagram/receiver';
import { WHOLE } from '../../../src/datagram/whole';
import { fc } from '../../fuzz/settings';
import { FakeHost } from '../../support/fake-host';
import { type Case, cases, linux64 } from '../../support/layouts';
import { newReading } from '../../support/reading';

const from = { address: '192.0.2.9', port: 4321 };
const ROOM = 65535;

function setUp(on: Case, room = ROOM) {
  const host = new FakeHost(on);
  const { syscalls } = host;
  const receiver = new Receiver(host.platform, syscalls, new Names(syscalls, { now: () => 0 }), 4, room);
  const reading = newReading();
  const fd = syscalls.socket(2);
  let sent = 0;
  /** Bytes of which those of each datagram, and each part of it, are others. */
  const payload = (size: number) => {
    const text = `${++sent},`;
    let all = '';
    for (let i = 0; all.length < size; i++) all += text + i;
    return all.slice(0, size);
  };
  const receive = (...payloads: readonly string[]) => {
    syscalls.sockets.get(fd)!.incoming.push(...payloads.map((one) => ({ from, payload: one })));
    const received = receiver.receive(fd, 4);
    return Array.from({ length: received }, (_, slot) =>
      receiver.message(slot, receiver.rinfo(slot, reading).size, true),
    );
  };
  const addresses = jest.spyOn(syscalls, 'addressOf');
  return { receiver, reading, payload, receive, addresses, syscalls, fd };
}

const texts = (messages: readonly Buffer[]) => messages.map((one) => one.toString('latin1'));

describe.each(cases)('$name $arch', (on) => {
  test('the third of one size is where the kernel has put it, in memory of its own', () => {
    const { receive, payload, addresses } = setUp(on);
    const all = Array.from({ length: 5 }, () => payload(8192));
    const messages: Buffer[] = [];
    addresses.mockClear();
    for (const one of all) messages.push(...receive(one));
    expect(texts(messages)).toEqual(all);
    expect(addresses.mock.calls.map(([bytes]) => bytes)).toEqual(messages.slice(2));
    for (const { buffer, byteLength } of messages) expect(buffer.byteLength).toBe(byteLength);
    expect(new Set(messages.map(({ buffer }) => buffer)).size).toBe(5);
  });

  test.each([
    ['longer', 8193],
    ['as long as can be', ROOM],
    ['shorter', 8191],
    ['small', 5],
    ['empty', 0],
  ])('one that is %s comes instead, and then one as before', (_, size) => {
    const { receive, payload } = setUp(on);
    const all = [8192, 8192, size, 8192, 8192, 8192].map(payload);
    expect(all.flatMap((one) => texts(receive(one)))).toEqual(all);
  });
});

test('small ones take no addresses', () => {
  const { receive, payload, addresses } = setUp(linux64);
  addresses.mockClear();
  for (let i = 0; i < 9; i++) receive(payload(WHOLE - 1));
  expect(addresses).not.toHaveBeenCalled();
});

test('any sizes, in any batches: each message is what was sent, and stays so', () => {
  const size = fc.oneof(fc.constantFrom(0, 10, WHOLE, WHOLE + 1, 8192, ROOM), fc.nat(ROOM));
  const runs = fc.array(fc.tuple(fc.array(size, { minLength: 1, maxLength: 4 }), fc.integer({ min: 1, max: 4 })), {
    maxLength: 8,
  });
  fc.assert(
    fc.property(runs, (all) => {
      const { receive, payload } = setUp(linux64);
      const sent: string[] = [];
      const heard: Buffer[] = [];
      for (const [sizes, times] of all)
        for (let time = 0; time < times; time++) {
          const batch = sizes.map(payload);
          sent.push(...batch);
          heard.push(...receive(...batch));
        }
      expect(texts(heard)).toEqual(sent);
    }),
    { numRuns: 40 },
  );
});

test('one that nobody asks for does not spoil what comes next: too old, or without memory', () => {
  const { receive, payload, receiver, reading, syscalls, fd } = setUp(linux64);
  for (let i = 0; i < 3; i++) receive(payload(8192));
  syscalls.sockets.get(fd)!.incoming.push({ from, payload: payload(8192) });
  expect(receiver.receive(fd, 4)).toBe(1);
  receiver.rinfo(0, reading);
  const next = [payload(8192), payload(9000)];
  expect(texts(receive(...next))).toEqual(next);
});

test('what is longer than there is room for is cut where the room ends', () => {
  const { receive, payload } = setUp(linux64, 9000);
  for (let i = 0; i < 3; i++) receive(payload(8192));
  const long = payload(20_000);
  expect(texts(receive(long))).toEqual([long.slice(0, 9000)]);
  for (let i = 0; i < 3; i++) receive(payload(9000));
  expect(texts(receive(long))).toEqual([long.slice(0, 9000)]);
});

test('no memory to keep ready: they are copied, as before', () => {
  const { receive, payload } = setUp(linux64);
  receive(payload(8192), payload(8192));
  const slow = jest.spyOn(Buffer, 'allocUnsafeSlow').mockImplementationOnce(() => {
    throw new RangeError('Array buffer allocation failed');
  });
  const next = payload(8192);
  expect(texts(receive(next))).toEqual([next]);
  expect(slow.mock.results.map(({ type }) => type).slice(0, 2)).toEqual(['throw', 'return']);
  slow.mockRestore();
});

test('parts of a run: the first one may be whole, the others are behind it', () => {
  const { receive, receiver, reading, payload, syscalls, fd } = setUp(linux64);
  for (let i = 0; i < 3; i++) receive(payload(8192));
  const run = payload(3 * 8192);
  syscalls.sockets.get(fd)!.incoming.push({ from, payload: run });
  receiver.receive(fd, 4);
  receiver.rinfo(0, reading);
  const parts = [0, 1, 2].map((part) => receiver.message(0, 8192, true, part * 8192));
  expect(texts(parts).join('')).toBe(run);
});
