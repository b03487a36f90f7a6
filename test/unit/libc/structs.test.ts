/** C structs for users: they read and write bytes, hold what they point at, refuse what does not fit, and print. */
import { inspect } from 'node:util';
import type { StructClass } from '../../../src/libc/struct-types';
import { structsOf } from '../../../src/libc/structs';
import { platformFor } from '../../../src/platform';
import { targets } from '../../abi/facts';

const linux = structsOf(platformFor('linux', 'x64'));
const { in_pktinfo, in6_pktinfo, iovec, msghdr, sockaddr_in, sockaddr_in6, sockaddr_storage, timeval } = linux;

const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe.each(targets.map((facts) => [facts.name, facts] as const))('%s', (_, facts) => {
  const structs = structsOf(platformFor(facts.os, facts.arch, facts.libc));

  test('each struct has the size, the alignment and the fields that a C compiler says', () => {
    const compared = Object.keys(structs).filter((name) => facts.struct(name) !== undefined);
    expect(compared.length).toBeGreaterThan(8);
    for (const name of compared) {
      const Class = structs[name as keyof typeof structs] as StructClass<object>;
      const { size, align, fields } = facts.struct(name)!;
      expect([name, Class.size, Class.alignment]).toEqual([name, size, align]);
      for (const field of fields) {
        const ours = Class.fields[field.name];
        if (ours !== undefined)
          expect([name, field.name, ours]).toEqual([name, field.name, { offset: field.offset, size: field.size }]);
      }
    }
  });

  test('every field can be written and read, and prints', () => {
    for (const [name, Class] of Object.entries(Object.getOwnPropertyDescriptors(structs)).map(
      ([each, { get }]) => [each, get?.() as StructClass<Record<string, unknown>>] as const,
    )) {
      const struct = new Class();
      let written = 0;
      for (const [field, { size }] of Object.entries(Class.fields)) {
        const kind = typeof struct[field];
        if (kind !== 'number' && kind !== 'string') continue;
        const value = kind === 'number' ? 1 : size === 4 ? '192.0.2.1' : '2001:db8::1';
        struct[field] = value;
        written++;
        expect([name, field, struct[field]]).toEqual([name, field, value]);
        if (!field.startsWith('__'))
          expect(inspect(struct)).toContain(`${field}: ${kind === 'number' ? 1 : `'${value}'`}`);
      }
      expect(written).toBeGreaterThan(0);
      expect(inspect(struct)).toMatch(new RegExp(`^${name} \\{`));
      expect(String(struct)).not.toContain('\n');
    }
  });
});

test('a struct is a view of the bytes it is given, and its buffer shows what is written to it', () => {
  const bytes = Buffer.alloc(20);
  const pktinfo = new in_pktinfo(bytes.subarray(4), { ipi_ifindex: 0x01020304 });
  pktinfo.ipi_addr = '127.0.0.2';
  expect(bytes.toString('hex')).toBe('0000000004030201000000007f00000200000000');
  bytes[4] = 5;
  expect(pktinfo.ipi_ifindex).toBe(0x01020305);
  expect(pktinfo.buffer).toHaveLength(in_pktinfo.size);
  expect(pktinfo.buffer.buffer).toBe(bytes.buffer);
});

test('they print their fields and values, and the names of numbers', () => {
  expect(inspect(new in_pktinfo({ ipi_ifindex: 3, ipi_addr: '127.0.0.2' }))).toBe(
    "in_pktinfo { ipi_ifindex: 3, ipi_spec_dst: '0.0.0.0', ipi_addr: '127.0.0.2' }",
  );
  const cmsg = new linux.cmsghdr({ cmsg_len: 28, cmsg_level: 0, cmsg_type: 8 });
  expect(String(cmsg)).toBe('cmsghdr { cmsg_len: 28, cmsg_level: 0 (IPPROTO_IP), cmsg_type: 8 (IP_PKTINFO) }');
  const name = new sockaddr_in6({ sin6_family: 10, sin6_port: 53, sin6_addr: 'fe80::1', sin6_scope_id: 2 });
  expect(String(new msghdr({ msg_name: name, msg_flags: 0x28 }))).toBe(
    "msghdr { msg_name: sockaddr_in6 { sin6_family: 10 (AF_INET6), sin6_port: 53, sin6_flowinfo: 0, sin6_addr: 'fe80::1', " +
      'sin6_scope_id: 2 }, msg_namelen: 28, msg_iov: null, msg_iovlen: 0, msg_control: null, msg_controllen: 0, ' +
      'msg_flags: 40 (MSG_CTRUNC | MSG_TRUNC) }',
  );
  expect(inspect({ deep: { deeper: { still: new in_pktinfo() } } })).toContain('[in_pktinfo]');
  expect(JSON.stringify(new in_pktinfo())).toBe('{"ipi_ifindex":0,"ipi_spec_dst":"0.0.0.0","ipi_addr":"0.0.0.0"}');
});

