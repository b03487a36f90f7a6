import type { Endpoint } from '../../../src/datagram/endpoint';
import { Engine } from '../../../src/datagram/engine';
import type { Extras } from '../../../src/datagram/envelopes';
import type { Names } from '../../../src/datagram/names';
import { ARENA, SEND_SLOTS, type Settle } from '../../../src/datagram/send-ring';
import { Sender } from '../../../src/datagram/sender';
import { newStats } from '../../../src/socket/stats';
import { addressBytes, addressText, pktinfo6 } from '../../support/bytes';
import { FakeHost } from '../../support/fake-host';
import { type Case, caseOf, cases, linux64 } from '../../support/layouts';

type Outcome = [code: string | null, bytes?: number];

function setUp(on: Case, segments = false) {
  const host = new FakeHost(on, segments);
  const { syscalls } = host;
  const stats = newStats();
  const engine = new Engine(host, () => 0);
  const outlet = {
    writable: 0,
    retries: [] as number[],
    gone: [] as string[],
    local: true,
    drained: 0,
    explained: () => false,
  };
  const { names, rings: pool } = engine;
  jest.spyOn(engine, 'isLocal').mockImplementation(() => outlet.local);
  const hooks = {
    stats,
    drained: () => void outlet.drained++,
    explained: () => outlet.explained(),
    failed: () => {},
    answersFrom: () => false,
    awaitWritable: () => void outlet.writable++,
    retryAfter: (ms: number) => void outlet.retries.push(ms),
    sourceGone: (source: Endpoint) => void outlet.gone.push(source.text),
  };
  const make = () => new Sender(engine, syscalls.socket(2), hooks, segments);
  const outcomes: Outcome[] = [];
  const settle = {
    settle: (error: Error | null, bytes: number) => {
      const code = (error as NodeJS.ErrnoException | null)?.code ?? null;
      outcomes.push(code === null ? [code, bytes] : [code]);
    },
  };
  const to = (address: string) => names.endpoint(address)!;
  const push = (sender: Sender, text: string, address = '192.0.2.9', source?: string) =>
    sender.push(Buffer.from(text), to(address), 53, source === undefined ? undefined : to(source), undefined, settle);
  return { host, engine, hooks, syscalls, stats, pool, outlet, make, sender: make(), outcomes, settle, to, push };
}

const ticks = () => new Promise<void>((resolve) => process.nextTick(resolve));
const payloads = (host: FakeHost) => host.syscalls.sent.map(({ payload }) => payload);

describe.each(cases)('$name $arch', (on) => {
  test('peer and payload arrive at the kernel; nothing is attached unasked', async () => {
    const { sender, push, host, outcomes, stats } = setUp(on);
    push(sender, 'four', '192.0.2.9');
    push(sender, 'six', '2001:db8::9');
    push(sender, '', '::ffff:192.0.2.9');
    expect(host.syscalls.sent).toEqual([]);
    sender.flush();
    expect(host.syscalls.sent).toMatchObject([
      { to: { address: '192.0.2.9', port: 53 }, payload: 'four', control: [] },
      { to: { address: '2001:db8:0:0:0:0:0:9', port: 53, scope: 0 }, payload: 'six', control: [] },
      { to: { address: '0:0:0:0:0:ffff:c000:209', port: 53 }, payload: '', control: [] },
    ]);
    expect(outcomes).toEqual([
      [null, 4],
      [null, 3],
      [null, 0],
    ]);
    expect(stats).toMatchObject({ datagramsOut: 3, bytesOut: 7, systemCallsOut: 1, sendErrors: 0 });
  });

  test('sources of each kind, slot after slot, in any order', () => {
    const { sender, push, host, to } = setUp(on);
    const scoped = { ifindex: 1, ttl: -1, tos: -1 };
    const source4 = (address: string) => ({
      level: 0,
      type: on.numbers.source4.type,
      data: on.numbers.source4.bytes(addressBytes(address), 0),
    });
    for (let round = 0; round < 3; round++) {
      sender.flush();
      host.syscalls.sent.length = 0;
      push(sender, 'a', '192.0.2.9', round % 2 ? '192.0.2.1' : undefined);
      push(sender, 'b', '2001:db8::9', round % 2 ? undefined : '2001:db8::1');
      push(sender, 'c', '192.0.2.9', '192.0.2.7');
      if (on.name !== 'openbsd') push(sender, 'd', '::ffff:192.0.2.9', '::ffff:192.0.2.1');
      sender.push(Buffer.from('e'), to('fe80::9'), 53, to('fe80::1'), scoped, undefined);
      sender.flush();
      const control = host.syscalls.sent.map((sent) => sent.control);
      expect(control[0]).toEqual(round % 2 ? [source4('192.0.2.1')] : []);
      expect(control[1]).toEqual(round % 2 ? [] : [pktinfo6(on, '2001:db8::1', 0)]);
      expect(control[2]).toEqual([source4('192.0.2.7')]);
      if (on.name !== 'openbsd') expect(control[3]).toEqual([source4('192.0.2.1')]);
      expect(control.at(-1)).toEqual([pktinfo6(on, 'fe80::1', 1)]);
      push(sender, 'shift', '192.0.2.9'); // the next round begins with another slot
      push(sender, 'all', '192.0.2.9');
    }
  });

  test('a slot that carried an IPv6 source carries TTL and TOS afterwards', () => {
    const { sender, push, host, to } = setUp(on);
    push(sender, 'a', '2001:db8::9', '2001:db8::ffff:ffff');
    sender.flush();
    sender.push(Buffer.from('b'), to('2001:db8::9'), 53, undefined, { ifindex: 0, ttl: 7, tos: 3 }, undefined);
    sender.flush(); // the fake kernel refuses a cmsg_len with something left in its upper half
    const ints = host.syscalls.sent[1].control.map(({ level, data }) => [level, data.readInt32LE()]);
    expect(ints).toEqual(
      on.name === 'win32'
        ? []
        : [
            [41, 7],
            [41, 3],
          ],
    );
  });

  test('a connected udp6 socket: no name, and its peer decides which messages are meant', () => {
    const { sender, host, to } = setUp(on);
    sender.push(Buffer.from('x'), to('2001:db8::9'), 0, undefined, { ifindex: 1, ttl: 9, tos: -1 }, undefined);
    sender.flush();
    const [{ to: name, control }] = host.syscalls.sent;
    expect(name).toBeUndefined();
    expect(control.map(({ level }) => level)).toEqual(on.name === 'win32' ? [41] : [41, 41]);
    expect(control[0]).toEqual(pktinfo6(on, '::', 1));
  });
});

