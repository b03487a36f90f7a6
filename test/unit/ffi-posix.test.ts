/** libc's calls: results, errno, and what is refused before C sees it. Real sockets on loopback; nothing waits. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { posix } from '../../src/ffi/calls/posix';
import { type Koffi, loadKoffi } from '../../src/ffi/koffi';
import { ERROR, READABLE, WRITABLE } from '../../src/ffi/readiness';
import { hostPlatform } from '../../src/platform/index';
import type { Platform } from '../../src/platform/platform';
import { callsWithBytes, callsWithDescriptor } from '../support/bad-arguments';

const host = hostPlatform();
const koffi = loadKoffi(host);
const { constants, errno, message: layout } = host;
const withoutMmsg: Platform = { ...host, mmsg: undefined };
const syscalls = posix(koffi, host);
const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) syscalls.close(fd);
});

function sockaddr(port = 0): Buffer {
  const name = Buffer.alloc(16);
  if (host.saLen) name.set([16, constants.AF_INET]);
  else name.writeUInt16LE(constants.AF_INET, 0);
  name.writeUInt16BE(port, 2);
  name.set([127, 0, 0, 1], 4);
  return name;
}

function socket(): { fd: number; name: Buffer } {
  const fd = syscalls.socket(constants.AF_INET);
  open.push(fd);
  const name = sockaddr();
  expect(syscalls.bind(fd, name)).toBe(0);
  expect(syscalls.getsockname(fd, name)).toBe(16);
  return { fd, name };
}

/** `count` messages of `size` bytes each; addressed to `to`. */
function ring(count: number, size: number, to?: Buffer) {
  const pointer = (bytes: Buffer, at: number, value: bigint) =>
    layout.pointerSize === 8 ? bytes.writeBigUInt64LE(value, at) : bytes.writeUInt32LE(Number(value), at);
  const messages = Buffer.alloc(count * layout.size);
  const iov = Buffer.alloc(count * layout.iovec.size);
  const bytes = Buffer.alloc(count * size);
  const names = Buffer.alloc(count * 16);
  for (let i = 0; i < count; i++) {
    to?.copy(names, i * 16);
    const at = i * layout.size;
    const vector = i * layout.iovec.size;
    pointer(messages, at + layout.name, syscalls.addressOf(names) + BigInt(i * 16));
    messages.writeUInt32LE(16, at + layout.namelen);
    pointer(messages, at + layout.iov, syscalls.addressOf(iov) + BigInt(vector));
    messages.writeUInt32LE(1, at + layout.iovlen);
    pointer(iov, vector + layout.iovec.base, syscalls.addressOf(bytes) + BigInt(i * size));
    pointer(iov, vector + layout.iovec.len, BigInt(size));
  }
  const length = (i: number) => messages.readUInt32LE(i * layout.size + layout.len);
  const text = (i: number) => bytes.toString('latin1', i * size, i * size + length(i));
  return { messages, bytes, names, iov, length, text };
}

