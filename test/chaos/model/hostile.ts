/**
 * What no sensible program passes to send(): memory that is shared, resized, transferred or of another realm, arrays and
 * objects whose getters close the socket, send on it, throw, or take away what was read before.
 */
import { runInNewContext } from 'node:vm';
import { fc } from '../../fuzz/settings';

/** What a getter may do to the socket that it is handed to. */
export interface Victim {
  close(): void;
  send(): void;
  bind(): void;
}

export class Boom extends Error {
  readonly code = 'BOOM';
}

export interface Hostile {
  readonly name: string;
  make(victim: Victim): unknown;
}

/** Structured clone with a transfer detaches. */
const detach = (buffer: ArrayBuffer) => structuredClone(buffer, { transfer: [buffer] });

interface Resizable extends ArrayBuffer {
  resize(bytes: number): void;
}
const Growing = ArrayBuffer as unknown as new (bytes: number, options: { maxByteLength: number }) => Resizable;
const GrowingShared = SharedArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => SharedArrayBuffer & { grow(bytes: number): void };

/** An array of one sound part and one whose getter does this. */
function trap(act: (victim: Victim, first: Uint8Array) => unknown, first = new Uint8Array(8)): Hostile['make'] {
  return (victim) =>
    Object.defineProperty([first, ''], 1, { get: () => act(victim, first) ?? 'trap', enumerable: true });
}

class Liar extends Uint8Array {
  override get byteLength(): number {
    return 100_000;
  }
  override get length(): number {
    return 100_000;
  }
}

const boom = () => {
  throw new Boom('boom');
};

export const accepted: readonly Hostile[] = [
  ['an empty string', () => ''],
  ['text', () => 'text'],
  ['text of several bytes a character', () => 'é€😀'.repeat(20)],
  ['a buffer', () => Buffer.alloc(512, 1)],
  ['a large one', () => Buffer.alloc(60_000, 2)],
  ['one too large', () => Buffer.alloc(70_000)],
  ['a DataView', () => new DataView(new ArrayBuffer(16), 3, 5)],
  ['a Float64Array', () => new Float64Array(3)],
  ['a BigInt64Array', () => new BigInt64Array(2)],
  ['shared memory', () => new Uint8Array(new SharedArrayBuffer(32), 4, 8)],
  ['shared memory that grows', () => new Uint8Array(new GrowingShared(8, { maxByteLength: 64 }))],
  ['resizable memory', () => new Uint8Array(new Growing(8, { maxByteLength: 64 }), 2)],
  ['memory of another realm', () => runInNewContext('new Uint8Array([1, 2, 3])')],
  ['an array of another realm', () => runInNewContext(`['a', new Uint8Array(2)]`)],
  ['many parts', () => Array.from({ length: 300 }, (_, i) => String(i))],
  ['no parts', () => []],
  ['a proxy of an array', () => new Proxy(['a', Buffer.from('b')], {})],
].map(([name, make]) => ({ name, make }) as Hostile);

export const hostile: readonly Hostile[] = [
  { name: 'a getter that closes', make: trap((victim) => victim.close()) },
  { name: 'a getter that sends', make: trap((victim) => victim.send()) },
  { name: 'a getter that binds', make: trap((victim) => victim.bind()) },
  { name: 'a getter that throws', make: trap(boom) },
  {
    name: 'a getter that detaches what was read before',
    make: trap((_, first) => detach(first.buffer as ArrayBuffer)),
  },
  {
    name: 'a getter that shrinks what was read before',
    make: trap(
      (_, first) => (first.buffer as Resizable).resize(1),
      new Uint8Array(new Growing(8, { maxByteLength: 64 })),
    ),
  },
  {
    name: 'a getter that grows what was read before',
    make: trap(
      (_, first) => (first.buffer as Resizable).resize(60_000),
      new Uint8Array(new Growing(8, { maxByteLength: 65_536 })),
    ),
  },
  {
    name: 'memory that was transferred',
    make: () => {
      const view = new Uint8Array(8);
      detach(view.buffer);
      return view;
    },
  },
  {
    name: 'memory that shrank away',
    make: () => {
      const buffer = new Growing(64, { maxByteLength: 64 });
      const view = new Uint8Array(buffer, 32, 16);
      buffer.resize(8);
      return view;
    },
  },
  { name: 'a view that lies about its length', make: () => new Liar(4) },
  { name: 'an array of a liar', make: () => [new Liar(4), 'x'] },
  {
    name: 'an array whose iterator throws',
    make: () => Object.defineProperty(['a', 'b'], Symbol.iterator, { value: boom }),
  },
  { name: 'an array with a hole', make: () => Object.assign(new Array(3), { 0: 'a' }) },
  {
    name: 'a revoked proxy',
    make: () => {
      const { proxy, revoke } = Proxy.revocable([], {});
      revoke();
      return proxy;
    },
  },
  {
    name: 'a proxy whose length changes',
    make: () => {
      let length = 0;
      return new Proxy(['a', 'b', 'c'], {
        get: (target, key) => (key === 'length' ? length++ : Reflect.get(target, key)),
      });
    },
  },
  { name: 'null', make: () => null },
  { name: 'a number', make: () => 5 },
  { name: 'an object', make: () => ({}) },
  { name: 'a symbol', make: () => Symbol('message') },
  { name: 'a function', make: () => boom },
];

/** Mostly what is accepted: else nothing would ever be sent. */
export const message: fc.Arbitrary<Hostile> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...accepted) },
  { weight: 2, arbitrary: fc.constantFrom(...hostile) },
);