describe('what the kernel does not take', () => {
  test('a partial result: the rest goes with the next call, nothing twice', async () => {
    const { sender, push, host, outcomes } = setUp(linux64);
    host.syscalls.sendResult = (count) => Math.min(count, 2);
    for (const text of ['a', 'bb', 'ccc', 'dddd', 'eeeee']) push(sender, text);
    expect([sender.pending, sender.pendingBytes]).toEqual([5, 15]);
    sender.flush();
    await ticks();
    expect(payloads(host)).toEqual(['a', 'bb', 'ccc', 'dddd', 'eeeee']);
    expect(outcomes.map(([, bytes]) => bytes)).toEqual([1, 2, 3, 4, 5]);
    expect([sender.pending, sender.pendingBytes]).toEqual([0, 0]);
  });

  test('EAGAIN in the middle: the rest waits for writable, in order, with what came meanwhile', async () => {
    const { sender, push, host, outcomes, outlet, stats } = setUp(linux64);
    const results = [2, -11];
    host.syscalls.sendResult = (count) => results.shift() ?? count;
    for (const text of ['a', 'b', 'c', 'd']) push(sender, text);
    sender.flush();
    expect([outlet.writable, sender.pending]).toEqual([1, 2]);
    push(sender, 'e');
    sender.flush(); // still blocked: no system call
    expect(payloads(host)).toEqual(['a', 'b']);
    sender.resume();
    await ticks();
    expect(payloads(host)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(outcomes.length).toBe(5);
    expect(stats).toMatchObject({ wouldBlock: 1, datagramsOut: 5, systemCallsOut: 3 });
  });

  test('a datagram that fails is reported and skipped', async () => {
    const { sender, push, host, outcomes, stats } = setUp(linux64);
    const results = [1, -111, -90];
    host.syscalls.sendResult = (count) => results.shift() ?? count;
    for (const text of ['a', 'b', 'c', 'd']) push(sender, text);
    sender.flush();
    await ticks();
    expect(payloads(host)).toEqual(['a', 'd']);
    // Nothing was given twice or forgotten, though in the order in which the kernel spoke.
    expect(outcomes).toEqual([[null, 1], ['ECONNREFUSED'], ['EMSGSIZE'], [null, 1]]);
    expect(stats).toMatchObject({ sendErrors: 2, datagramsOut: 2 });
  });

  test('more datagrams than a ring has slots, more bytes than its arena: all leave, in order', async () => {
    const { sender, push, host, outcomes } = setUp(linux64);
    const many = Array.from({ length: SEND_SLOTS * 3 + 5 }, (_, i) => String(i));
    for (const text of many) push(sender, text);
    for (let i = 0; i < 5; i++) push(sender, 'x'.repeat(ARENA / 2 - 1));
    sender.flush();
    await ticks();
    expect(payloads(host).slice(0, many.length)).toEqual(many);
    expect(host.syscalls.sent.length).toBe(many.length + 5);
    expect(outcomes.length).toBe(many.length + 5);
  });

  test('while blocked it keeps everything, ring upon ring', async () => {
    const { sender, push, host, outcomes } = setUp(linux64);
    host.syscalls.sendResult = () => -11;
    const many = Array.from({ length: SEND_SLOTS * 2 + 1 }, (_, i) => String(i));
    for (const text of many) push(sender, text);
    host.syscalls.sendResult = (count) => count;
    sender.resume();
    await ticks();
    expect(payloads(host)).toEqual(many);
    expect(outcomes.length).toBe(many.length);
  });

  test('more than any datagram can be: EMSGSIZE, without a system call', async () => {
    const { sender, settle, outcomes, host, stats, to } = setUp(linux64);
    sender.push(Buffer.alloc(ARENA + 1), to('192.0.2.9'), 53, undefined, undefined, settle);
    await ticks();
    expect(outcomes).toEqual([['EMSGSIZE']]);
    expect([host.syscalls.calls, stats.sendErrors]).toEqual([[], 1]);
  });

  test('parts are gathered into one datagram', () => {
    const { sender, to, host } = setUp(linux64);
    const parts = [Buffer.from('ab'), Buffer.from(''), new Uint8Array([0x63])];
    sender.push(parts, to('192.0.2.9'), 53, undefined, undefined, undefined);
    sender.push([], to('192.0.2.9'), 53, undefined, undefined, undefined);
    sender.flush();
    expect(payloads(host)).toEqual(['abc', '']);
  });

  test('bytes that are gone are sent as what they look like, and never as what was there before', () => {
    const { sender, push, host, to } = setUp(linux64);
    push(sender, 'old');
    sender.flush();
    const gone = new Uint8Array(3);
    structuredClone(gone, { transfer: [gone.buffer] });
    for (const payload of [gone, [Buffer.from('part'), gone]]) {
      sender.push(payload, to('192.0.2.66'), 53, undefined, undefined, undefined);
    }
    sender.flush();
    expect(payloads(host)).toEqual(['old', '', 'part']);
  });

  test.each([-100_000, 60_000, Number.NaN])('no subclass says how long its bytes are: not %d', (length) => {
    class Liar extends Uint8Array {
      override get length() {
        return length;
      }
    }
    const { sender, push, host, to } = setUp(linux64);
    const bytes = new Liar(Buffer.from('lie').buffer.slice(0, 0));
    sender.push(bytes, to('192.0.2.9'), 53, undefined, undefined, undefined);
    sender.push([bytes, Buffer.from('part')], to('192.0.2.9'), 53, undefined, undefined, undefined);
    push(sender, 'next');
    sender.flush();
    expect(payloads(host)).toEqual(['', 'part', 'next']);
  });

  test('after close() nothing goes to a descriptor that may be another by now', async () => {
    const { sender, push, host, outcomes, stats } = setUp(linux64);
    sender.close();
    push(sender, 'late');
    sender.flush();
    await ticks();
    expect(host.syscalls.sent).toEqual([]);
    expect(outcomes).toEqual([['ECANCELED']]);
    expect(stats).toMatchObject({ sendErrors: 1, systemCallsOut: 0 });
  });

  test('close: what can go goes, the rest is ECANCELED, every callback comes once', async () => {
    const { sender, push, host, outcomes, pool, make } = setUp(linux64);
    const results = [2];
    host.syscalls.sendResult = () => results.shift() ?? -11;
    for (const text of ['a', 'b', 'c', 'd']) push(sender, text);
    sender.close();
    sender.close();
    sender.flush();
    await ticks();
    expect(payloads(host)).toEqual(['a', 'b']);
    expect(outcomes).toEqual([[null, 1], [null, 1], ['ECANCELED'], ['ECANCELED']]);
    host.syscalls.sendResult = (count) => count;
    const next = make();
    push(next, 'e'); // the ring that it gave back is as new
    next.flush();
    expect(payloads(host)).toEqual(['a', 'b', 'e']);
    expect(pool).toBeDefined();
  });

  test.each([
    ['linux', 'x64', 'ENETUNREACH'],
    ['linux', 'x64', 'EINVAL'],
    ['freebsd', 'x64', 'EADDRNOTAVAIL'],
    ['win32', 'x64', 'EINVAL'],
  ])('%s %s: %s with a source that is gone is EADDRNOTAVAIL, else itself', async (name, arch, code) => {
    const { sender, push, host, outcomes, outlet } = setUp(caseOf(name, arch));
    host.syscalls.sendResult = () => -host.platform.errno[code];
    outlet.local = false;
    push(sender, 'a', '192.0.2.9', '192.0.2.1');
    push(sender, 'b', '192.0.2.9');
    sender.flush();
    outlet.local = true;
    push(sender, 'c', '192.0.2.9', '192.0.2.1');
    sender.flush();
    await ticks();
    expect(outcomes.map(([got]) => got)).toEqual(['EADDRNOTAVAIL', code, code]);
  });

  test('ENOBUFS on BSD: waits by timer, longer each time, and gives up at last', async () => {
    const { sender, push, host, outcomes, outlet } = setUp(caseOf('freebsd', 'x64'));
    host.syscalls.sendResult = () => -55;
    push(sender, 'a');
    sender.flush();
    while (sender.pending > 0) sender.resume();
    await ticks();
    expect(outlet.retries).toEqual([1, 2, 4, 8, 16, 16, 16, 16]);
    expect(outcomes).toEqual([['ENOBUFS']]);
    expect(outlet.writable).toBe(0);
  });
});

test("an error that is always said to be of an earlier datagram is this one's in the end, and a run's as well", () => {
  for (const segments of [false, true]) {
    const { sender, push, host, outlet, outcomes, syscalls } = setUp(linux64, segments);
    outlet.explained = () => true;
    let left = 1;
    syscalls.sendResult = (count) => (left-- > 0 ? -111 : count);
    push(sender, 'a');
    push(sender, 'b');
    sender.flush();
    expect(payloads(host)).toEqual(['a', 'b']); // nothing is told of what was not theirs
    left = 1000;
    push(sender, 'c');
    sender.flush();
    expect(outcomes).toEqual([[null, 1], [null, 1], ['ECONNREFUSED']]);
  }
});

describe('a message that is to be cut', () => {
  test.each([
    ['an empty one is one datagram', 0, 100],
    ['one as long as a segment is one datagram', 100, 100],
    ['segments of which two are more than a run may have', 3 * 40000 + 1, 40000],
    ['segments that are longer than a datagram may be', 140000, 65520],
    ['segments of one byte', 130, 1],
  ])('%s', (_, size, segment) => {
    for (const segments of [false, true]) {
      const { sender, host, to } = setUp(linux64, segments);
      const told = { datagrams: 0, bytes: 0, errors: 0 };
      const settle: Settle = {
        settle(error, bytes, datagrams = 1) {
          told.datagrams += datagrams;
          told.bytes += bytes;
          if (error !== null) told.errors++;
        },
      };
      sender.pushRun(Buffer.alloc(size), segment, to('192.0.2.9'), 53, undefined, undefined, settle, false);
      sender.flush();
      const whole = Math.floor(size / segment);
      const sizes: number[] = Array.from({ length: whole }, () => segment);
      if (size === 0 || size % segment > 0) sizes.push(size % segment);
      expect(host.syscalls.sent.map(({ payload }) => payload.length)).toEqual(sizes);
      expect(told).toEqual({ datagrams: sizes.length, bytes: size, errors: 0 });
    }
  });

  test('where it has to wait, each of its datagrams is heard of', () => {
    const { sender, host, outcomes, settle, to } = setUp(linux64, true);
    host.syscalls.sendResult = () => -11;
    const bytes = Buffer.alloc(250, 'x');
    sender.pushRun(bytes, 100, to('192.0.2.9'), 53, undefined, undefined, settle, false);
    bytes.fill('y'); // it is the program's again
    host.syscalls.sendResult = (count) => count;
    sender.resume();
    expect(host.syscalls.sent.map(({ payload }) => payload)).toEqual([100, 100, 50].map((size) => 'x'.repeat(size)));
    expect(outcomes).toEqual([100, 100, 50].map((size) => [null, size]));
  });
});

test('errors say where to and where from; a connected peer is not named, as in dgram', async () => {
  const { sender, host, to } = setUp(linux64);
  host.syscalls.sendResult = () => -1;
  const errors: (Error | null)[] = [];
  const settle = { settle: (error: Error | null) => void errors.push(error) };
  sender.push(Buffer.from('x'), to('192.0.2.9'), 53, to('192.0.2.1'), undefined, settle);
  sender.push(Buffer.from('x'), to('192.0.2.9'), 0, undefined, undefined, settle);
  sender.flush();
  await ticks();
  expect(errors[0]).toMatchObject({
    message: 'send EPERM 192.0.2.9:53 from 192.0.2.1',
    code: 'EPERM',
    errno: -1,
    syscall: 'send',
    address: '192.0.2.9',
    port: 53,
    localAddress: '192.0.2.1',
  });
  expect(errors[1]?.message).toBe('send EPERM');
  expect((errors[1] as NodeJS.ErrnoException & { address?: string }).address).toBeUndefined();
});

test('bytes of the caller are copied also where waiting for the kernel is refused', () => {
  const { make, host, outlet, hooks, to, settle, outcomes } = setUp(linux64);
  const sender = make();
  host.syscalls.sendResult = () => -11;
  hooks.awaitWritable = () => {
    throw new Error('no memory');
  };
  const bytes = Buffer.alloc(30_000, 'a');
  expect(() => sender.push(bytes, to('192.0.2.9'), 53, undefined, undefined, settle)).toThrow('no memory');
  bytes.fill('b');
  hooks.awaitWritable = () => void outlet.writable++;
  host.syscalls.sendResult = (count) => count;
  sender.resume();
  expect(payloads(host)).toEqual(['a'.repeat(30_000)]);
  expect(outcomes).toEqual([[null, 30_000]]);
});

test('close() tries once more what waits: nobody will say any more that there is room', () => {
  const { sender, push, host, outcomes } = setUp(linux64);
  host.syscalls.sendResult = () => -11;
  push(sender, 'a');
  sender.flush();
  host.syscalls.sendResult = (count) => count;
  sender.close();
  expect(payloads(host)).toEqual(['a']);
  expect(outcomes).toEqual([[null, 1]]);
});

test('what waits when a socket is disconnected goes to whom it was meant for, also from behind full rings', () => {
  const { sender, host, to, settle } = setUp(linux64);
  let full = true;
  host.syscalls.sendResult = (count) => (full ? -11 : count);
  const send = (port: number) => sender.push(Buffer.from('x'), to('192.0.2.9'), port, undefined, undefined, settle);
  for (let i = 0; i < 300; i++) send(i % 2 === 0 ? 0 : 7);
  sender.flush();
  sender.leavePeer(53);
  full = false;
  while (sender.pending > 0) sender.resume();
  sender.flush();
  expect(host.syscalls.sent).toHaveLength(300);
  expect(host.syscalls.sent.map((one) => one.to?.port)).toEqual(
    Array.from({ length: 300 }, (_, i) => (i % 2 ? 7 : 53)),
  );
});

test('a queue that is never empty: each leaves once and in order', () => {
  const { sender, push, host } = setUp(linux64);
  let room = 0;
  host.syscalls.sendResult = (count) => (room > 0 ? Math.min(count, room--) : -11);
  let pushed = 0;
  const some = (count: number) => {
    for (let i = 0; i < count; i++) push(sender, String(pushed++));
  };
  some(6000);
  while (host.syscalls.sent.length < 20_000) {
    some(64);
    room = 1;
    sender.resume();
  }
  expect(payloads(host)).toEqual(Array.from({ length: host.syscalls.sent.length }, (_, i) => String(i)));
  expect(sender.pending).toBe(pushed - host.syscalls.sent.length);
});

describe('runs: many datagrams as one message', () => {
  const runs = () => setUp(linux64, true);

  test('of one size, to one peer, from one source; the last may be shorter', async () => {
    const { sender, push, host, outcomes, stats } = runs();
    const texts = ['aaaa', 'bbbb', 'cc', 'dddd', 'eeee', '', 'f', 'gg'];
    for (const text of texts) push(sender, text);
    push(sender, 'other', '192.0.2.8');
    push(sender, 'other', '192.0.2.8', '192.0.2.1');
    push(sender, 'other', '192.0.2.8', '192.0.2.1');
    expect([sender.pending, sender.pendingBytes]).toEqual([11, 36]);
    let messages = 0;
    host.syscalls.sendResult = (count) => {
      messages = count;
      return count;
    };
    sender.flush();
    await ticks();
    expect(payloads(host)).toEqual([...texts, 'other', 'other', 'other']);
    expect(messages).toBe(7); // aaaa+bbbb+cc, dddd+eeee, '', f, gg, other, other+other
    expect(host.syscalls.sent.map(({ control }) => control.length)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    expect(outcomes).toEqual([...texts, 'other', 'other', 'other'].map(({ length }) => [null, length]));
    expect(stats).toMatchObject({ datagramsOut: 11, bytesOut: 36, systemCallsOut: 1 });
    expect([sender.pending, sender.pendingBytes]).toEqual([0, 0]);
  });

  test('no longer than 64 datagrams and 65507 bytes', () => {
    const { sender, push, host } = runs();
    for (let i = 0; i < 200; i++) push(sender, 'x');
    for (let i = 0; i < 5; i++) push(sender, 'x'.repeat(30_000));
    sender.flush(); // the fake kernel refuses more
    expect(host.syscalls.sent.length).toBe(205);
  });

  test('one that is refused goes again, one by one, before what follows; that peer gets no more runs', async () => {
    const { sender, push, host, outcomes, stats } = runs();
    const results = [-22, 1, -90];
    const counts: number[] = [];
    host.syscalls.sendResult = (count) => {
      counts.push(count);
      return results.shift() ?? count;
    };
    for (const text of ['a', 'b', 'c']) push(sender, text);
    push(sender, 'd', '192.0.2.8');
    sender.flush();
    await ticks();
    expect(payloads(host)).toEqual(['a', 'c', 'd']);
    expect(outcomes).toEqual([[null, 1], ['EMSGSIZE'], [null, 1], [null, 1]]);
    expect(stats).toMatchObject({ datagramsOut: 3, sendErrors: 1 });
    counts.length = 0;
    for (const text of ['a', 'b', 'c']) push(sender, text);
    sender.flush();
    expect(counts).toEqual([3]);
  });

  test('that peer gets no more runs when thousands of others have been heard since, either', () => {
    const { sender, push, host, to } = runs();
    const results = [-22];
    host.syscalls.sendResult = (count) => results.shift() ?? count;
    for (const text of ['a', 'b']) push(sender, text);
    sender.flush();
    for (let i = 0; i < 5000; i++) to(`10.1.${i >>> 8}.${i & 255}`);
    const counts: number[] = [];
    host.syscalls.sendResult = (count) => {
      counts.push(count);
      return count;
    };
    for (const text of ['a', 'b', 'c']) push(sender, text);
    sender.flush();
    expect(counts).toEqual([3]);
  });

  test('EAGAIN in the middle of the second try, and close() after it: every callback once', async () => {
    const { sender, push, host, outcomes } = runs();
    const results = [-22, 1, -11];
    host.syscalls.sendResult = () => results.shift() ?? -11;
    for (const text of ['a', 'b', 'c', 'dd', 'ee']) push(sender, text);
    sender.flush();
    expect(sender.pending).toBe(4);
    sender.close();
    await ticks();
    expect(payloads(host)).toEqual(['a']);
    expect(outcomes).toEqual([[null, 1], ...Array(4).fill(['ECANCELED'])]);
    expect([sender.pending, sender.pendingBytes]).toEqual([0, 0]);
  });

  test('a slot that held a run holds a single datagram afterwards', () => {
    const { sender, push, host } = runs();
    for (const text of ['aa', 'bb']) push(sender, text);
    sender.flush();
    push(sender, 'lonely');
    sender.flush();
    for (const text of ['six', 'six']) push(sender, text, '2001:db8::9', '2001:db8::ffff');
    sender.flush();
    expect(payloads(host)).toEqual(['aa', 'bb', 'lonely', 'six', 'six']);
    expect(host.syscalls.sent[2].control).toEqual([]);
  });
});

describe('lenient datagrams, whose source nobody asked for by name', () => {
  const lenient = (source: string) => {
    const made = setUp(linux64);
    const { sender, to, settle } = made;
    sender.push(Buffer.from('x'), to('192.0.2.9'), 53, to(source), { ifindex: 0, ttl: 9, tos: -1 }, settle, true);
    return made;
  };

  test('go without it where it is gone, and keep the rest', async () => {
    const { sender, host, outlet, outcomes } = lenient('192.0.2.1');
    const results = [-101];
    host.syscalls.sendResult = (count) => results.shift() ?? count;
    outlet.local = false;
    sender.flush();
    await ticks();
    expect([outcomes, outlet.gone]).toEqual([[[null, 1]], ['192.0.2.1']]);
    expect(host.syscalls.sent[0].control.map(({ type }) => type)).toEqual([2]); // IP_TTL
  });

  test('fail like others when that was not the reason', async () => {
    const { sender, host, outcomes, outlet } = lenient('192.0.2.1');
    host.syscalls.sendResult = () => -101;
    sender.flush();
    await ticks();
    expect([outcomes, outlet.gone]).toEqual([[['ENETUNREACH']], []]);
  });
});

describe('the ring pool', () => {
  test('a thousand sockets that send in one turn share a few rings', () => {
    const { host, make, push } = setUp(linux64);
    let rings = 0;
    const { addressOf } = host.syscalls;
    host.syscalls.addressOf = (bytes) => {
      if (bytes.length === ARENA) rings++;
      return addressOf.call(host.syscalls, bytes);
    };
    const senders = Array.from({ length: 1000 }, () => make());
    senders.forEach((sender, i) => {
      push(sender, String(i));
    });
    for (const sender of senders) sender.flush();
    expect(rings).toBeLessThanOrEqual(16);
    expect(payloads(host)).toEqual(senders.map((_, i) => String(i)));
    expect(new Set(host.syscalls.sent.map(({ fd }) => fd)).size).toBe(1000);
  });

  test('a sender that sends alone asks for a ring once; another one gets the same when it asks', () => {
    const { host, make, push, pool } = setUp(linux64);
    const take = jest.spyOn(pool, 'take');
    const give = jest.spyOn(pool, 'give');
    const [one, other] = [make(), make()];
    for (let i = 0; i < 5; i++) {
      push(one, `one ${i}`);
      one.flush();
    }
    expect([take.mock.calls.length, give.mock.calls.length]).toEqual([1, 0]);
    push(other, 'other');
    push(one, 'one 5'); // while the other one has what was its own
    one.flush();
    other.flush();
    const [first, second, third] = take.mock.results.map(({ value }) => value);
    expect([second === first, third === first]).toEqual([true, false]);
    expect(payloads(host)).toEqual(['one 0', 'one 1', 'one 2', 'one 3', 'one 4', 'one 5', 'other']);
  });

  test('a closed sender keeps no ring', () => {
    const { host, make, push, pool } = setUp(linux64);
    const one = make();
    push(one, 'a');
    one.flush();
    expect(pool.keeper).toBe(one);
    one.close();
    expect(pool.keeper).toBeUndefined();
    const other = make();
    push(other, 'b');
    other.flush();
    expect(payloads(host)).toEqual(['a', 'b']);
  });

  test('whoever is blocked keeps his ring; the others get new ones', () => {
    const { host, make, push } = setUp(linux64);
    const senders = Array.from({ length: 40 }, () => make());
    host.syscalls.sendResult = () => -11;
    senders.forEach((sender, i) => {
      push(sender, String(i));
      sender.flush();
    });
    host.syscalls.sendResult = (count) => count;
    for (const sender of senders.reverse()) sender.resume();
    expect(payloads(host).map(Number)).toEqual(Array.from({ length: 40 }, (_, i) => 39 - i));
  });

  test('a ring at rest holds nothing that a caller gave', async () => {
    const { sender, host, to } = setUp(linux64);
    let collected = false;
    const registry = new FinalizationRegistry(() => {
      collected = true;
    });
    (() => {
      const settle = { settle() {} };
      registry.register(settle, '');
      sender.push(Buffer.from('x'), to('192.0.2.9'), 53, undefined, undefined, settle);
    })();
    sender.flush();
    expect(host.syscalls.sent.length).toBe(1);
    const { setFlagsFromString } = await import('node:v8');
    setFlagsFromString('--expose-gc');
    const gc = (await import('node:vm')).runInNewContext('gc') as () => void;
    for (let i = 0; i < 20 && !collected; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      gc();
    }
    expect(collected).toBe(true);
  });
});

describe('slots that carry again what they carried before', () => {
  const { source4 } = linux64.numbers;
  const from = (address: string) => ({ level: 0, type: source4.type, data: source4.bytes(addressBytes(address), 0) });
  const control = (host: FakeHost) => host.syscalls.sent.map((sent) => sent.control);

  test('a source that was dropped is named again where it must be', () => {
    const { sender, host, outlet, to, outcomes, settle } = setUp(linux64);
    outlet.local = false;
    const results = [-linux64.numbers.EADDRNOTAVAIL, 1, 1];
    host.syscalls.sendResult = () => results.shift()!;
    const [remote, source] = [to('192.0.2.9'), to('192.0.2.1')];
    sender.push(Buffer.from('a'), remote, 53, source, undefined, settle, true);
    sender.flush();
    sender.push(Buffer.from('b'), remote, 53, source, undefined, settle);
    sender.flush();
    expect(control(host)).toEqual([[], [from('192.0.2.1')]]);
    expect(outcomes).toEqual([
      [null, 1],
      [null, 1],
    ]);
  });

  test('a peer that was named when its socket was disconnected is not named on the next connected one', () => {
    const { make, sender, host, to, settle } = setUp(linux64);
    const results = [-linux64.numbers.EAGAIN, 1, 1, 1];
    host.syscalls.sendResult = () => results.shift()!;
    sender.push(Buffer.from('a'), to('192.0.2.9'), 0, undefined, undefined, settle);
    sender.flush();
    sender.leavePeer(53);
    sender.resume();
    const other = make();
    for (const port of [0, 53]) {
      other.push(Buffer.from('b'), to('192.0.2.9'), port, undefined, undefined, settle);
      other.flush();
    }
    expect(host.syscalls.sent.map((sent) => sent.to?.port)).toEqual([53, undefined, 53]);
  });

  test('of several sockets: other extras, another source, another port, none of them, and back', () => {
    const { make, host, to } = setUp(linux64);
    const far = { ifindex: 0, ttl: 9, tos: -1 };
    const kinds = [
      ['192.0.2.9', 53, undefined, undefined],
      ['192.0.2.9', 53, '192.0.2.1', undefined],
      ['192.0.2.9', 53, '192.0.2.1', far],
      ['192.0.2.9', 53, undefined, far],
      ['192.0.2.9', 54, undefined, far],
      ['192.0.2.9', 0, undefined, undefined],
      ['2001:db8::9', 54, undefined, undefined],
    ] as const;
    const senders = [make(), make()];
    const order = [0, 0, 1, 1, 2, 1, 3, 3, 0, 3, 4, 0, 5, 5, 0, 6, 5, 6, 2, 4, 1, 0];
    const known = new Map(['192.0.2.9', '192.0.2.1', '2001:db8::9'].map((text) => [text, to(text)])); // one object each
    for (const [turn, kind] of order.entries()) {
      const [address, port, source, extras] = kinds[kind];
      const end = source && known.get(source);
      senders[turn % 2].push(Buffer.from(String(kind)), known.get(address)!, port, end, extras, undefined);
      senders[turn % 2].flush();
    }
    const ttl = { level: 0, type: 2, data: Buffer.from([9, 0, 0, 0]) };
    const meant = kinds.map(([address, port, source, extras]) => ({
      address: port === 0 ? undefined : addressText(addressBytes(address)),
      port: port || undefined,
      control: [...(source === undefined ? [] : [from(source)]), ...(extras === undefined ? [] : [ttl])],
    }));
    const left = host.syscalls.sent.map((sent) => ({ ...sent, address: sent.to?.address, port: sent.to?.port }));
    for (const [turn, kind] of order.entries()) expect(left[turn]).toMatchObject(meant[kind]);
  });

  test.each<[string, string | undefined, Extras | undefined]>([
    ['no source', undefined, undefined],
    ['an IPv4 source', '192.0.2.1', undefined],
    ['an IPv6 source', '2001:db8::1', undefined],
    ['an interface', undefined, { ifindex: 1, ttl: -1, tos: -1 }],
    ['TTL and TOS', undefined, { ifindex: 0, ttl: 9, tos: 4 }],
  ])('peers of every kind one after the other, from %s: each as if it were the only one', (_, source, extras) => {
    const peers = ['192.0.2.9', '192.0.2.8', '::ffff:192.0.2.9', '2001:db8::9', '2001:db8::8', 'fe80::9%lo', 'fe80::9'];
    const to = (names: Names, address: string) => names.endpoint(address)!;
    const sendAll = (all: readonly string[]) => {
      const { sender, host, engine } = setUp(linux64);
      const from = source && to(engine.names, source);
      for (const peer of all) {
        sender.push(Buffer.from('x'), to(engine.names, peer), 53, from || undefined, extras, undefined);
        sender.flush();
      }
      return host.syscalls.sent.map(({ to: peer, control: messages }) => ({ peer, messages }));
    };
    const alone = new Map(peers.map((peer) => [peer, sendAll([peer])[0]]));
    const order = peers.flatMap((one) => peers.flatMap((other) => [one, other]));
    expect(sendAll(order)).toEqual(order.map((peer) => alone.get(peer)));
  });

  test('a datagram that could not be written half-way: those after it have their own bytes, names and sources', () => {
    const { sender, host, to } = setUp(linux64);
    const [remote, source] = [to('192.0.2.9'), to('192.0.2.1')];
    const broken = new Proxy(remote, {
      get(target, name) {
        if (name === 'family') throw new Error('half-way');
        return Reflect.get(target, name);
      },
    });
    const both = (first: string, second: string) => {
      sender.push(Buffer.from(first), remote, 53, source, undefined, undefined);
      sender.push(Buffer.from(second), remote, 53, source, undefined, undefined);
      sender.flush();
    };
    both('a', 'b'); // the second slot's bytes begin at 1
    sender.push(Buffer.from('long'), remote, 53, source, undefined, undefined);
    expect(() => sender.push(Buffer.from('x'), broken, 53, source, undefined, undefined)).toThrow('half-way'); // at 4
    sender.flush();
    both('c', 'd');
    expect(payloads(host)).toEqual(['a', 'b', 'long', 'c', 'd']);
    expect(control(host)).toEqual(Array(5).fill([from('192.0.2.1')]));
  });

  test("bytes that a datagram of a caller's was sent from are not pointed at any more", () => {
    const { sender, host, to, syscalls } = setUp(linux64);
    const addressOf = jest.spyOn(syscalls, 'addressOf');
    const large = Buffer.alloc(30_000, 'L');
    sender.push(large, to('192.0.2.9'), 53, undefined, undefined, undefined); // at once, from the caller's memory
    expect(addressOf).toHaveBeenLastCalledWith(large);
    for (const text of ['a', 'bc', 'd']) {
      sender.push(Buffer.from(text), to('192.0.2.9'), 53, undefined, undefined, undefined);
      sender.flush();
    }
    expect(payloads(host)).toEqual([large.toString(), 'a', 'bc', 'd']);
  });
});

test('the fake itself: addresses as text', () => {
  expect(addressText(addressBytes('2001:db8::1'))).toBe('2001:db8:0:0:0:0:0:1');
});
