/** node:ffi in koffi's place: what it is told, and what comes back. test/runtime/node-ffi runs the real one. */
import type { Koffi } from '../../src/ffi/koffi';
import { openNodeFfi } from '../../src/ffi/node-ffi';

interface Declared {
  readonly name: string;
  readonly signature: { readonly return: string; readonly arguments: readonly string[] };
}

const declared: Declared[] = [];
const calls: unknown[][] = [];
const registered = new Map<bigint, (...args: unknown[]) => unknown>();
const results: Record<string, unknown> = {};

jest.mock(
  'node:ffi',
  () => ({
    DynamicLibrary: class {
      getFunction(name: string, signature: Declared['signature']) {
        declared.push({ name, signature });
        return (...args: unknown[]) => {
          calls.push([name, ...args]);
          const result = results[name];
          return typeof result === 'function' ? result(...args) : result;
        };
      }
      getSymbol = () => 0x7fff_0000_1000n;
      registerCallback(_signature: unknown, action: (...args: unknown[]) => unknown) {
        const pointer = BigInt(0x1000 + registered.size);
        registered.set(pointer, action);
        return pointer;
      }
      unregisterCallback(pointer: bigint) {
        registered.delete(pointer);
      }
    },
    getRawPointer: () => 0xb400_0000_0000_1000n,
    getCurrentEventLoop: () => 0x5000n,
    getInt32: (address: bigint) => (address === 0x77n ? 11 : -2),
    getUint32: () => 0xffff_fffe,
    getInt64: () => -0x4c00_0000_0000_0000n,
    toString: (address: bigint) => `text at ${address}`,
  }),
  { virtual: true },
);

let koffi: Koffi;
beforeEach(() => {
  results.__errno_location = 0x77n;
  koffi = openNodeFfi({ pointerSize: 8, errnoLocation: '__errno_location' });
  declared.length = 0;
  calls.length = 0;
});
const library = () => koffi.load(null);

test('errno is read where the C library has it for this thread', () => {
  expect(koffi.errno()).toBe(11);
});

test.each([
  ['int recvmmsg(int, void *, unsigned int, int, void *)', 'int32', ['int32', 'pointer', 'uint32', 'int32', 'pointer']],
  ['int setsockopt(int, int, int, const void *, uint32_t)', 'int32', ['int32', 'int32', 'int32', 'pointer', 'uint32']],
  ['intptr_t recvmsg(int, void *, int)', 'int64', ['int32', 'pointer', 'int32']],
  ['unsigned int if_nametoindex(const char *)', 'uint32', ['pointer']],
  ['void uv_close(uintptr_t, uintptr_t)', 'void', ['int64', 'int64']],
  ['int getppid()', 'int32', []],
])('%s', (prototype, returned, args) => {
  library().func(prototype);
  const name = /(\w+)\(/.exec(prototype)![1];
  expect(declared).toEqual([{ name, signature: { return: returned, arguments: args } }]);
});

test('a type that nobody knows is refused', () => {
  expect(() => library().func('int f(wchar_t)')).toThrow('no such type: wchar_t');
});

test('words go as bigints and come back as numbers, as long as those are exact', () => {
  results.calloc = 0x7fff_0000_2000n;
  const calloc = library().func('intptr_t calloc(size_t, size_t)');
  expect(calloc(1, 160)).toBe(0x7fff_0000_2000);
  expect(calls).toEqual([['calloc', 1n, 160n]]);
  results.calloc = -0x4c00_0000_0000_0000n; // a tagged pointer of Android
  expect(calloc(1, 160)).toBe(-0x4c00_0000_0000_0000n);
});

test('a variadic argument is told without its type, and is 0 when there is none', () => {
  results.fcntl = 2;
  const fcntl = library().func('int fcntl(int, int, ...)');
  fcntl(3, 3);
  fcntl(3, 4, 'int', 2048);
  const int = Buffer.alloc(4);
  library().func('int ioctl(int, unsigned long, ...)')(3, 0x541b, 'void *', int);
  expect(calls).toEqual([
    ['fcntl', 3, 3, 0n],
    ['fcntl', 3, 4, 2048n],
    ['ioctl', 3, 0x541bn, int],
  ]);
});

test('a function is known to C as long as the call lasts, and gets pointers in one spelling', () => {
  const walk = koffi.pointer(koffi.proto('void', ['uintptr_t', 'uintptr_t']));
  const seen: unknown[] = [];
  results.uv_walk = (_loop: bigint, pointer: bigint) => registered.get(pointer)!(0x5001n, 0n);
  const uv_walk = library().func('uv_walk', 'void', ['uintptr_t', walk, 'uintptr_t']);
  uv_walk(0x5000, (...args: unknown[]) => seen.push(...args), 0);
  expect(seen).toEqual([0x5001, 0]);
  expect(registered.size).toBe(0);
});

test('a registered callback stays until it is taken back', () => {
  const type = koffi.pointer(koffi.proto('void', ['uintptr_t', 'int', 'int']));
  const seen: unknown[] = [];
  const pointer = koffi.register((...args: unknown[]) => seen.push(args), type);
  registered.get(BigInt(pointer))!(0x6000n, -9, 1);
  koffi.unregister(pointer);
  expect(seen).toEqual([[0x6000, -9, 1]]);
  expect(registered.size).toBe(0);
});

test('what Node-API and koffi would give is not there, the loop is', () => {
  expect(koffi.node).toEqual({ env: undefined, loop: 0x5000, poll: undefined });
  expect(koffi.decode.string(5)).toBe('text at 5');
  expect(koffi.decode(5, 0, 'uint32_t')).toBe(0xffff_fffe);
});
