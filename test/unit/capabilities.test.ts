/** What every OS is said to give, from its data and from kernels that refuse this or that. */
import { Engine } from '../../src/datagram/engine';
import type { Host } from '../../src/ffi/index';
import type { Syscalls } from '../../src/ffi/syscalls';
import { platformFor } from '../../src/platform/index';
import type { Platform } from '../../src/platform/platform';
import { capabilities, type Features, findings } from '../../src/socket/capabilities';

interface Kernel {
  /** → descriptor or -errno */
  socket?(family: number, platform: Platform): number;
  /** → 0 or -errno */
  setsockopt?(level: number, name: number, platform: Platform): number;
  watch?(): never;
  readonly refused?: ReadonlySet<'recvmmsg' | 'sendmmsg'>;
  readonly unproved?: string;
}

/** A host that accepts everything but what `kernel` refuses; `open` counts descriptors that were not closed. */
function hostOf(platform: Platform, kernel: Kernel) {
  const open = { descriptors: 0, watchers: 0 };
  const syscalls: Partial<Syscalls> = {
    socket(family) {
      const fd = kernel.socket?.(family, platform) ?? 7;
      if (fd >= 0) open.descriptors++;
      return fd;
    },
    setsockopt: (_fd, level, name) => kernel.setsockopt?.(level, name, platform) ?? 0,
    getsockopt: (_fd, _level, _name, value) => value.length,
    connect: () => 0,
    addressOf: () => 0n,
    refused: kernel.refused,
    unproved: kernel.unproved,
    close() {
      open.descriptors--;
      return 0;
    },
  };
  const watch = () => {
    kernel.watch?.();
    open.watchers++;
    return { close: () => void open.watchers-- };
  };
  return { host: { platform, syscalls, readiness: { watch } } as unknown as Host, open };
}

function found(platform: Platform, kernel: Kernel = {}) {
  const { host, open } = hostOf(platform, kernel);
  const all = findings(new Engine(host));
  expect(open).toEqual({ descriptors: 0, watchers: 0 });
  const missing = Object.entries(all).filter(([, { given }]) => !given);
  const limited = Object.entries(all).filter(([, { given, note }]) => given && note !== undefined);
  return {
    names: Object.keys(all),
    missing: missing.map(([name]) => name),
    limited: limited.map(([name, { note }]) => `${name}: ${note}`),
    notes: Object.fromEntries(Object.entries(all).map(([name, { note }]) => [name, note])),
  };
}

const LINUX = platformFor('linux', 'x64');

/** Of Linux alone. */
const LINUX_ONLY = [
  ...['gro', 'drops', 'errors', 'recvMark', 'fullSize', 'gso'],
  ...['steer', 'txTime', 'mark', 'filter'],
];
const NO_FOREIGN = ['freebind', 'transparent'];

describe.each<[os: string, arch: string, missing: string[], limited: (string | RegExp)[]]>([
  ['linux', 'x64', [], []],
  ['android', 'arm64', [], []],
  [
    ...(['darwin', 'arm64'] as const),
    [...LINUX_ONLY, ...NO_FOREIGN, 'originalDestination', 'batchSend', 'reusePort'],
    [/^multicastAll: .*leaves out/, /^mtuDiscover: .*not 'want' and 'probe'/, 'pathMtu: IPv6 only'],
  ],
  [
    ...(['freebsd', 'x64'] as const),
    [...LINUX_ONLY.filter((name) => name !== 'drops'), 'bindToDevice'],
    [
      /^drops: .*how often the queue was full/,
      /^multicastAll: .*leaves out/,
      /^mtuDiscover: not 'want' and 'probe'/,
      'pathMtu: IPv6 only',
    ],
  ],
  [
    ...(['openbsd', 'x64'] as const),
    [...LINUX_ONLY, 'bindToDevice', 'dualStack', 'reusePort', 'blockSource'],
    [
      'tos: IPv6 only',
      /^multicastAll: .*leaves out/,
      /^mtuDiscover: IPv6 only; not 'want' and 'probe'/,
      'pathMtu: IPv6 only',
    ],
  ],
  [
    ...(['win32', 'x64'] as const),
    [...LINUX_ONLY, ...NO_FOREIGN, 'originalDestination', 'batchReceive', 'batchSend', 'timestamp', 'reusePort'],
    [/^bindToDevice: .*leaves out/, /^multicastAll: .*leaves out/, /^mtuDiscover: not 'want': /],
  ],
])('%s', (name, arch, missing, limited) => {
  const platform = platformFor(name, arch);

  test('gives what its data says', () => {
    const all = found(platform);
    expect(all.missing.sort()).toEqual([...missing].sort());
    expect(all.limited).toHaveLength(limited.length);
    for (const one of limited) {
      expect(all.limited.filter((text) => (one instanceof RegExp ? one.test(text) : one === text))).toHaveLength(1);
    }
    for (const one of all.missing) expect(all.notes[one]).toMatch(/./);
  });

  test('without IPv6 gives IPv4 alone', () => {
    const socket = (family: number) => (family === platform.constants.AF_INET6 ? -platform.errno.EAFNOSUPPORT : 7);
    const { missing: now, notes } = found(platform, { socket });
    expect(now).toEqual(expect.arrayContaining(['ipv6', 'dualStack']));
    expect(now).not.toContain('destination');
    expect(notes.ipv6).toBe('this host gives no IPv6 socket (EAFNOSUPPORT)');
  });

  test('refuses by name what its kernel refuses', () => {
    const destination = platform.requests.udp4[0];
    const refuse = ({ level, name: option }: { level: number; name: number }) => ({
      setsockopt: (atLevel: number, at: number) =>
        atLevel === level && at === option ? -(platform.errno.ENOPROTOOPT as number) : 0,
    });
    expect(found(platform, refuse(destination as never)).missing).toContain('ipv4');
    const ttl = platform.optionRequests.recvTTL?.udp4[0];
    if (ttl !== undefined) expect(found(platform, refuse(ttl)).limited).toContain('ttl: IPv6 only');
  });
});

