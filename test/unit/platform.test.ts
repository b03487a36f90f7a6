import { CMSG_SPACE } from '../../src/datagram/control';
import { CONTROL_SPACE } from '../../src/datagram/ring';
import { hostPlatform, platformFor } from '../../src/platform';
import type { Platform } from '../../src/platform/platform';
import { missing } from '../../src/platform/settings';

const supported = {
  linux: ['arm', 'arm64', 'ia32', 'x64', 'riscv64', 'loong64', 'ppc64'],
  android: ['arm64', 'x64'],
  darwin: ['arm64', 'x64'],
  freebsd: ['ia32', 'x64', 'arm64'],
  openbsd: ['ia32', 'x64', 'arm64'],
  netbsd: ['ia32', 'x64', 'arm64', 'arm'],
  win32: ['ia32', 'x64', 'arm64'],
};
const all = Object.entries(supported).flatMap(([name, archs]) => archs.map((arch) => [name, arch] as const));

describe('platformFor', () => {
  test.each(all)('%s on %s', (name, arch) => {
    const platform = platformFor(name, arch);
    expect(platform).toMatchObject({ name, arch });
    expect(platformFor(name, arch)).toBe(platform);
  });

  test.each([
    ['sunos', 'x64', 'recvfromto does not support sunos'],
    ['aix', 'ppc64', 'recvfromto does not support aix'],
    ['', 'x64', 'recvfromto does not support '],
    ['toString', 'x64', 'recvfromto does not support toString'],
    ['linux', 's390x', 'recvfromto does not support linux on s390x'],
    ['linux', 'toString', 'recvfromto does not support linux on toString'],
    ['android', 'arm', 'recvfromto does not support android on arm'],
    ['darwin', 'ppc64', 'recvfromto does not support darwin on ppc64'],
    ['freebsd', 'riscv64', 'recvfromto does not support freebsd on riscv64'],
    ['netbsd', 'ppc', 'recvfromto does not support netbsd on ppc'],
    ['openbsd', 'constructor', 'recvfromto does not support openbsd on constructor'],
    ['win32', 'arm', 'recvfromto does not support win32 on arm'],
  ])('refuses %s on %s by name', (name, arch, message) => {
    expect(() => platformFor(name, arch)).toThrow(
      expect.objectContaining({ code: 'ERR_RECVFROMTO_UNSUPPORTED_PLATFORM', message }),
    );
  });

  test('musl on 32-bit CPUs has 64-bit time and its numbers', () => {
    const { constants, structs } = platformFor('linux', 'arm', 'musl');
    expect([constants.SO_TIMESTAMPNS, structs.timespec.size]).toEqual([64, 16]);
    const glibc = platformFor('linux', 'arm', 'glibc');
    expect([glibc.constants.SO_TIMESTAMPNS, glibc.structs.timespec.size]).toEqual([35, 8]);
    // Whichever number was asked for, both forms are understood.
    expect(glibc.arrivals.map(({ type }) => type)).toEqual(expect.arrayContaining([35, 64]));
  });
});

test('hostPlatform is this process', () => {
  expect(hostPlatform()).toBe(platformFor(process.platform, process.arch));
});