describe('sockets', () => {
  const inProc = process.platform === 'linux' ? test : test.skip;

  inProc('are non-blocking and close-on-exec from birth', () => {
    const flags = parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${socket().fd}`, 'utf8'))![1]!, 8);
    expect(flags & constants.O_NONBLOCK!).not.toBe(0);
    expect(flags & 0o2000000).not.toBe(0); // O_CLOEXEC
  });

  inProc('are made so by fcntl where socket() has no flags for it, and when they come from elsewhere', () => {
    const { SOCK_NONBLOCK, SOCK_CLOEXEC, ...rest } = constants;
    const fd = posix(koffi, { ...host, constants: rest as Platform['constants'] }).socket(constants.AF_INET);
    open.push(fd);
    const flags = parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8);
    expect(flags & constants.O_NONBLOCK!).not.toBe(0);
    expect(flags & 0o2000000).not.toBe(0);
    expect([SOCK_NONBLOCK, SOCK_CLOEXEC]).not.toContain(undefined);
  });

  test('adopt() leaves the other flags of a descriptor alone', () => {
    const fd = openSync(__filename, 'a');
    expect(syscalls.adopt(fd)).toBe(0);
    if (process.platform === 'linux') {
      const flags = parseInt(/flags:\s*(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))![1]!, 8);
      expect(flags & 0o6001).toBe(0o6001); // O_NONBLOCK | O_APPEND | O_WRONLY
    }
    closeSync(fd);
    expect(syscalls.adopt(fd)).toBe(-errno.EBADF!);
  });

  test('have names, peers and options', () => {
    const [a, b] = [socket(), socket()];
    const name = Buffer.alloc(28);
    expect(syscalls.getpeername(a.fd, name)).toBe(-errno.ENOTCONN!);
    expect(syscalls.connect(a.fd, b.name)).toBe(0);
    expect(syscalls.getpeername(a.fd, name)).toBe(16);
    expect(name.subarray(0, 8)).toEqual(b.name.subarray(0, 8));
    const value = Buffer.alloc(16);
    value.writeInt32LE(77, 0);
    expect(syscalls.setsockopt(a.fd, constants.IPPROTO_IP, constants.IP_TTL, value.subarray(0, 4))).toBe(0);
    value.fill(0xff);
    expect(syscalls.getsockopt(a.fd, constants.IPPROTO_IP, constants.IP_TTL, value)).toBe(4);
    expect(value.readInt32LE(0)).toBe(77);
    expect(value.readInt32LE(4)).toBe(-1);
  });

  test('a failing call returns -errno', () => {
    const { fd, name } = socket();
    expect(syscalls.socket(12345)).toBe(-errno.EAFNOSUPPORT!);
    expect(syscalls.bind(fd, name)).toBe(-errno.EINVAL!); // bound already
    const other = syscalls.socket(constants.AF_INET);
    expect(syscalls.bind(other, name)).toBe(-errno.EADDRINUSE!);
    syscalls.close(other);
    expect(syscalls.setsockopt(fd, constants.IPPROTO_IP, 0x7ff0, Buffer.alloc(4))).toBe(-errno.ENOPROTOOPT!);
    expect(syscalls.getsockopt(fd, constants.IPPROTO_IP, 0x7ff0, Buffer.alloc(4))).toBe(-errno.ENOPROTOOPT!);
    expect(syscalls.close(fd)).toBe(0);
    open.pop();
    const r = ring(1, 8, name);
    expect(syscalls.close(fd)).toBe(-errno.EBADF!);
    expect(syscalls.bind(fd, name)).toBe(-errno.EBADF!);
    expect(syscalls.connect(fd, name)).toBe(-errno.EBADF!);
    expect(syscalls.getsockname(fd, name)).toBe(-errno.EBADF!);
    expect(syscalls.recvmmsg(fd, r.messages, 1, 0)).toBe(-errno.EBADF!);
    expect(syscalls.sendmmsg(fd, r.messages, 0, 1, 0)).toBe(-errno.EBADF!);
  });
});

describe('what waits in a socket', () => {
  const { FIONREAD } = constants;

  test('FIONREAD tells the bytes of it', () => {
    const [from, to] = [socket(), socket()];
    expect(syscalls.ioctlInt(to.fd, FIONREAD)).toBe(0);
    syscalls.sendmmsg(from.fd, ring(1, 7, to.name).messages, 0, 1, 0);
    expect(syscalls.ioctlInt(to.fd, FIONREAD)).toBe(7);
    expect(syscalls.ioctlInt(to.fd, 0x7fff)).toBeLessThan(0);
  });

  test('poll() tells what may be done now, and waits no longer than it is told to', () => {
    const [from, to] = [socket(), socket()];
    expect(syscalls.poll(to.fd, READABLE, 0)).toBe(0);
    expect(syscalls.poll(to.fd, READABLE | WRITABLE, -1)).toBe(WRITABLE);
    const before = process.hrtime.bigint();
    expect(syscalls.poll(to.fd, READABLE, 20)).toBe(0);
    expect(Number(process.hrtime.bigint() - before)).toBeGreaterThan(15e6);
    syscalls.sendmmsg(from.fd, ring(1, 7, to.name).messages, 0, 1, 0);
    expect(syscalls.poll(to.fd, READABLE, -1)).toBe(READABLE);
    expect(syscalls.poll(to.fd, READABLE | WRITABLE, 0)).toBe(READABLE | WRITABLE);
  });

  test('poll() tells of an error, and of a descriptor that is not open', () => {
    const [a, gone] = [socket(), socket()];
    syscalls.close(open.pop()!);
    syscalls.connect(a.fd, gone.name);
    syscalls.sendmmsg(a.fd, ring(1, 1, gone.name).messages, 0, 1, 0);
    expect(syscalls.poll(a.fd, READABLE, 1000)).toBe(ERROR | READABLE);
    expect(syscalls.poll(0x7fff, READABLE, 0)).toBe(-errno.EBADF!);
  });

  test('poll() returns after a signal, so that its listener may run', () => {
    const { fake } = scripted({ poll: [{ errno: errno.EINTR! }] });
    expect(posix(fake, host).poll(3, READABLE, -1)).toBe(-errno.EINTR!);
  });
});

describe('interfaces', () => {
  const loopback = ['lo', 'lo0'].find((name) => syscalls.if_nametoindex(name) > 0)!;

  test('names and indexes', () => {
    const name = Buffer.alloc(16, 0xff);
    expect(syscalls.if_indextoname(syscalls.if_nametoindex(loopback), name)).toBe(0);
    expect(name.toString('latin1', 0, loopback.length + 1)).toBe(`${loopback}\0`);
    expect(syscalls.if_indextoname(0x7ffffff0, name)).toBe(-errno.ENXIO!);
    expect(syscalls.if_nametoindex('no-such-interface')).toBe(0);
  });

  test('a name is not cut at a NUL', () => {
    expect(syscalls.if_nametoindex(`${loopback}\0x`)).toBe(0);
  });
});

describe.each([
  ['recvmmsg and sendmmsg', host],
  ['loops over recvmsg and sendmsg', withoutMmsg],
])('%s', (_, platform) => {
  const calls = posix(koffi, platform);

  test('move as many datagrams as there are', () => {
    const [from, to] = [socket(), socket()];
    const tx = ring(5, 3, to.name);
    tx.bytes.write('aaabbbcccdddeee', 'latin1');
    const rx = ring(4, 10);
    expect(calls.recvmmsg(to.fd, rx.messages, 4, constants.MSG_DONTWAIT)).toBe(-errno.EAGAIN!);
    expect(calls.sendmmsg(from.fd, tx.messages, 0, 2, 0)).toBe(2);
    expect(calls.sendmmsg(from.fd, tx.messages, 2, 3, 0)).toBe(3);
    expect([0, 1, 2, 3, 4].map(tx.length)).toEqual([3, 3, 3, 3, 3]);
    expect(calls.recvmmsg(to.fd, rx.messages, 4, constants.MSG_DONTWAIT)).toBe(4);
    expect([0, 1, 2, 3].map(rx.text)).toEqual(['aaa', 'bbb', 'ccc', 'ddd']);
    expect(rx.names.subarray(48, 56)).toEqual(from.name.subarray(0, 8));
    expect(calls.recvmmsg(to.fd, rx.messages, 4, constants.MSG_DONTWAIT)).toBe(1);
    expect(rx.text(0)).toBe('eee');
  });

  test('`first` and `count` choose the messages', () => {
    const [from, to] = [socket(), socket()];
    const tx = ring(4, 1, to.name);
    tx.bytes.write('abcd', 'latin1');
    expect(calls.sendmmsg(from.fd, tx.messages, 1, 2, 0)).toBe(2);
    const rx = ring(4, 1);
    expect(calls.recvmmsg(to.fd, rx.messages, 4, constants.MSG_DONTWAIT)).toBe(2);
    expect([rx.text(0), rx.text(1)]).toEqual(['b', 'c']);
  });

  test('a message that cannot be sent ends the batch, and is an error when it is first', () => {
    const [from, to] = [socket(), socket()];
    const tx = ring(3, 1, to.name);
    tx.names.writeUInt16BE(0, 16 + 2); // to port 0
    expect(calls.sendmmsg(from.fd, tx.messages, 0, 3, 0)).toBe(1);
    expect(calls.sendmmsg(from.fd, tx.messages, 1, 2, 0)).toBe(-errno.EINVAL!);
    expect(calls.sendmmsg(from.fd, tx.messages, 2, 1, 0)).toBe(1);
  });

  test('a refused peer is reported once', () => {
    const [a, gone] = [socket(), socket()];
    syscalls.close(open.pop()!);
    syscalls.connect(a.fd, gone.name);
    expect(calls.sendmmsg(a.fd, ring(1, 1, gone.name).messages, 0, 1, 0)).toBe(1);
    const rx = ring(2, 1);
    expect(calls.recvmmsg(a.fd, rx.messages, 2, constants.MSG_DONTWAIT)).toBe(-errno.ECONNREFUSED!);
    expect(calls.recvmmsg(a.fd, rx.messages, 2, constants.MSG_DONTWAIT)).toBe(-errno.EAGAIN!);
  });
});

/** koffi whose calls named here do what a list says: a result, or an errno to fail with. */
function scripted(script: Record<string, readonly { result?: number; errno?: number }[]>, prototypes: string[] = []) {
  const calls: unknown[][] = [];
  let last = 0;
  const func = (prototype: string) => {
    prototypes.push(prototype);
    const name = /(\w+)\(/.exec(prototype)![1]!;
    const answers = [...(script[name] ?? [])];
    return (...args: unknown[]) => {
      calls.push([name, ...args]);
      const { result = -1, errno: number = 0 } = answers.shift() ?? { result: 0 };
      last = number;
      return result;
    };
  };
  const fake = { load: () => ({ func }), errno: () => last } as unknown as Koffi;
  return { fake, calls };
}

describe('interrupted', () => {
  const EINTR = { errno: errno.EINTR! };

  test('calls that move datagrams are repeated', () => {
    const script = { recvmmsg: [EINTR, EINTR, { result: 1 }], sendmmsg: [EINTR, { result: 1 }] };
    const { fake, calls } = scripted(script);
    const interrupted = posix(fake, host);
    const { messages } = ring(2, 1);
    expect(interrupted.recvmmsg(3, messages, 2, 0)).toBe(1);
    expect(interrupted.sendmmsg(3, messages, 0, 2, 0)).toBe(1);
    expect(calls.map(([name]) => name)).toEqual(['recvmmsg', 'recvmmsg', 'recvmmsg', 'sendmmsg', 'sendmmsg']);
  });

  test('so are those for one message', () => {
    const script = { recvmsg: [EINTR, { result: 7 }], sendmsg: [EINTR, { result: 7 }] };
    const { fake, calls } = scripted(script);
    const interrupted = posix(fake, host);
    const { messages } = ring(2, 1);
    expect(interrupted.recvmmsg(3, messages, 1, 0)).toBe(1);
    expect(interrupted.sendmmsg(3, messages, 1, 1, 0)).toBe(1);
    expect(calls.map(([name]) => name)).toEqual(['recvmsg', 'recvmsg', 'sendmsg', 'sendmsg']);
    expect(calls.at(-1)![2]).toEqual(messages.subarray(messages.length / 2)); // the second one
  });

  test('so are those of the loops, and only the interrupted one', () => {
    const script = { recvmsg: [{ result: 1 }, EINTR, { result: 1 }], sendmsg: [{ result: 1 }, EINTR, { result: 1 }] };
    const { fake, calls } = scripted(script);
    const interrupted = posix(fake, withoutMmsg);
    const { messages } = ring(2, 1);
    expect(interrupted.recvmmsg(3, messages, 2, 0)).toBe(2);
    expect(interrupted.sendmmsg(3, messages, 0, 2, 0)).toBe(2);
    expect(calls).toHaveLength(6);
  });

  test('close() is not: the descriptor is gone, and may be another thread’s by now', () => {
    const { fake, calls } = scripted({ close: [EINTR] });
    expect(posix(fake, host).close(3)).toBe(0);
    expect(calls).toHaveLength(1);
  });
});

test('an error that ends a batch of the receiving loop is returned by the next call, for that descriptor', () => {
  const refused = { errno: errno.ECONNREFUSED! };
  const { fake } = scripted({
    recvmsg: [{ result: 1 }, refused, { result: 1 }, refused, { result: 1 }, { result: 1 }],
  });
  const calls = posix(fake, withoutMmsg);
  const { messages } = ring(2, 1);
  expect(calls.recvmmsg(3, messages, 2, 0)).toBe(1);
  expect(calls.recvmmsg(3, messages, 2, 0)).toBe(-errno.ECONNREFUSED!);
  expect(calls.recvmmsg(3, messages, 2, 0)).toBe(1);
  calls.close(3);
  expect(calls.recvmmsg(3, messages, 2, 0)).toBe(2);
});

test('FreeBSD: vlen is a size_t', () => {
  const prototypes: string[] = [];
  const { fake } = scripted({}, prototypes);
  posix(fake, { ...host, mmsg: { count: 'size_t' } });
  for (const call of ['recvmmsg', 'sendmmsg']) {
    expect(prototypes).toContainEqual(expect.stringMatching(`intptr_t ${call}\\(int, void \\*, size_t, int`));
  }
});

test("FreeBSD: an error that ends libc's loop is not lost, and one of no consequence is none", () => {
  const refused = { result: 1, errno: errno.ECONNREFUSED! };
  const { fake, calls } = scripted({
    recvmmsg: [
      refused,
      { result: 1, errno: errno.EAGAIN! },
      { result: 2, errno: errno.ECONNREFUSED! },
      refused,
      refused,
    ],
  });
  const freebsd = posix(fake, { ...host, mmsg: { count: 'size_t', lateError: 'lost' } });
  const { messages } = ring(2, 1);
  const receive = () => freebsd.recvmmsg(3, messages, 2, 0);
  expect([receive(), freebsd.late?.has(3)]).toEqual([1, true]);
  expect([receive(), freebsd.late?.has(3)]).toEqual([-errno.ECONNREFUSED!, false]);
  expect([receive(), receive(), receive()]).toEqual([1, 2, 1]); // EAGAIN; a full batch has not failed
  freebsd.close(3);
  expect(receive()).toBe(1); // another descriptor by now
  expect(calls.filter(([name]) => name === 'recvmmsg')).toHaveLength(5);
});

describe('a sandbox that refuses the calls for many messages', () => {
  const { messages } = ring(2, 1);
  const named = (calls: unknown[][]) => calls.map(([name]) => name);

  test.each(['ENOSYS', 'EPERM'])('by %s: loops stand in for good', (code) => {
    const no = { errno: errno[code]! };
    const { fake, calls } = scripted({
      recvmmsg: [no, no, no],
      sendmmsg: [no, no, no],
      recvmsg: [{ result: 1 }, { result: 1 }, { errno: errno.EAGAIN! }],
      sendmsg: [{ result: 1 }, { result: 1 }, { result: 1 }],
    });
    const syscalls = posix(fake, host);
    expect(syscalls.recvmmsg(3, messages, 2, 0)).toBe(2);
    expect(syscalls.recvmmsg(3, messages, 2, 0)).toBe(-errno.EAGAIN!);
    expect(syscalls.sendmmsg(3, messages, 0, 2, 0)).toBe(2);
    expect(syscalls.sendmmsg(3, messages, 1, 1, 0)).toBe(1);
    // EPERM is asked once more, without a message
    const asked = code === 'EPERM' ? 2 : 1;
    expect(named(calls).filter((name) => name === 'recvmmsg')).toHaveLength(asked);
    expect(named(calls).filter((name) => name === 'sendmmsg')).toHaveLength(asked);
    expect([...syscalls.refused!]).toEqual(['recvmmsg', 'sendmmsg']);
  });

  test('EPERM for one datagram is a firewall’s, and is returned', () => {
    const EPERM = { errno: errno.EPERM! };
    const { fake, calls } = scripted({ sendmmsg: [EPERM, { result: 0 }, { result: 2 }] });
    const syscalls = posix(fake, host);
    expect(syscalls.sendmmsg(3, messages, 0, 2, 0)).toBe(-errno.EPERM!);
    expect(calls.slice(0, 2)).toEqual([
      ['sendmmsg', 3, messages, 2, 0],
      ['sendmmsg', 3, null, 0, constants.MSG_DONTWAIT],
    ]);
    expect(syscalls.sendmmsg(3, messages, 0, 2, 0)).toBe(2);
    expect(named(calls)).not.toContain('sendmsg');
  });

  test('what is refused is found out without a datagram, and once', () => {
    const { fake, calls } = scripted({ socket: [{ result: 7 }], sendmmsg: [{ errno: errno.ENOSYS! }] });
    const syscalls = posix(fake, host);
    expect([...syscalls.refused!]).toEqual(['sendmmsg']);
    expect([...syscalls.refused!]).toEqual(['sendmmsg']);
    expect(named(calls)).toEqual(['socket', 'recvmmsg', 'sendmmsg', 'close']);
    expect([...posix(koffi, host).refused!]).toEqual([]);
  });

  test('an error that ended a batch of the loop goes with its descriptor', () => {
    const { fake } = scripted({
      recvmmsg: [{ errno: errno.ENOSYS! }],
      recvmsg: [{ result: 1 }, { errno: errno.ECONNREFUSED! }, { errno: errno.EAGAIN! }],
    });
    const syscalls = posix(fake, host);
    expect(syscalls.recvmmsg(3, messages, 2, 0)).toBe(1);
    syscalls.close(3);
    expect(syscalls.recvmmsg(3, messages, 2, 0)).toBe(-errno.EAGAIN!);
  });
});

test('no messages sent, which no kernel says, has a name; no messages received is EAGAIN', () => {
  const { messages } = ring(2, 1);
  const { fake } = scripted({ sendmmsg: [{ result: 0 }], recvmmsg: [{ result: 0 }] });
  const syscalls = posix(fake, host);
  expect(syscalls.sendmmsg(3, messages, 0, 2, 0)).toBe(-errno.EIO!);
  expect(syscalls.recvmmsg(3, messages, 2, 0)).toBe(-errno.EAGAIN!);
});

test('one message goes by the call for one: what that returns is its length, and 0 is a length', () => {
  const { messages } = ring(1, 1);
  const { fake, calls } = scripted({
    recvmsg: [{ result: 7 }, { result: 0 }, { errno: errno.EAGAIN! }],
    sendmsg: [{ result: 7 }, { result: 0 }, { errno: errno.EPERM! }],
    recvmmsg: [{ result: 0 }],
    sendmmsg: [{ result: 0 }],
  });
  const syscalls = posix(fake, host);
  const length = () => new Int32Array(messages.buffer, messages.byteOffset)[host.message.len >>> 2];
  expect([syscalls.recvmmsg(3, messages, 1, 0), length()]).toEqual([1, 7]);
  expect([syscalls.recvmmsg(3, messages, 1, 0), length()]).toEqual([1, 0]);
  expect(syscalls.recvmmsg(3, messages, 1, 0)).toBe(-errno.EAGAIN!);
  expect([syscalls.sendmmsg(3, messages, 0, 1, 0), length()]).toEqual([1, 7]);
  expect([syscalls.sendmmsg(3, messages, 0, 1, 0), length()]).toEqual([1, 0]);
  expect(syscalls.sendmmsg(3, messages, 0, 1, 0)).toBe(-errno.EPERM!); // a firewall's
  expect(calls.map(([name]) => name)).toEqual([
    ...['recvmsg', 'recvmsg', 'recvmsg'],
    ...['sendmsg', 'sendmsg', 'sendmsg', 'sendmmsg'],
  ]);
});

describe('refused before C sees it', () => {
  const bytes = Buffer.alloc(16);
  // biome-ignore lint/suspicious/noExplicitAny: what TypeScript would refuse is the subject
  const any = (value: unknown) => value as any;
  const noCalls = (platform = host) => {
    const { fake, calls } = scripted({});
    return { calls, refusing: posix(fake, platform) };
  };
  const { messages } = ring(2, 1);

  test.each([-1, 1.5, Number.NaN, 2 ** 31, 2 ** 32 + 3, '3', 3n, null, undefined, {}])('descriptor %p', (fd) => {
    const { refusing, calls } = noCalls();
    for (const attempt of callsWithDescriptor(refusing, fd, bytes, messages)) expect(attempt).toThrow(/^fd must/);
    expect(calls).toEqual([]);
  });

  test.each([
    'text',
    140_000_000_000,
    5n,
    null,
    undefined,
    [],
    new ArrayBuffer(16),
    new Uint8Array(16),
    Buffer.alloc(0),
  ])('bytes %p', (value) => {
    const { refusing, calls } = noCalls();
    for (const attempt of callsWithBytes(refusing, value)) expect(attempt).toThrow(/must (be a Buffer|have at least)/);
    expect(calls).toEqual([]);
  });

  test('a detached buffer, which has no address', () => {
    const detached = Buffer.from(new ArrayBuffer(16));
    structuredClone(detached.buffer, { transfer: [detached.buffer as ArrayBuffer] });
    expect(() => syscalls.addressOf(detached)).toThrow(RangeError);
    expect(() => syscalls.bind(3, detached)).toThrow(RangeError);
  });

  test.each([
    [0, 3],
    [1, 2],
    [3, 0],
    [2 ** 31, 1],
    [-1, 1],
    [0, -1],
    [0, 1.5],
    [Number.NaN, 1],
    [0, 2 ** 32],
  ])('messages %p … +%p of an array of two', (first, count) => {
    for (const platform of [host, withoutMmsg]) {
      const { refusing, calls } = noCalls(platform);
      expect(() => refusing.sendmmsg(3, messages, first, count, 0)).toThrow(/must/);
      if (first === 0) expect(() => refusing.recvmmsg(3, messages, count, 0)).toThrow(/must/);
      expect(calls).toEqual([]);
    }
  });

  test('numbers that C would bend, names that are too short or no strings', () => {
    const { refusing, calls } = noCalls();
    expect(() => refusing.socket(2.5)).toThrow(TypeError);
    expect(() => refusing.setsockopt(3, Number.NaN, 0, bytes)).toThrow(TypeError);
    expect(() => refusing.setsockopt(3, 0, 2 ** 40, bytes)).toThrow(TypeError);
    expect(() => refusing.getsockopt(3, any('0'), 0, bytes)).toThrow(TypeError);
    expect(() => refusing.recvmmsg(3, messages, 1, 0.5)).toThrow(TypeError);
    expect(() => refusing.ioctlInt(3, -1)).toThrow(TypeError);
    expect(() => refusing.poll(3, 4, 0)).toThrow(RangeError);
    expect(() => refusing.poll(3, 1, 2 ** 31)).toThrow(TypeError);
    expect(() => refusing.if_indextoname(-1, bytes)).toThrow(TypeError);
    expect(() => refusing.if_indextoname(1, Buffer.alloc(15))).toThrow(RangeError);
    expect(() => refusing.if_nametoindex(any(1))).toThrow(TypeError);
    expect(calls).toEqual([]);
  });

  test('an address is that of the first byte', () => {
    const whole = Buffer.alloc(64);
    expect(syscalls.addressOf(whole.subarray(24)) - syscalls.addressOf(whole)).toBe(24n);
  });
});
