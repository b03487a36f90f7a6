/** Winsock's calls over a koffi that does what a list says: what C is given, what comes back, what C never sees. */

import { winsock } from '../../src/ffi/calls/winsock';
import type { Koffi } from '../../src/ffi/koffi';
import { ERROR, READABLE, WRITABLE } from '../../src/ffi/readiness';
import { uvErrno } from '../../src/ffi/uv-errno';
import { platformFor } from '../../src/platform/index';
import { callsWithBytes, callsWithDescriptor } from '../support/bad-arguments';

const WOULDBLOCK = 10035;
const MSGSIZE = 10040;

interface Answer {
  readonly result?: number;
  /** The last error, after it. */
  readonly error?: number;
  /** What the function writes. */
  readonly write?: (...args: unknown[]) => void;
}

/** koffi for one script: answers by name of function, in order; without one a function succeeds as C says it. */
function scripted(arch: string, script: Record<string, readonly Answer[]> = {}, values = new Map<bigint, number>()) {
  const platform = platformFor('win32', arch);
  const calls: unknown[][] = [];
  let last = 0;
  const good: Record<string, number> = { WSASocketW: 0x1a4, SetHandleInformation: 1 };
  const named = (name: string) => {
    const answers = [...(script[name] ?? [])];
    return (...args: unknown[]) => {
      calls.push([name, ...args]);
      if (name === 'WSAGetLastError') return last;
      const { result, error = 0, write } = answers.shift() ?? { result: good[name] ?? 0 };
      write?.(...args);
      last = error;
      return result ?? (error === 0 ? 0 : -1);
    };
  };
  // WSAIoctl gives the GUID's first byte as the function's address
  const found: Record<number, string> = { 200: 'WSARecvMsg', 18: 'WSASendMsg' };
  const prototypes: string[] = [];
  const libraries: unknown[] = [];
  const func = (prototype: string) => {
    prototypes.push(prototype);
    const name = /(\w+)\(/.exec(prototype)![1]!;
    if (name !== 'WSAIoctl') return named(name);
    const scripts = named(name);
    return (...args: unknown[]) => {
      if (args[1] !== platform.constants.SIO_GET_EXTENSION_FUNCTION_POINTER) return scripts(...args);
      (args[4] as Buffer)[0] = (args[2] as Buffer)[0]!;
      return scripts(...args);
    };
  };
  const fake = {
    load: (path: string) => {
      libraries.push(path);
      return { func };
    },
    proto: (...args: unknown[]) => args,
    decode: (address: bigint | number, second: unknown) =>
      typeof second === 'number' ? values.get(BigInt(address)) : named(found[Number(address)]!),
  } as unknown as Koffi;
  return { platform, calls, prototypes, libraries, koffi: fake, open: () => winsock(fake, platform) };
}

const names = (calls: unknown[][]) => calls.map(([name]) => name).filter((name) => name !== 'WSAGetLastError');

describe.each(['x64', 'ia32', 'arm64'])('%s', (arch) => {
  const { message: layout, constants, errno } = platformFor('win32', arch);
  const messages = () => Buffer.alloc(3 * layout.size);

  test('every function is __stdcall, from the library that has it', () => {
    const { open, prototypes, libraries } = scripted(arch);
    open();
    expect(prototypes.length).toBeGreaterThan(15);
    for (const prototype of prototypes) expect(prototype).toContain(' __stdcall ');
    expect(libraries).toEqual(['ws2_32.dll', 'kernel32.dll', 'iphlpapi.dll']);
  });

  test('no Winsock 2.2: refused by name', () => {
    const { open } = scripted(arch, { WSAStartup: [{ result: 10092 }] });
    expect(open).toThrow(expect.objectContaining({ code: 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM' }));
  });

  test('a socket is overlapped, not inherited, non-blocking, and hears nothing of earlier sends', () => {
    const nonBlocking: number[] = [];
    const ioctlsocket = [{ write: (...args: unknown[]) => nonBlocking.push((args[2] as Buffer).readUInt32LE(0)) }];
    const { open, calls } = scripted(arch, { ioctlsocket });
    expect(open().socket(constants.AF_INET6)).toBe(0x1a4);
    const [, socket, ioctl, connreset, netreset] = calls;
    expect(socket).toEqual(['WSASocketW', constants.AF_INET6, constants.SOCK_DGRAM, 0, null, 0, 0x81]);
    expect(ioctl!.slice(0, 3)).toEqual(['ioctlsocket', 0x1a4, -2147195266]);
    expect(nonBlocking).toEqual([1]);
    expect(connreset!.slice(0, 5)).toEqual(['WSAIoctl', 0x1a4, 0x9800000c, Buffer.alloc(4), 4]);
    expect(netreset!.slice(0, 5)).toEqual(['WSAIoctl', 0x1a4, 0x9800000f, Buffer.alloc(4), 4]);
  });

  test('the extensions are looked up once', () => {
    const { open, calls } = scripted(arch);
    const syscalls = open();
    syscalls.socket(constants.AF_INET);
    const before = calls.length;
    syscalls.socket(constants.AF_INET);
    expect(names(calls.slice(before))).toEqual(['WSASocketW', 'ioctlsocket', 'WSAIoctl', 'WSAIoctl']);
  });

  test('a Windows without SIO_UDP_NETRESET is as good', () => {
    const { open } = scripted(arch, { WSAIoctl: [{ error: 10045 }, { error: 10045 }] });
    expect(open().socket(constants.AF_INET)).toBe(0x1a4);
  });

  test('a socket that cannot be made ready is closed', () => {
    const scripts: Record<string, readonly Answer[]>[] = [
      { ioctlsocket: [{ error: 10055 }] },
      { WSAIoctl: [{}, {}, { error: 10055 }] },
    ];
    for (const script of scripts) {
      const { open, calls } = scripted(arch, script);
      expect(open().socket(constants.AF_INET)).toBe(-errno.ENOBUFS);
      expect(calls.at(-1)).toEqual(['closesocket', 0x1a4]);
    }
    const { open, calls } = scripted(arch, { WSASocketW: [{ result: -1, error: 10024 }] });
    expect(open().socket(constants.AF_INET)).toBe(-errno.EMFILE);
    expect(names(calls)).not.toContain('closesocket');
  });

  test('WSAPoll looks at one SOCKET, in its own words', () => {
    const asked: Buffer[] = [];
    const write = (revents: number): Answer => ({
      result: 1,
      write: (fds) => {
        asked.push(Buffer.from(fds as Buffer));
        (fds as Buffer).writeInt16LE(revents, layout.pointerSize + 2);
      },
    });
    const { open } = scripted(arch, {
      WSAPoll: [write(0x300), write(0x13), write(0x4), { result: 0 }, { result: -1, error: 10038 }],
    });
    const syscalls = open();
    expect(syscalls.poll(0x1a4, READABLE, 5)).toBe(READABLE);
    expect(asked[0]).toEqual(
      Buffer.from(layout.pointerSize === 8 ? 'a4010000000000000003000000000000' : 'a401000000030000', 'hex'),
    );
    expect(syscalls.poll(0x1a4, WRITABLE, 5)).toBe(WRITABLE | READABLE | ERROR);
    expect(syscalls.poll(0x1a4, READABLE, 5)).toBe(-errno.EBADF!);
    expect(syscalls.poll(0x1a4, READABLE, 5)).toBe(0);
    expect(syscalls.poll(0x1a4, READABLE, 5)).toBe(-errno.ENOTSOCK!);
  });

  test('adopt() makes it non-blocking and keeps it from children', () => {
    const { open, calls } = scripted(arch, { SetHandleInformation: [{ result: 1 }, { result: 0, error: 6 }] });
    const syscalls = open();
    expect(syscalls.adopt(77)).toBe(0);
    expect(calls.at(-1)).toEqual(['SetHandleInformation', 77, 1, 0]);
    expect(syscalls.adopt(77)).toBe(-errno.EBADF);
  });

  /** What WSARecvMsg does: returns, and writes a count and flags. */
  const received = (count: number, flags = 0, error = 0): Answer => ({
    error,
    write: (...args) => {
      const [, message, counter] = args as [number, Buffer, Buffer];
      counter.writeUInt32LE(count);
      message.writeInt32LE(flags, layout.flags);
    },
  });
  const receiving = (answers: readonly Answer[], values?: Map<bigint, number>) => {
    const made = scripted(arch, { WSARecvMsg: answers }, values);
    const syscalls = made.open();
    const fd = syscalls.socket(constants.AF_INET);
    made.calls.length = 0;
    return { ...made, syscalls, fd };
  };
  const lengths = (bytes: Buffer, count: number) =>
    Array.from({ length: count }, (_, i) => bytes.readUInt32LE(i * layout.size + layout.len));
  const flagsOf = (bytes: Buffer) => bytes.readInt32LE(layout.flags);

  test('receives until nothing waits, with the length of each', () => {
    const { syscalls, fd, calls } = receiving([received(5), received(0), { error: WOULDBLOCK }, { error: WOULDBLOCK }]);
    const bytes = messages();
    expect(syscalls.recvmmsg(fd, bytes, 3, 0)).toBe(2);
    expect(lengths(bytes, 2)).toEqual([5, 0]);
    expect(syscalls.recvmmsg(fd, bytes, 3, 0)).toBe(-errno.EAGAIN);
    expect((calls[1]![2] as Buffer).byteOffset - (calls[0]![2] as Buffer).byteOffset).toBe(layout.size);
    expect(calls[0]!.slice(4)).toEqual([null, null]); // not overlapped
  });

  test.each([10054, 10052])('an ICMP error of an earlier send (%i) is no error of a receive', (error) => {
    const spoils = { error, write: (...args: unknown[]) => (args[1] as Buffer).fill(0, 0, layout.size) };
    const lens: number[][] = [];
    const note: Answer = {
      write: (...args) => {
        const message = args[1] as Buffer;
        lens.push([message.readInt32LE(layout.namelen), message.readInt32LE(layout.controllen)]);
        received(4).write!(...args);
      },
    };
    const { syscalls, fd } = receiving([spoils, spoils, note, { error: WOULDBLOCK }]);
    const bytes = messages();
    bytes.writeInt32LE(32, layout.namelen);
    bytes.writeInt32LE(256, layout.controllen);
    expect(syscalls.recvmmsg(fd, bytes, 3, 0)).toBe(1);
    expect(lens).toEqual([[32, 256]]);
  });

  test('data that was cut is a datagram with MSG_TRUNC, as Windows says it', () => {
    const { syscalls, fd } = receiving([received(8, constants.MSG_TRUNC, MSGSIZE)]);
    const bytes = messages();
    expect(syscalls.recvmmsg(fd, bytes, 1, 0)).toBe(1);
    expect([lengths(bytes, 1), flagsOf(bytes)]).toEqual([[8], constants.MSG_TRUNC]);
  });

  test('and as Wine says it: no flag, no count', () => {
    const bytes = messages();
    const lpBuffers = 0x7000n;
    if (layout.pointerSize === 8) bytes.writeBigUInt64LE(lpBuffers, layout.iov);
    else bytes.writeUInt32LE(Number(lpBuffers), layout.iov);
    const { syscalls, fd } = receiving([received(0, 0, MSGSIZE)], new Map([[lpBuffers, 1234]]));
    expect(syscalls.recvmmsg(fd, bytes, 1, 0)).toBe(1);
    expect([lengths(bytes, 1), flagsOf(bytes)]).toEqual([[1234], constants.MSG_TRUNC]);
  });

  test('control messages that were cut leave the data whole', () => {
    const { syscalls, fd } = receiving([received(5, constants.MSG_CTRUNC, MSGSIZE)]);
    const bytes = messages();
    expect(syscalls.recvmmsg(fd, bytes, 1, 0)).toBe(1);
    expect([lengths(bytes, 1), flagsOf(bytes)]).toEqual([[5], constants.MSG_CTRUNC]);
  });

  test('flags that an earlier call has left do not go in again', () => {
    const seen: number[] = [];
    const answer = { write: (...args: unknown[]) => void seen.push((args[1] as Buffer).readInt32LE(layout.flags)) };
    const { syscalls, fd } = receiving([answer]);
    const bytes = messages();
    bytes.writeInt32LE(constants.MSG_TRUNC, layout.flags);
    syscalls.recvmmsg(fd, bytes, 1, 0);
    expect(seen).toEqual([0]);
  });

  test('sends from `first` on; a refusal ends the batch, and is an error when it is first', () => {
    const count = (bytes: number): Answer => ({ write: (...args) => (args[3] as Buffer).writeUInt32LE(bytes) });
    const made = scripted(arch, { WSASendMsg: [count(3), { error: 10065 }, { error: 10065 }] });
    const syscalls = made.open();
    const fd = syscalls.socket(constants.AF_INET);
    made.calls.length = 0;
    const bytes = messages();
    expect(syscalls.sendmmsg(fd, bytes, 1, 2, 0)).toBe(1);
    expect((made.calls[0]![2] as Buffer).byteOffset).toBe(bytes.byteOffset + layout.size);
    expect(made.calls[0]!.slice(5)).toEqual([null, null]);
    expect(syscalls.sendmmsg(fd, bytes, 2, 1, 0)).toBe(-errno.EHOSTUNREACH);
  });

  test('before any socket was made there is nothing to receive from', () => {
    const syscalls = scripted(arch).open();
    expect(syscalls.recvmmsg(3, messages(), 1, 0)).toBe(-errno.ENOTSOCK);
    expect(syscalls.sendmmsg(3, messages(), 0, 1, 0)).toBe(-errno.ENOTSOCK);
  });
});

describe('names of interfaces', () => {
  const write = (text: string) => ({ write: (...args: unknown[]) => void (args[1] as Buffer).write(text, 'utf16le') });

  test('are aliases, as in os.networkInterfaces()', () => {
    const script = { ConvertInterfaceLuidToAlias: [write('Łącze 2'), write('ä'.repeat(200)), { result: 87 }] };
    const syscalls = scripted('x64', script).open();
    const name = Buffer.alloc(256, 0xff);
    expect(syscalls.if_indextoname(7, name)).toBe(0);
    expect(name.toString('utf8', 0, name.indexOf(0))).toBe('Łącze 2');
    expect(syscalls.if_indextoname(7, name)).toBe(0);
    expect(name.toString('utf8', 0, name.indexOf(0))).toBe('ä'.repeat(127)); // no character in half
    expect(syscalls.if_indextoname(7, name)).toBe(-10022);
  });

  test('an index without an interface', () => {
    const syscalls = scripted('x64', { ConvertInterfaceIndexToLuid: [{ result: 2 }] }).open();
    expect(syscalls.if_indextoname(9, Buffer.alloc(256))).toBe(uvErrno('ENOENT', 0));
  });

  test('are found by alias, else by Windows’ own name; a number is none', () => {
    const index = { write: (...args: unknown[]) => void (args[1] as Buffer).writeUInt32LE(12) };
    const { open, calls } = scripted('x64', {
      ConvertInterfaceAliasToLuid: [{}, { result: 87 }],
      ConvertInterfaceLuidToIndex: [index],
      if_nametoindex: [{ result: 34 }],
    });
    const syscalls = open();
    expect(syscalls.if_nametoindex('Łącze 2')).toBe(12);
    expect(calls.at(-2)![1]).toEqual(Buffer.from('Łącze 2\0', 'utf16le'));
    expect(syscalls.if_nametoindex('ethernet_32769')).toBe(34);
    calls.length = 0;
    for (const none of ['', '7', 'Łącze 2\0x']) expect(syscalls.if_nametoindex(none)).toBe(0);
    expect(calls).toEqual([]);
  });
});

test.each([
  [6, 'EBADF'],
  [8, 'ENOMEM'],
  [64, 'ECONNRESET'],
  [87, 'EINVAL'],
  [995, 'ECANCELED'],
  [1231, 'ENETUNREACH'],
  [1234, 'ECONNREFUSED'],
  [10004, 'ECANCELED'],
  [10048, 'EADDRINUSE'],
])('Windows’ %i is %s', (error, name) => {
  const { open, platform } = scripted('x64', { bind: [{ error }] });
  const known = platform.errno[name];
  expect(open().bind(3, Buffer.alloc(16))).toBe(known === undefined ? uvErrno(name, 0) : -known);
});

test('an error that nobody knows keeps its number', () => {
  expect(
    scripted('x64', { connect: [{ error: 10107 }] })
      .open()
      .connect(3, Buffer.alloc(16)),
  ).toBe(-10107);
});

describe('refused before C sees it', () => {
  // biome-ignore lint/suspicious/noExplicitAny: what TypeScript would refuse is the subject
  const any = (value: unknown) => value as any;
  const fresh = () => {
    const { open, calls, platform } = scripted('x64');
    const refusing = open();
    calls.length = 0;
    return { refusing, calls, messages: Buffer.alloc(2 * platform.message.size) };
  };
  const bytes = Buffer.alloc(256);

  test.each([-1, 1.5, Number.NaN, 2 ** 31, '3', 3n, null, undefined, {}])('descriptor %p', (fd) => {
    const { refusing, calls, messages } = fresh();
    for (const attempt of callsWithDescriptor(refusing, fd, bytes, messages)) expect(attempt).toThrow(/^fd must/);
    expect(calls).toEqual([]);
  });

  test.each(['text', 5n, 140_000, null, undefined, new Uint8Array(16), Buffer.alloc(0)])('bytes %p', (value) => {
    const { refusing, calls } = fresh();
    for (const attempt of callsWithBytes(refusing, value)) expect(attempt).toThrow(/must (be a Buffer|have at least)/);
    expect(calls).toEqual([]);
  });

  test('messages outside of the array, numbers that C would bend, names too short', () => {
    const { refusing, calls, messages } = fresh();
    for (const [first, count] of [
      [0, 3],
      [1, 2],
      [3, 0],
      [-1, 1],
      [0, 1.5],
    ] as const) {
      expect(() => refusing.sendmmsg(3, messages, first, count, 0)).toThrow(/must/);
    }
    expect(() => refusing.recvmmsg(3, messages, 3, 0)).toThrow(/must/);
    expect(() => refusing.recvmmsg(3, messages, 1, 0.5)).toThrow(TypeError);
    expect(() => refusing.socket(2.5)).toThrow(TypeError);
    expect(() => refusing.setsockopt(3, Number.NaN, 0, bytes)).toThrow(TypeError);
    expect(() => refusing.getsockopt(3, 0, any('0'), bytes)).toThrow(TypeError);
    expect(() => refusing.if_indextoname(-1, bytes)).toThrow(TypeError);
    expect(() => refusing.if_indextoname(1, Buffer.alloc(255))).toThrow(RangeError);
    expect(() => refusing.if_nametoindex(any(1))).toThrow(TypeError);
    expect(calls).toEqual([]);
  });
});
