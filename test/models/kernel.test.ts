/**
 * The models themselves: messages made by hand from the fixtures get the answers that the fixtures' `semantics` tell of.
 * Linux's were run (test/abi/fixtures/linux.json), the others' were read.
 */
import { type Abi, int32 } from './abi';
import { bytesOf } from './net';
import { controls, sendRaw } from './raw';
import { type ModelName, models, PORT, World } from './world';

/** What is sent, and what comes of it: errno's name, or the source that the peer sees. */
type Case = [what: string, control: Buffer | undefined, outcome: string, controllen?: number];

const octets = (address: string) => Buffer.from(bytesOf(address));
const in_pktinfo = (abi: Abi, fields: Record<string, string | number>) =>
  abi.struct(
    'in_pktinfo',
    Object.fromEntries(
      Object.entries(fields).map(([field, value]) => [field, typeof value === 'string' ? octets(value) : value]),
    ),
  );
const in6_pktinfo = (abi: Abi, address: string, ifindex = 0) =>
  abi.struct('in6_pktinfo', { ipi6_addr: octets(address), ipi6_ifindex: ifindex });

function linux(abi: Abi): Case[] {
  const info = (fields: Record<string, string | number>) =>
    controls(abi, ['IPPROTO_IP', 'IP_PKTINFO', in_pktinfo(abi, fields)]);
  const good = info({ ipi_spec_dst: '10.0.0.2' });
  const header = abi.headerSize;
  const length = abi.facts.cmsg.dataOffset + 12;
  return [
    ['ipi_spec_dst', good, '10.0.0.2'],
    ['ipi_addr alone', info({ ipi_addr: '10.0.0.2' }), '10.0.0.1'],
    ['not local', info({ ipi_spec_dst: '192.0.2.1' }), 'ENETUNREACH'],
    ['a group', info({ ipi_spec_dst: '239.1.2.3' }), 'EINVAL'],
    ['the broadcast address', info({ ipi_spec_dst: '255.255.255.255' }), 'EINVAL'],
    ["a subnet's broadcast address", info({ ipi_spec_dst: '10.0.0.255' }), 'ENETUNREACH'],
    ['the loopback to the outside', info({ ipi_spec_dst: '127.0.0.1' }), 'EINVAL'],
    ['with the interface', info({ ipi_spec_dst: '10.0.0.2', ipi_ifindex: 3 }), '10.0.0.2'],
    ['no such interface', info({ ipi_spec_dst: '10.0.0.2', ipi_ifindex: 99 }), 'ENODEV'],
    ['8 bytes', controls(abi, ['IPPROTO_IP', 'IP_PKTINFO', Buffer.alloc(8)]), 'EINVAL'],
    ['16 bytes', controls(abi, ['IPPROTO_IP', 'IP_PKTINFO', Buffer.alloc(16)]), 'EINVAL'],
    ['an unknown type', controls(abi, ['IPPROTO_IP', 7, Buffer.alloc(4)]), 'EINVAL'],
    ['an unknown UDP type', controls(abi, ['IPPROTO_UDP', 1, Buffer.alloc(4)]), 'EINVAL'],
    ["IPv6's on IPv4", controls(abi, ['IPPROTO_IPV6', 'IPV6_PKTINFO', in6_pktinfo(abi, '::1')]), '10.0.0.1'],
    ['IP_TOS int', controls(abi, ['IPPROTO_IP', 'IP_TOS', int32(8)]), '10.0.0.1'],
    ['IP_TOS u8', controls(abi, ['IPPROTO_IP', 'IP_TOS', Buffer.of(8)]), '10.0.0.1'],
    ['IP_TTL u8', controls(abi, ['IPPROTO_IP', 'IP_TTL', Buffer.of(8)]), 'EINVAL'],
    ['IP_TTL 0', controls(abi, ['IPPROTO_IP', 'IP_TTL', int32(0)]), 'EINVAL'],
    ['controllen CMSG_LEN', good, '10.0.0.2', length],
    ['less than a header behind it', Buffer.concat([good, Buffer.alloc(8)]), '10.0.0.2'],
    ['a header of zeros behind it', Buffer.concat([good, Buffer.alloc(header)]), 'EINVAL'],
    ['a pointer and no length', good, '10.0.0.1', 0],
    ['less than a header', good, '10.0.0.1', header - 4],
    ['cmsg_len 0', Buffer.alloc(header), 'EINVAL'],
  ];
}

