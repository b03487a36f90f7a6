/** What recvfromto/libc adds to the calls, over a koffi that does what the test says: what C is given, what comes back. */
import type { Koffi } from '../../../src/ffi/koffi';
import { libcCalls, type PollEntry } from '../../../src/ffi/libc-calls';
import { platformFor } from '../../../src/platform';

/** C functions by name; what they return, and what they write. */
type Functions = Record<string, (...args: unknown[]) => number>;
const given: { functions: Functions; prototypes: string[]; calls: unknown[][]; errno: number } = {
  functions: {},
  prototypes: [],
  calls: [],
  errno: 0,
};

const koffi = {
  load: () => ({
    func: (prototype: string) => {
      given.prototypes.push(prototype);
      const name = /(\w+)\(/.exec(prototype)?.[1] as string;
      return (...args: unknown[]) => {
        given.calls.push([name, ...args]);
        return given.functions[name]?.(...args) ?? 0;
      };
    },
  }),
  errno: () => given.errno,
} as unknown as Koffi;

beforeEach(() => Object.assign(given, { functions: {}, prototypes: [], calls: [], errno: 0 }));

const entries = (): PollEntry[] => [
  { fd: 7, events: 1, revents: 0 },
  { fd: -1, events: -1, revents: 0 },
  { fd: 0x1a4, events: 5, revents: 0 },
];

test.each([
  ['linux', 'x64', 'int poll(void *, unsigned long, int)'],
  ['linux', 'arm', 'int poll(void *, unsigned long, int)'],
  ['freebsd', 'x64', 'int poll(void *, unsigned int, int)'],
  ['darwin', 'arm64', 'int poll(void *, unsigned int, int)'],
])('poll on %s %s: an array of pollfd goes in, and revents come out', (os, arch, prototype) => {
  const calls = libcCalls(koffi, platformFor(os, arch));
  expect(given.prototypes).toContain(prototype);
  let seen = '';
  given.functions.poll = (fds, count, timeout) => {
    const bytes = fds as Buffer;
    seen = bytes.toString('hex');
    expect([count, timeout]).toEqual([3, 250]);
    bytes.writeInt16LE(1, 6);
    bytes.writeInt16LE(0x20, 22);
    return 2;
  };
  const asked = entries();
  expect(calls.poll(asked, 250)).toBe(2);
  expect(seen).toBe('0700000001000000ffffffffffff0000a401000005000000');
  expect(asked.map(({ revents }) => revents)).toEqual([1, 0, 0x20]);
});

test.each([
  ['x64', '07000000000000000100000000000000'],
  ['ia32', '0700000001000000'],
])('WSAPoll on %s: a SOCKET is as wide as a pointer', (arch, hex) => {
  const calls = libcCalls(koffi, platformFor('win32', arch));
  let seen = '';
  given.functions.WSAPoll = (fds) => {
    seen = (fds as Buffer).toString('hex');
    return 0;
  };
  expect(calls.poll([{ fd: 7, events: 1, revents: 0 }], 0)).toBe(0);
  expect(seen).toBe(hex);
  given.functions.WSAPoll = () => -1;
  given.functions.WSAGetLastError = () => 10022;
  expect(calls.poll([{ fd: 7, events: 1, revents: 0 }], 0)).toBe(-10022);
});

test('a failure is -errno, and EINTR is not retried', () => {
  const calls = libcCalls(koffi, platformFor('linux', 'x64'));
  given.functions.poll = () => -1;
  given.errno = 4;
  expect(calls.poll(entries(), -1)).toBe(-4);
  expect(given.calls).toHaveLength(1);
  given.functions.fcntl = () => -1;
  given.errno = 9;
  expect([calls.block(3), calls.blocks(3)]).toEqual([-9, -9]);
});

test('block() clears O_NONBLOCK and nothing else', () => {
  const { constants, ...platform } = platformFor('linux', 'x64');
  const calls = libcCalls(koffi, { constants, ...platform });
  const flags = 0o4002 | 0o2000;
  given.functions.fcntl = (_fd, command) => (command === constants.F_GETFL ? flags : 0);
  expect(calls.blocks(3)).toBe(0);
  expect(calls.block(3)).toBe(0);
  expect(given.calls.at(-1)).toEqual(['fcntl', 3, constants.F_SETFL, 'int', flags & ~0o4000]);
});

test('what is no int never reaches C', () => {
  const calls = libcCalls(koffi, platformFor('linux', 'x64'));
  for (const bad of [Number.NaN, 1.5, 2 ** 31, '7', undefined]) {
    expect(() => calls.poll([{ fd: bad as number, events: 1, revents: 0 }], 0)).toThrow();
    expect(() => calls.poll([{ fd: 1, events: bad as number, revents: 0 }], 0)).toThrow();
    expect(() => calls.poll([], bad as number)).toThrow(TypeError);
    expect(() => calls.block(bad as number)).toThrow(TypeError);
  }
  expect(() => calls.blocks(-1)).toThrow(RangeError);
  expect(given.calls).toEqual([]);
});