test('numbers are checked against the type of the field', () => {
  const pktinfo = new in_pktinfo();
  for (const value of [2 ** 31, -(2 ** 31) - 1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => Object.assign(pktinfo, { ipi_ifindex: value })).toThrow(code('ERR_OUT_OF_RANGE'));
  }
  for (const value of ['1', 1n, null, undefined, {}, [1]]) {
    expect(() => Object.assign(pktinfo, { ipi_ifindex: value })).toThrow(code('ERR_INVALID_ARG_TYPE'));
  }
  expect(() => new sockaddr_in({ sin_port: 65536 })).toThrow(code('ERR_OUT_OF_RANGE'));
  const time = new timeval({ tv_sec: -5n as never, tv_usec: Number.MAX_SAFE_INTEGER });
  expect([time.tv_sec, time.tv_usec]).toEqual([-5, Number.MAX_SAFE_INTEGER]);
  expect(() => Object.assign(time, { tv_sec: 2n ** 63n })).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => Object.assign(time, { tv_sec: 2 ** 60 })).toThrow(code('ERR_OUT_OF_RANGE'));
});

test('addresses are text of the right family without a zone, or their bytes', () => {
  const pktinfo = new in6_pktinfo({ ipi6_addr: new Uint8Array(16).fill(1) as never });
  expect(pktinfo.ipi6_addr).toBe('101:101:101:101:101:101:101:101');
  for (const text of ['127.0.0.1', 'fe80::1%lo', 'localhost', '', '::g']) {
    expect(() => Object.assign(pktinfo, { ipi6_addr: text })).toThrow(code('ERR_INVALID_IP_ADDRESS'));
  }
  expect(() => Object.assign(pktinfo, { ipi6_addr: Buffer.alloc(4) })).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => Object.assign(pktinfo, { ipi6_addr: 7 })).toThrow(code('ERR_INVALID_ARG_TYPE'));
});

test('too few bytes, a field that C has not, and another struct are refused', () => {
  expect(() => new in_pktinfo(Buffer.alloc(11))).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => new in_pktinfo({ ipi_nothing: 1 } as never)).toThrow(/'ipi_nothing'/);
  expect(() => new in_pktinfo(new in6_pktinfo() as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
  expect(() => new in_pktinfo(12 as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
  expect(() => new in_pktinfo(Buffer.alloc(12), 'x' as never)).toThrow(code('ERR_INVALID_ARG_TYPE'));
  // A cast, as C does it between the sockaddrs
  expect(new sockaddr_in(new sockaddr_storage({ ss_family: 2 })).sin_family).toBe(2);
});

test('a struct whose bytes were detached, or shrank, says so and prints', () => {
  const memory = new ArrayBuffer(12);
  const pktinfo = new in_pktinfo(Buffer.from(memory));
  structuredClone(memory, { transfer: [memory] });
  expect(() => pktinfo.ipi_ifindex).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(() => Object.assign(pktinfo, { ipi_ifindex: 1 })).toThrow(/detached or shrunk/);
  expect(inspect(pktinfo)).toBe('in_pktinfo <no bytes any more>');
  const Resizable = ArrayBuffer as unknown as new (
    size: number,
    options: object,
  ) => ArrayBuffer & { resize(size: number): void };
  const shrinking = new Resizable(32, { maxByteLength: 64 });
  const shrunk = new in_pktinfo(new Uint8Array(shrinking, 8, 16));
  shrinking.resize(16);
  expect(() => shrunk.ipi_ifindex).toThrow(code('ERR_OUT_OF_RANGE'));
});

test('a view that lies about its length is seen through', () => {
  const liar = Object.defineProperty(Buffer.alloc(4), 'length', { value: 4096 });
  Object.defineProperty(liar, 'byteLength', { value: 4096 });
  expect(() => new in_pktinfo(liar)).toThrow(code('ERR_OUT_OF_RANGE'));
  expect(new iovec({ iov_base: liar }).iov_len).toBe(4);
});

test('a pointer is what it points at: assigning sets its length, and numbers are none', () => {
  const data = Buffer.from('hello');
  const entry = new iovec({ iov_base: data });
  const msg = new msghdr({ msg_iov: entry, msg_control: Buffer.alloc(24) });
  expect([entry.iov_base, entry.iov_len]).toEqual([data, 5]);
  expect([msg.msg_iov, msg.msg_iovlen, msg.msg_controllen]).toEqual([[entry], 1, 24]);
  msg.msg_control = null;
  expect([msg.msg_control, msg.msg_controllen]).toEqual([null, 0]);
  for (const value of [0x7fff_0000, 1n, 'text', {}, [], new in_pktinfo()]) {
    expect(() => Object.assign(msg, { msg_name: value })).toThrow(code('ERR_INVALID_ARG_TYPE'));
  }
  for (const value of [data, [data], [entry, null], new in_pktinfo()]) {
    expect(() => Object.assign(msg, { msg_iov: value })).toThrow(code('ERR_INVALID_ARG_TYPE'));
  }
  // Not those of another system
  const foreign = structsOf(platformFor('freebsd', 'x64'));
  expect(() => Object.assign(msg, { msg_iov: new foreign.iovec() })).toThrow(code('ERR_INVALID_ARG_TYPE'));
  // What is behind it can only be exchanged as a whole
  expect(() => (msg.msg_iov as unknown[]).push(entry)).toThrow(TypeError);
});

test('structs that this system has not are asked for by hasOwn, and named by an error', () => {
  const freebsd = structsOf(platformFor('freebsd', 'x64'));
  expect(Object.hasOwn(freebsd, 'in_pktinfo')).toBe(false);
  expect(() => freebsd.in_pktinfo).toThrow(code('ERR_RECVFROMTO_UNSUPPORTED_PLATFORM'));
  expect(() => linux.WSAMSG).toThrow('linux has no struct WSAMSG');
});