function darwin(abi: Abi): Case[] {
  const info = (fields: Record<string, string | number>) =>
    controls(abi, ['IPPROTO_IP', 'IP_PKTINFO', in_pktinfo(abi, fields)]);
  return [
    ['ipi_spec_dst', info({ ipi_spec_dst: '10.0.0.2' }), '10.0.0.2'],
    ['ipi_addr alone', info({ ipi_addr: '10.0.0.2' }), '10.0.0.1'],
    ['an interface beats ipi_spec_dst', info({ ipi_spec_dst: '10.0.0.2', ipi_ifindex: 3 }), '10.0.0.1'],
    ['no such interface', info({ ipi_spec_dst: '10.0.0.2', ipi_ifindex: 99 }), 'ENXIO'],
    ['not local', info({ ipi_spec_dst: '192.0.2.1' }), 'EADDRNOTAVAIL'],
    ['8 bytes', controls(abi, ['IPPROTO_IP', 'IP_PKTINFO', Buffer.alloc(8)]), 'EINVAL'],
    ['IP_RECVDSTADDR is ignored', controls(abi, ['IPPROTO_IP', 'IP_RECVDSTADDR', octets('10.0.0.2')]), '10.0.0.1'],
    ['IP_TTL is ignored', controls(abi, ['IPPROTO_IP', 'IP_TTL', int32(3)]), '10.0.0.1'],
    ['a pointer and no length', Buffer.alloc(12), 'EINVAL', 0],
    ['cmsg_len 0 is ignored', Buffer.alloc(12), '10.0.0.1'],
  ];
}

function freebsd(abi: Abi): Case[] {
  const source = (address: string) => controls(abi, ['IPPROTO_IP', 'IP_SENDSRCADDR', octets(address)]);
  return [
    ['IP_SENDSRCADDR', source('10.0.0.2'), '10.0.0.2'],
    ['not local', source('192.0.2.1'), 'EADDRNOTAVAIL'],
    ['0.0.0.0', source('0.0.0.0'), 'EINVAL'],
    ['a group is not refused', source('239.1.2.3'), '239.1.2.3'],
    ["nor a subnet's broadcast address", source('10.0.0.255'), '10.0.0.255'],
    ['an unknown type', controls(abi, ['IPPROTO_IP', 'IP_TTL', int32(3)]), 'ENOPROTOOPT'],
    ['IP_TOS int', controls(abi, ['IPPROTO_IP', 'IP_TOS', int32(3)]), 'EINVAL'],
    ['IP_TOS u_char', controls(abi, ['IPPROTO_IP', 'IP_TOS', Buffer.of(3)]), '10.0.0.1'],
    ['8 bytes', controls(abi, ['IPPROTO_IP', 'IP_SENDSRCADDR', Buffer.alloc(8)]), 'EINVAL'],
    ['controllen CMSG_LEN', source('10.0.0.2'), '10.0.0.2', 20],
    ['zeros behind it', Buffer.concat([source('10.0.0.2'), Buffer.alloc(16)]), 'EINVAL'],
    ['a pointer and no length', Buffer.alloc(12), 'EINVAL', 0],
  ];
}

function openbsd(abi: Abi): Case[] {
  const source = (address: string) => controls(abi, ['IPPROTO_IP', 'IP_SENDSRCADDR', octets(address)]);
  return [
    ['IP_SENDSRCADDR', source('10.0.0.2'), '10.0.0.2'],
    ['not local', source('192.0.2.1'), 'EADDRNOTAVAIL'],
    ['a group is not refused', source('239.1.2.3'), '239.1.2.3'],
    ["nor a subnet's broadcast address", source('10.0.0.255'), '10.0.0.255'],
    ['controllen CMSG_LEN', source('10.0.0.2'), 'EINVAL', 20],
    ['another type is ignored', controls(abi, ['IPPROTO_IP', 'IP_TOS', int32(3)]), '10.0.0.1'],
    ['8 bytes are ignored', controls(abi, ['IPPROTO_IP', 'IP_SENDSRCADDR', Buffer.alloc(8)]), '10.0.0.1'],
    ['a tail', Buffer.concat([source('10.0.0.2'), Buffer.alloc(8)]), 'EINVAL'],
    ['a pointer and no length', Buffer.alloc(12), 'EINVAL', 0],
  ];
}

