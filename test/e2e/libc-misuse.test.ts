/**
 * What a prototype gets wrong, on real descriptors: each mistake is an error that says what it was, before or by the
 * kernel. libc-fuzz.test.ts makes mistakes at random.
 */
import { closeSync, openSync } from 'node:fs';
import { type Host, openHost } from '../../src/ffi';
import { openLibcCalls } from '../../src/ffi/libc-calls';
import * as libc from '../../src/libc';
import { createLibc } from '../../src/libc/libc';

const { AF_INET, AF_INET6, SOCK_DGRAM, SOL_SOCKET, constants, structs } = libc;
const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('mistakes', () => {
  let fd: number;
  beforeAll(() => {
    fd = libc.socket(AF_INET, SOCK_DGRAM);
    libc.bind(fd, { address: '127.0.0.1' });
  });
  afterAll(() => libc.close(fd));

  const msg = () => new structs.msghdr({ msg_iov: new structs.iovec({ iov_base: Buffer.alloc(4) }) });
  /** Every call that takes a descriptor. */
  const calls: Record<string, (fd: never) => unknown> = {
    bind: (fd) => libc.bind(fd, { address: '127.0.0.1', port: 0 }),
    connect: (fd) => libc.connect(fd, { address: '127.0.0.1', port: 9 }),
    getsockname: (fd) => libc.getsockname(fd),
    getpeername: (fd) => libc.getpeername(fd),
    setsockopt: (fd) => libc.setsockopt(fd, SOL_SOCKET, constants.SO_BROADCAST, 1),
    getsockopt: (fd) => libc.getsockopt(fd, SOL_SOCKET, constants.SO_BROADCAST),
    recvmsg: (fd) => libc.recvmsg(fd, msg(), constants.MSG_DONTWAIT),
    sendmsg: (fd) => libc.sendmsg(fd, msg(), constants.MSG_DONTWAIT),
    recvfromto: (fd) => libc.recvfromto(fd, { dontwait: true }),
    sendfromto: (fd) => libc.sendfromto(fd, 'x', { to: { address: '127.0.0.1', port: 9 } }),
    close: (fd) => libc.close(fd),
  };

  describe.each(Object.entries(calls))('%s', (name, call) => {
    test.each([
      [undefined, 'ERR_INVALID_ARG_TYPE'],
      ['3', 'ERR_INVALID_ARG_TYPE'],
      [{}, 'ERR_INVALID_ARG_TYPE'],
      [-1, 'ERR_OUT_OF_RANGE'],
      [1.5, 'ERR_OUT_OF_RANGE'],
      [Number.NaN, 'ERR_OUT_OF_RANGE'],
      [2 ** 31, 'ERR_OUT_OF_RANGE'],
    ])('of %p is no descriptor', (value, wanted) => {
      expect(() => call(value as never)).toThrow(code(wanted));
    });

    test('of a closed descriptor is EBADF, of a file ENOTSOCK', () => {
      expect(() => call(9999 as never)).toThrow(code('EBADF'));
      const file = openSync(__filename, 'r');
      try {
        expect(() => call(file as never)).toThrow(code(name === 'close' ? 'ERR_INVALID_ARG_VALUE' : 'ENOTSOCK'));
      } finally {
        closeSync(file);
      }
    });
  });

  test('a name that is no address, a port that is none, a struct that is no sockaddr', () => {
    for (const address of ['localhost', '', '127.0.0.256', '::1]', '0x7f000001']) {
      expect(() => libc.connect(fd, { address, port: 9 })).toThrow(code('ERR_INVALID_IP_ADDRESS'));
    }
    for (const address of [undefined, 5, null, []]) {
      expect(() => libc.connect(fd, { address, port: 9 } as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    }
    for (const port of [0, 65536, -1, 1.5, '53', Number.NaN, undefined]) {
      expect(() => libc.connect(fd, { address: '127.0.0.1', port } as never)).toThrow(code('ERR_SOCKET_BAD_PORT'));
    }
    for (const name of [undefined, '127.0.0.1', 53, new structs.in6_pktinfo()]) {
      expect(() => libc.connect(fd, name as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    }
    expect(() => libc.bind(fd, new structs.sockaddr_in())).toThrow(expect.objectContaining({ syscall: 'bind' }));
  });

  test('socket() is for datagrams of IP', () => {
    expect(() => libc.socket(1, SOCK_DGRAM)).toThrow(code('ERR_INVALID_ARG_VALUE'));
    expect(() => libc.socket(AF_INET6, 1)).toThrow(code('ERR_INVALID_ARG_VALUE'));
    expect(() => libc.socket(AF_INET6, SOCK_DGRAM, 6)).toThrow(code('ERR_INVALID_ARG_VALUE'));
    expect(() => libc.socket(undefined as never, SOCK_DGRAM)).toThrow(code('ERR_INVALID_ARG_TYPE'));
  });

  test('options that are none', () => {
    for (const options of [null, 5, 'x', { timeout: '5' }, { dontwait: 1 }, { length: '1' }, { peek: null }]) {
      expect(() => libc.recvfromto(fd, options as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    }
    for (const options of [
      { timeout: -1 },
      { timeout: Number.NaN },
      { timeout: 1e12 },
      { length: 0 },
      { length: 65536 },
    ]) {
      expect(() => libc.recvfromto(fd, options as never)).toThrow(code('ERR_OUT_OF_RANGE'));
    }
    const to = { address: '127.0.0.1', port: 9 };
    expect(() => libc.sendfromto(fd, 'x', { to, interface: 'nosuch0' })).toThrow(code('ERR_OUT_OF_RANGE'));
    expect(() => libc.sendfromto(fd, 'x', { to, interface: 0 })).toThrow(code('ERR_OUT_OF_RANGE'));
    expect(() => libc.sendfromto(fd, 'x', { to, from: '127.0.0.1' } as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    expect(() => libc.sendfromto(fd, 5 as never, { to })).toThrow(code('ERR_INVALID_ARG_TYPE'));
    expect(() => libc.sendfromto(fd, ['x', null] as never, { to })).toThrow(code('ERR_INVALID_ARG_TYPE'));
  });

  test('a length that is more than there is, whenever it became so', () => {
    const message = msg();
    const [entry] = message.msg_iov as InstanceType<typeof structs.iovec>[];
    entry.iov_len = 5;
    expect(() => libc.recvmsg(fd, message, constants.MSG_DONTWAIT)).toThrow(code('ERR_OUT_OF_RANGE'));
    entry.iov_len = 4;
    message.msg_iovlen = 2;
    expect(() => libc.sendmsg(fd, message, constants.MSG_DONTWAIT)).toThrow(code('ERR_OUT_OF_RANGE'));
    message.msg_iovlen = 1;
    message.msg_controllen = 1;
    expect(() => libc.recvmsg(fd, message, constants.MSG_DONTWAIT)).toThrow(code('ERR_OUT_OF_RANGE'));
    message.msg_controllen = 0;
    const memory = new ArrayBuffer(16);
    entry.iov_base = new Uint8Array(memory);
    structuredClone(memory, { transfer: [memory] });
    expect(() => libc.recvmsg(fd, message, constants.MSG_DONTWAIT)).toThrow(code('ERR_OUT_OF_RANGE'));
    for (const other of [
      undefined,
      {},
      Buffer.alloc(56),
      new structs.iovec(),
      Object.create(structs.msghdr.prototype),
    ]) {
      expect(() => libc.recvmsg(fd, other as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
    }
  });

  test('bytes that stand where pointers are lead nowhere', () => {
    const bytes = Buffer.alloc(structs.msghdr.size, 0x41);
    const message = new structs.msghdr(bytes);
    expect(() => libc.recvmsg(fd, message, constants.MSG_DONTWAIT)).toThrow(code('ERR_OUT_OF_RANGE'));
    message.msg_name = null;
    message.msg_control = null;
    message.msg_iov = null;
    bytes.fill(0x41, structs.msghdr.fields.msg_iov.offset, structs.msghdr.fields.msg_iov.offset + 8);
    expect(() => libc.recvmsg(fd, message, constants.MSG_DONTWAIT)).toThrow(code('EAGAIN'));
  });

  test('what is read once cannot change between check and use', () => {
    const reads: string[] = [];
    const changing = (name: string, first: unknown, later: unknown) => ({
      get: () => {
        if (reads.includes(name)) return later;
        reads.push(name);
        return first;
      },
    });
    const to = Object.defineProperties(
      {},
      {
        address: changing('address', '127.0.0.1', 0x1234),
        port: changing('port', 9, -1),
      },
    );
    const options = Object.defineProperties(
      {},
      { to: changing('to', to, 7), dontwait: changing('dontwait', true, 'x') },
    );
    expect(libc.sendfromto(fd, 'x', options)).toBe(1);
    expect(reads.sort()).toEqual(['address', 'dontwait', 'port', 'to']);
  });

  test('getsockopt has room for a kernel that counts in instructions (SO_GET_FILTER)', () => {
    const host = openHost();
    let room = 0;
    const getsockopt: Host['syscalls']['getsockopt'] = (_fd, _level, _name, value) => {
      room = value.buffer.byteLength - value.byteOffset;
      return value.length * 8;
    };
    const { descriptors } = createLibc(instead(host, { getsockopt }), openLibcCalls(host.platform));
    expect(descriptors.getsockopt(fd, SOL_SOCKET, 26, 100)).toHaveLength(100);
    expect(room).toBeGreaterThanOrEqual(800);
  });
});

/** The host with some calls of our own. */
function instead(host: Host, own: Partial<Host['syscalls']>): Host {
  const syscalls = new Proxy(host.syscalls, {
    get: (target, name) => {
      if (Object.hasOwn(own, name)) return own[name as keyof typeof own];
      const value = target[name as keyof typeof target] as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { ...host, syscalls };
}