test('what needs a privilege names it, and what an old kernel lacks says so', () => {
  const setsockopt = (level: number, name: number, { constants: c, errno }: Platform) => {
    if (level === c.SOL_SOCKET && name === c.SO_MARK) return -errno.EPERM;
    if (level === c.IPPROTO_IP && name === c.IP_TRANSPARENT) return -errno.EPERM;
    if (level === c.IPPROTO_IPV6 && name === c.IPV6_TRANSPARENT) return -errno.EPERM;
    return level === c.SOL_SOCKET && name === c.SO_RCVMARK ? -errno.ENOPROTOOPT : 0;
  };
  const { missing, notes } = found(LINUX, { setsockopt });
  expect(missing.sort()).toEqual(['mark', 'recvMark', 'transparent']);
  expect(notes).toMatchObject({
    mark: 'needs CAP_NET_ADMIN',
    transparent: 'needs CAP_NET_ADMIN or CAP_NET_RAW',
    recvMark: 'this kernel refuses it (ENOPROTOOPT)',
  });
});

test('a sandbox that refuses the batch calls is no batch', () => {
  const { missing, notes } = found(LINUX, { refused: new Set(['sendmmsg'] as const) });
  expect(missing).toEqual(['batchSend']);
  expect(notes.batchSend).toMatch(/sendmmsg is refused/);
});

test('a private call that has not been proved gives no batches, and says why', () => {
  const { missing, notes } = found(platformFor('darwin', 'arm64'), { unproved: 'this libc has no recvmsg_x' });
  expect(missing).toContain('batchReceive');
  expect(notes.batchReceive).toBe('this libc has no recvmsg_x');
});

test('a host without any sockets gives nothing', () => {
  const { missing, notes } = found(LINUX, { socket: () => -LINUX.errno.EPERM });
  expect(missing).toEqual(expect.arrayContaining(['ipv4', 'ipv6', 'destination', 'localAddress', 'interface', 'ttl']));
  expect(notes.destination).toBe('this host gives no IPv4 socket (EPERM)');
});

test('a runtime that cannot wait gives nothing, for one reason', () => {
  const watch = () => {
    throw new Error('recvfromto cannot wait for datagrams in Abacus 1.0 yet');
  };
  const { names, missing, notes } = found(LINUX, { watch });
  expect(missing).toEqual(names);
  expect(new Set(Object.values(notes))).toEqual(new Set(['recvfromto cannot wait for datagrams in Abacus 1.0 yet']));
  // the list of what there could be has all of it
  expect([...names].sort()).toEqual(found(LINUX).names.sort());
});

test('capabilities() is this host, once', () => {
  const all = capabilities();
  expect(capabilities()).toBe(all);
  expect(Object.isFrozen(all)).toBe(true);
  expect(all).toMatchObject({ platform: process.platform, arch: process.arch, runtime: 'node', ipv4: true });
  const { platform: _, arch: __, runtime: ___, notes, ...features } = all;
  expect(Object.values(features).every((value) => typeof value === 'boolean')).toBe(true);
  for (const [name, given] of Object.entries(features)) {
    if (!given) expect(notes[name as keyof Features]).toMatch(/./);
  }
});