function netbsd(abi: Abi): Case[] {
  const source = (address: string) => controls(abi, ['IPPROTO_IP', 'IP_SENDSRCADDR', octets(address)]);
  return [
    ['IP_SENDSRCADDR', source('10.0.0.2'), '10.0.0.2'],
    ['not local', source('192.0.2.1'), 'EADDRNOTAVAIL'],
    ['a group', source('239.1.2.3'), 'EADDRNOTAVAIL'],
    ['an unknown type', controls(abi, ['IPPROTO_IP', 'IP_TOS', int32(3)]), 'ENOPROTOOPT'],
    ['8 bytes', controls(abi, ['IPPROTO_IP', 'IP_SENDSRCADDR', Buffer.alloc(8)]), 'EINVAL'],
    ['zeros behind it', Buffer.concat([source('10.0.0.2'), Buffer.alloc(16)]), 'EINVAL'],
    ['a pointer and no length', Buffer.alloc(12), 'EINVAL', 0],
  ];
}

function win32(abi: Abi): Case[] {
  const info = (fields: Record<string, string | number>) =>
    controls(abi, ['IPPROTO_IP', 'IP_PKTINFO', in_pktinfo(abi, fields)]);
  const good = info({ ipi_addr: '10.0.0.2' });
  return [
    ['ipi_addr', good, '10.0.0.2'],
    ['with the interface', info({ ipi_addr: '10.0.0.2', ipi_ifindex: 3 }), '10.0.0.2'],
    ['an interface alone', info({ ipi_ifindex: 3 }), '0.0.0.0'],
    ['not local', info({ ipi_addr: '192.0.2.1' }), 'ENETUNREACH'], // as Wine says it
    ['more than the sum of WSA_CMSG_SPACE', Buffer.concat([good, Buffer.alloc(8)]), 'EINVAL'],
    ['an unknown type', controls(abi, ['IPPROTO_IP', 'IP_TTL', int32(3)]), 'EINVAL'],
  ];
}

const tables: Record<string, (abi: Abi) => Case[]> = {
  linux,
  android: linux,
  darwin,
  freebsd,
  openbsd,
  netbsd,
  win32,
};

