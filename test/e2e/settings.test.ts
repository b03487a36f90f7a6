/**
 * What Platform.settings and .carried ask for, on the kernel of this machine (Linux, Android): it takes each request, and
 * gives back what was set. The models say the same of the other systems (test/models/settings.test.ts).
 */
import { openHost } from '../../src/ffi/index';
import type { Request, SocketKind } from '../../src/platform/platform';
import { missing } from '../../src/platform/settings';

const { platform, syscalls } = openHost();
const { constants, errno, settings, carried, structs } = platform;
/** A machine without IPv6 has the first alone. */
const ipv6 = syscalls.socket(constants.AF_INET6);
if (ipv6 >= 0) syscalls.close(ipv6);
const KINDS: readonly SocketKind[] = ipv6 < 0 ? ['udp4'] : ['udp4', 'udp6', 'dual'];

const opened: number[] = [];
afterEach(() => {
  for (const fd of opened.splice(0)) syscalls.close(fd);
});

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function open(kind: SocketKind): number {
  const fd = syscalls.socket(kind === 'udp4' ? constants.AF_INET : constants.AF_INET6);
  if (kind !== 'udp4') {
    const only = int(kind === 'udp6' ? 1 : 0);
    expect(syscalls.setsockopt(fd, constants.IPPROTO_IPV6, constants.IPV6_V6ONLY, only)).toBe(0);
  }
  opened.push(fd);
  return fd;
}

/** What was set, or EPERM where the process has not the privilege. A kernel before 5.19 has no SO_RCVMARK. */
function set(fd: number, { level, name, value = 1 }: Request): number | 'EPERM' {
  const result = syscalls.setsockopt(fd, level, name, int(value));
  if (result === -errno.ENOPROTOOPT && name === constants.SO_RCVMARK) return value;
  if (result === -errno.EPERM) return 'EPERM';
  expect(result).toBe(0);
  const got = Buffer.alloc(4);
  expect(syscalls.getsockopt(fd, level, name, got)).toBe(4);
  return got.readInt32LE();
}

const linux = constants.SO_RXQ_OVFL !== undefined;
const on = linux ? describe : describe.skip;

on('the kernel of this machine', () => {
  test.each(KINDS)('takes what is carried, on %s sockets', (kind) => {
    for (const [option, asked] of Object.entries(carried)) {
      if (missing(asked)) throw new Error(`${option}: ${asked.because}`);
      const fd = open(kind);
      const results = asked[kind].map((request) => set(fd, request));
      expect([option, results]).toEqual([option, asked[kind].map(() => 1)]);
    }
  });

  test.each(KINDS)('takes freebind, onlyOwnGroups and each mtuDiscover, on %s sockets', (kind) => {
    const { freebind, onlyOwnGroups, mtuDiscover } = settings;
    for (const setting of [freebind, onlyOwnGroups, ...Object.values(mtuDiscover)]) {
      if (missing(setting)) throw new Error(setting.because);
      const fd = open(kind);
      const results = setting.ask[kind].map((request) => set(fd, request));
      expect(results).toEqual(setting.ask[kind].map(({ value = 1 }) => value));
    }
  });

  test.each(KINDS)('takes transparent and a mark, or says EPERM, on %s sockets', (kind) => {
    const { transparent, mark } = settings;
    if (missing(transparent) || missing(mark)) throw new Error('Linux has them');
    const fd = open(kind);
    for (const request of transparent.ask[kind]) expect(['EPERM', 1]).toContain(set(fd, request));
    expect(['EPERM', 7]).toContain(set(fd, { ...mark.option, value: 7 }));
  });

  test.each(KINDS)('binds %s sockets to a device by its name', (kind) => {
    const { bindToDevice } = settings;
    if (missing(bindToDevice)) throw new Error(bindToDevice.because);
    const fd = open(kind);
    for (const { level, name, takes } of bindToDevice.ask[kind]) {
      expect(takes).toBe('name');
      expect(syscalls.setsockopt(fd, level, name, Buffer.from('lo\0'))).toBe(0);
      const got = Buffer.alloc(16);
      expect(got.toString('latin1', 0, syscalls.getsockopt(fd, level, name, got))).toBe('lo\0');
      expect(syscalls.setsockopt(open(kind), level, name, Buffer.from('no such device\0'))).toBe(-errno.ENODEV);
    }
  });

  test('takes a clock to send by', () => {
    const { txTime } = settings;
    if (missing(txTime)) throw new Error(txTime.because);
    const { clocks, flags, option } = txTime;
    const { sock_txtime } = structs;
    const value = new sock_txtime({ clockid: clocks.monotonic, flags: flags.reportErrors }).ref();
    expect(value.length).toBe(8);
    expect(syscalls.setsockopt(open('udp4'), option.level, option.name, value)).toBe(0);
    const bad = new sock_txtime({ clockid: clocks.monotonic, flags: 0xff }).ref();
    expect(syscalls.setsockopt(open('udp4'), option.level, option.name, bad)).toBe(-errno.EINVAL);
  });

  test('takes a filter, and lets it go', () => {
    const { filter } = settings;
    if (missing(filter)) throw new Error(filter.because);
    const { sock_filter, sock_fprog } = structs;
    // BPF_RET | BPF_K: nothing of it is heard
    const program = new sock_filter({ code: 0x06, jt: 0, jf: 0, k: 0 }).ref();
    const value = new sock_fprog({ len: 1, filter: syscalls.addressOf(program) }).ref();
    const fd = open('udp4');
    expect(syscalls.setsockopt(fd, filter.attach.level, filter.attach.name, value)).toBe(0);
    expect(syscalls.setsockopt(fd, filter.detach.level, filter.detach.name, int(0))).toBe(0);
    expect(syscalls.setsockopt(fd, filter.detach.level, filter.detach.name, int(0))).toBe(-errno.ENOENT);
  });

  test.each(
    (
      [
        ['udp4', 4, constants.AF_INET],
        ['udp6', 6, constants.AF_INET6],
      ] as const
    ).filter(([kind]) => KINDS.includes(kind)),
  )('tells the path MTU of a connected %s socket', (kind, family, af) => {
    const { pathMtu } = settings;
    const option = missing(pathMtu) ? undefined : pathMtu[family];
    if (option === undefined) throw new Error('Linux has it');
    const fd = open(kind);
    const { sockaddr_in, sockaddr_in6 } = structs;
    const loopback = Buffer.alloc(16);
    loopback[15] = 1;
    const name =
      family === 4
        ? new sockaddr_in({ sin_family: af, sin_port: 9, sin_addr: Buffer.of(127, 0, 0, 1) }).ref()
        : new sockaddr_in6({ sin6_family: af, sin6_port: 9, sin6_addr: loopback }).ref();
    expect(syscalls.connect(fd, name)).toBe(0);
    const value = Buffer.alloc(option.size);
    expect(syscalls.getsockopt(fd, option.level, option.name, value)).toBe(4);
    expect(value.readInt32LE(option.at)).toBeGreaterThan(1279);
  });
});