describe.each(all)('%s on %s', (name, arch) => {
  const platform = platformFor(name, arch);
  const { constants, arrivals, departures, quirks } = platform;

  test('no two arrivals claim the same message', () => {
    const keys = arrivals.map(({ level, type }) => `${level}/${type}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  // An IPv4 datagram on a dual-stack socket brings IPv4's messages where they can be asked for, and IPV6_PKTINFO too, else
  // IPv6's (P13, P14).
  test.each([
    ['udp4', 4],
    ['udp6', 6],
    ['dual', 4],
    ['dual', 6],
  ] as const)('all control messages of one %s datagram of IPv%i fit a slot', (kind, family) => {
    const { IPPROTO_IP, IPPROTO_IPV6, IPV6_PKTINFO, IP_RECVIF, IP_ORIGDSTADDR, IPV6_ORIGDSTADDR } = constants;
    const carried = Object.values(platform.carried).flatMap((asked) => (missing(asked) ? [] : [asked]));
    const asked = [platform.requests, ...carried].flatMap((requests) => requests[kind]);
    const levels = new Set(asked.map(({ level }) => level));
    const comes = ({ level, type }: { level: number; type: number }) =>
      levels.has(level) &&
      (level === IPPROTO_IP
        ? family === 4
        : level !== IPPROTO_IPV6 || family === 6 || type === IPV6_PKTINFO || !levels.has(IPPROTO_IP));
    // Of these less is read than comes.
    const whole = ({ level, type, size }: { level: number; type: number; size: number }) => {
      const { sockaddr_dl, sockaddr_in, sockaddr_in6 } = platform.structs;
      if (level === IPPROTO_IP && type === IP_RECVIF) return sockaddr_dl.size;
      if (level === IPPROTO_IP && type === IP_ORIGDSTADDR) return sockaddr_in.size;
      return level === IPPROTO_IPV6 && type === IPV6_ORIGDSTADDR ? sockaddr_in6.size : size;
    };
    if (kind === 'dual' && family === 4 && !quirks.dualStack) return; // there are none
    const sizes = arrivals.filter(comes).map(whole);
    expect(sizes.length).toBeGreaterThan(2);
    const total = sizes.reduce((sum, size) => sum + CMSG_SPACE(platform.cmsg, size), 0);
    expect(total).toBeLessThanOrEqual(CONTROL_SPACE);
  });

  test('a message that says nothing of the interface alone must not be sent without an address', () => {
    for (const departure of [departures.udp4, departures.udp6, departures.mapped]) {
      if (departure?.ifindexAlone) expect(departure.carriesIfindex).toBe(true);
    }
    expect(departures.udp6.ifindexAlone).toBe(true);
    expect(departures.udp4.ifindexAlone).toBe(name === 'linux' || name === 'android');
  });

  test('dual-stack sockets and answers to mapped peers go together', () => {
    expect(departures.mapped !== undefined).toBe(quirks.dualStack);
    expect(quirks.dualStack).toBe(name !== 'openbsd' && name !== 'netbsd');
  });

  test('quirks', () => {
    expect({ ...quirks, minSendBuffer: quirks.minSendBuffer > 65535 }).toEqual(expectedQuirks(platform));
  });

  test('outgoing TTL and TOS name their own option', () => {
    const { ttl, tos } = platform;
    if (ttl.udp4) expect(ttl.udp4).toMatchObject({ level: constants.IPPROTO_IP, type: constants.IP_TTL });
    if (tos.udp4) expect(tos.udp4).toMatchObject({ level: constants.IPPROTO_IP, type: constants.IP_TOS });
    if (ttl.udp6) expect(ttl.udp6).toMatchObject({ level: constants.IPPROTO_IPV6, type: constants.IPV6_HOPLIMIT });
    if (tos.udp6) expect(tos.udp6).toMatchObject({ level: constants.IPPROTO_IPV6, type: constants.IPV6_TCLASS });
    const kinds = [ttl.udp4, ttl.udp6, tos.udp4, tos.udp6].map((one) => one?.size ?? 0);
    const expected: Record<string, number[]> = {
      linux: [4, 4, 4, 4],
      android: [4, 4, 4, 4],
      darwin: [0, 4, 4, 4],
      freebsd: [0, 4, 1, 4],
      openbsd: [0, 4, 0, 4],
      netbsd: [0, 4, 0, 4],
      win32: [0, 0, 0, 0],
    };
    expect(kinds).toEqual(expected[name]);
  });
});

function expectedQuirks({ name, constants }: Platform) {
  const bsd = {
    sourceOnlyFromWildcard: name !== 'openbsd' && name !== 'netbsd',
    dualStack: name !== 'openbsd' && name !== 'netbsd',
    sourceGone: ['EADDRNOTAVAIL'],
    backOff: ['ENOBUFS'],
    minSendBuffer: name !== 'linux' && name !== 'android' && name !== 'win32',
    zoneIsIndex: name === 'win32',
    reuseAddr: constants.SO_REUSEPORT,
    ...(name === 'freebsd' && {
      reusePort: constants.SO_REUSEPORT_LB,
      interfaceTakesRoom: true,
    }),
    ipMulticastOptionSize: name === 'openbsd' ? 1 : 4,
    ...(name === 'freebsd' && { sendsFromGroup: true }),
    ...(name === 'darwin' && { sourceUnroutable: ['EHOSTUNREACH'] }),
    ...((name === 'freebsd' || name === 'darwin') && { connectNarrows: true, mappedTellsNothing: true }),
    hearsGroupsOfOthers: [6],
  };
  if (name === 'linux' || name === 'android') {
    return {
      ...bsd,
      sourceOnlyFromWildcard: false,
      sourceGone: ['ENETUNREACH', 'EINVAL', 'EADDRNOTAVAIL'],
      backOff: ['ENOBUFS'],
      truncTellsLength: true,
      bindsAsAsked: true,
      connectNarrows: true,
      hearsGroupsOfOthers: [4, 6],
      reuseAddr: constants.SO_REUSEADDR,
      reusePort: constants.SO_REUSEPORT,
    };
  }
  if (name === 'win32') {
    const sourceGone = ['EADDRNOTAVAIL', 'EINVAL', 'ENETUNREACH'];
    return { ...bsd, sourceGone, hearsGroupsOfOthers: [], reuseAddr: constants.SO_REUSEADDR };
  }
  return bsd;
}