describe.each(models)('%s', (name) => {
  let world: World;
  let fd: number;
  beforeEach(() => {
    world = new World(name);
    fd = open(world, 'AF_INET', 4, '0.0.0.0');
  });
  const os = name.split('-')[0];
  const abi = new World(name).kernel.abi;

  test.each(tables[os](abi))('IPv4 source, %s', (...[, control, outcome, controllen]) => {
    const to = world.kernel.abi.writeName(4, '10.0.0.9', 4000);
    const result = sendRaw(world.kernel, fd, { name: to, control, ...(controllen !== undefined && { controllen }) });
    expect(result === 'ok' ? world.near.inbox[0].source : result).toBe(outcome);
  });

  test('IPv6 sources', () => {
    const fd6 = open(world, 'AF_INET6', 6, '::', 6000);
    const to = world.kernel.abi.writeName(6, '2001:db8::9', 4000);
    const errors = {
      linux: ['EINVAL', 'EINVAL', 'ENODEV'],
      android: ['EINVAL', 'EINVAL', 'ENODEV'],
      win32: ['EINVAL', 'EINVAL', 'EINVAL'],
    }[os as 'linux'] ?? ['EADDRNOTAVAIL', 'EADDRNOTAVAIL', 'ENXIO'];
    const outcomes = (
      [
        ['2001:db8::2', 0],
        ['2001:db8::2', 3],
        ['2001:db8::99', 0],
        ['fe80::2', 0],
        ['2001:db8::2', 99],
      ] as const
    ).map(([address, ifindex]) => {
      const control = controls(abi, ['IPPROTO_IPV6', 'IPV6_PKTINFO', in6_pktinfo(abi, address, ifindex)]);
      const result = sendRaw(world.kernel, fd6, { name: to, control });
      return result === 'ok' ? world.near.inbox.pop()?.source : result;
    });
    expect(outcomes).toEqual(['2001:db8::2', '2001:db8::2', ...errors]);
  });

  test('a name of another size or family', () => {
    const { kernel } = world;
    const name4 = kernel.abi.writeName(4, '10.0.0.9', 4000);
    const long = Buffer.concat([name4, Buffer.alloc(112)]);
    const bsd = ['darwin', 'freebsd', 'openbsd', 'netbsd'].includes(os);
    expect(sendRaw(kernel, fd, { name: long })).toBe(bsd ? 'EINVAL' : 'ok'); // P16
    const fd6 = open(world, 'AF_INET6', 6, '::', 6000);
    const expected = os === 'linux' || os === 'android' ? 'ok' : bsd ? 'EINVAL' : 'EFAULT'; // P15
    expect(sendRaw(kernel, fd6, { name: name4 })).toBe(expected);
  });

  test('pointers that lead nowhere', () => {
    const { kernel } = world;
    const name = kernel.abi.writeName(4, '10.0.0.9', 4000);
    expect(sendRaw(kernel, fd, { name, control: Buffer.alloc(16), controllen: 16 + 4096 })).toBe('EFAULT');
  });

  test('a connected socket and a name', () => {
    const { kernel } = world;
    const name = kernel.abi.writeName(4, '10.0.0.9', 4000);
    expect(kernel.connect(fd, name)).toBe(0);
    expect(sendRaw(kernel, fd, { name: undefined })).toBe('ok');
    expect(sendRaw(kernel, fd, { name })).toBe(os === 'linux' || os === 'android' ? 'ok' : 'EISCONN');
  });

  if (os === 'darwin') {
    test('one IP_PKTINFO un-binds a bound socket, and disconnects a connected one (P4)', () => {
      const { kernel } = world;
      const bound = open(world, 'AF_INET', 4, '10.0.0.2', 6000);
      const name = kernel.abi.writeName(4, '10.0.0.9', 4000);
      const info = in_pktinfo(abi, { ipi_spec_dst: '10.0.0.3' });
      const control = controls(abi, ['IPPROTO_IP', 'IP_PKTINFO', info]);
      expect(sendRaw(kernel, bound, { name, control })).toBe('ok');
      expect(kernel.sockets.get(bound)?.local).toBe('0.0.0.0');
      kernel.connect(bound, name);
      expect(sendRaw(kernel, bound, { name: undefined, control })).toBe('ok');
      expect(kernel.sockets.get(bound)?.peer).toBeUndefined();
    });

    test('what nearly fills SO_SNDBUF waits for ever (P34)', () => {
      const { kernel } = world;
      const name = kernel.abi.writeName(4, '10.0.0.9', 4000);
      const control = controls(abi, ['IPPROTO_IP', 'IP_PKTINFO', in_pktinfo(abi, { ipi_spec_dst: '10.0.0.3' })]);
      const outcomes = [9100, 9210, 9217].map((size) =>
        sendRaw(kernel, fd, { name, control, payload: Buffer.alloc(size) }),
      );
      expect(outcomes).toEqual(['ok', 'EAGAIN', 'EMSGSIZE']);
    });
  }

  if (os === 'freebsd') {
    test('a source on a socket bound to an address (P5)', () => {
      const { kernel } = world;
      const bound = open(world, 'AF_INET', 4, '10.0.0.2', 6000);
      const name = kernel.abi.writeName(4, '10.0.0.9', 4000);
      const control = controls(abi, ['IPPROTO_IP', 'IP_SENDSRCADDR', octets('10.0.0.2')]);
      expect(sendRaw(kernel, bound, { name, control })).toBe('EINVAL');
    });
  }

  test('more than 1024 messages are left', () => {
    const { kernel } = world;
    const name = kernel.abi.writeName(4, '10.0.0.9', 4000);
    expect(sendRaw(kernel, fd, { name, copies: 1030 })).toBe('1024');
    expect(world.near.inbox).toHaveLength(1024);
  });
});

function open(world: World, af: 'AF_INET' | 'AF_INET6', family: 4 | 6, address: string, port = PORT): number {
  const { kernel } = world;
  const fd = kernel.socket(kernel.facts.number(af));
  expect(kernel.bind(fd, kernel.abi.writeName(family, address, port))).toBe(0);
  return fd;
}

test('every model has a table', () => {
  const oses = models.map((name: ModelName) => name.split('-')[0]);
  expect(oses.filter((os) => tables[os] === undefined)).toEqual([]);
});
