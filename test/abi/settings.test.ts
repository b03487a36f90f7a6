/** What each system lets a socket be: options by C name and value out of the fixtures, or a reason. */
import { platformFor } from '../../src/platform';
import type { Asked, Option, Platform, Setting } from '../../src/platform/platform';
import { missing } from '../../src/platform/settings';
import { type Facts, targets } from './facts';

type Row = string | undefined;

/** `LEVEL NAME=value` of each kind of socket, joined; undefined: a reason stands there. */
interface Expected {
  readonly device: Row;
  readonly freebind: Row;
  readonly transparent: Row;
  readonly onlyOwnGroups: Row;
  readonly do: Row;
  readonly dont: Row;
  readonly want: Row;
  readonly probe: Row;
  readonly pathMtu: Row;
  readonly blockSource: boolean;
  readonly overflow: Row;
}

const both = (ip: string, ipv6: string) => `${ip} | ${ipv6} | ${ipv6} ${ip}`;
const split = (ip: string, ipv6: string) => `${ip} | ${ipv6} | ${ipv6}`;
const all = (name: string) => `${name} | ${name} | ${name}`;
const dontFrag = (value: 0 | 1) => split(`IP_DONTFRAG=${value}`, `IPV6_DONTFRAG=${value}`);

const linux: Expected = {
  device: all('SO_BINDTODEVICE:name'),
  freebind: both('IP_FREEBIND', 'IPV6_FREEBIND'),
  transparent: both('IP_TRANSPARENT', 'IPV6_TRANSPARENT'),
  onlyOwnGroups: both('IP_MULTICAST_ALL=0', 'IPV6_MULTICAST_ALL=0'),
  do: both('IP_MTU_DISCOVER=2', 'IPV6_MTU_DISCOVER=2'),
  dont: both('IP_MTU_DISCOVER=0', 'IPV6_MTU_DISCOVER=0'),
  want: both('IP_MTU_DISCOVER=1', 'IPV6_MTU_DISCOVER=1'),
  probe: both('IP_MTU_DISCOVER=3', 'IPV6_MTU_DISCOVER=3'),
  pathMtu: 'IP_MTU 4@0 | IPV6_MTU 4@0',
  blockSource: true,
  overflow: undefined,
};
const bsd = {
  device: undefined,
  onlyOwnGroups: undefined,
  do: split('', 'IPV6_DONTFRAG=1'),
  dont: split('', 'IPV6_DONTFRAG=0'),
  want: undefined,
  probe: undefined,
  pathMtu: ' | IPV6_PATHMTU 32@28',
} as const;
const expected: Readonly<Record<string, Expected>> = {
  linux,
  android: linux,
  darwin: {
    ...bsd,
    device: split('IP_BOUND_IF:index', 'IPV6_BOUND_IF:index'),
    freebind: undefined,
    transparent: undefined,
    do: dontFrag(1),
    dont: dontFrag(0),
    blockSource: true,
    overflow: undefined,
  },
  freebsd: {
    ...bsd,
    freebind: split('IP_BINDANY', 'IPV6_BINDANY'),
    transparent: split('IP_BINDANY', 'IPV6_BINDANY'),
    do: dontFrag(1),
    dont: dontFrag(0),
    blockSource: true,
    overflow: all('SO_RERROR?'),
  },
  openbsd: {
    ...bsd,
    freebind: all('SO_BINDANY'),
    transparent: all('SO_BINDANY'),
    blockSource: false,
    overflow: undefined,
  },
  netbsd: {
    ...bsd,
    freebind: split('IP_BINDANY', 'IPV6_BINDANY'),
    transparent: undefined,
    blockSource: false,
    overflow: all('SO_RERROR?'),
  },
  win32: {
    device: both('IP_UNICAST_IF:networkIndex', 'IPV6_UNICAST_IF:index'),
    freebind: undefined,
    transparent: undefined,
    onlyOwnGroups: undefined,
    do: both('IP_MTU_DISCOVER=1', 'IPV6_MTU_DISCOVER=1'),
    dont: both('IP_MTU_DISCOVER=2', 'IPV6_MTU_DISCOVER=2'),
    want: undefined,
    probe: both('IP_MTU_DISCOVER=3', 'IPV6_MTU_DISCOVER=3'),
    pathMtu: 'IP_MTU 4@0 | IPV6_MTU 4@0',
    blockSource: true,
    overflow: undefined,
  },
};

/** The option's name in the fixture: of its level, and its number. */
function nameOf(facts: Facts, { level, name }: Option): string {
  const prefix = { [facts.number('IPPROTO_IP')]: 'IP_', [facts.number('IPPROTO_IPV6')]: 'IPV6_' }[level] ?? 'SO_';
  const known = [...candidates].filter((each) => each.startsWith(prefix) && facts.constant(each) === name);
  return known[0] ?? `${level}/${name}`;
}

const candidates = new Set(
  Object.values(expected)
    .flatMap((rows) => Object.values(rows))
    .flatMap((row) => (typeof row === 'string' ? row.match(/[A-Z0-9_]{5,}/g) : null) ?? []),
);

function asked(facts: Facts, kinds: Asked): string {
  const one = (requests: Asked['udp4']) =>
    requests
      .map((request) => {
        const value = request.value === undefined ? '' : `=${request.value}`;
        return `${nameOf(facts, request)}${value}${request.optional ? '?' : ''}`;
      })
      .join(' ');
  return [kinds.udp4, kinds.udp6, kinds.dual].map(one).join(' | ');
}

function found(facts: Facts, { settings }: Platform): Expected {
  const setting = (one: Setting | { because: string }): Row => (missing(one) ? undefined : asked(facts, one.ask));
  const { bindToDevice: device, pathMtu, mtuDiscover } = settings;
  const mtu = (family: 4 | 6) => {
    const option = missing(pathMtu) ? undefined : pathMtu[family];
    return option === undefined ? '' : `${nameOf(facts, option)} ${option.size}@${option.at}`;
  };
  return {
    device: missing(device)
      ? undefined
      : [device.ask.udp4, device.ask.udp6, device.ask.dual]
          .map((options) => options.map((option) => `${nameOf(facts, option)}:${option.takes}`).join(' '))
          .join(' | '),
    freebind: setting(settings.freebind),
    transparent: setting(settings.transparent),
    onlyOwnGroups: setting(settings.onlyOwnGroups),
    do: setting(mtuDiscover.do),
    dont: setting(mtuDiscover.dont),
    want: setting(mtuDiscover.want),
    probe: setting(mtuDiscover.probe),
    pathMtu: missing(pathMtu) ? undefined : `${mtu(4)} | ${mtu(6)}`,
    blockSource: !missing(settings.blockSource),
    overflow: setting(settings.overflow),
  };
}

describe.each(targets.map((facts) => [facts.name, facts] as const))('%s', (_, facts) => {
  const platform = platformFor(facts.os, facts.arch, facts.libc);
  const { settings } = platform;
  const own = facts.os === 'linux' || facts.os === 'android';

  test('sets what it has, by name and value', () => {
    expect(found(facts, platform)).toEqual(expected[facts.os]);
  });

  test('names the system in each reason', () => {
    const reasons = [...Object.values(settings), ...Object.values(settings.mtuDiscover)].filter(missing);
    expect(reasons.length > 0).toBe(true);
    const system = { darwin: 'macOS', win32: 'Windows', freebsd: 'FreeBSD', openbsd: 'OpenBSD', netbsd: 'NetBSD' }[
      facts.os
    ];
    for (const { because } of reasons) expect(because).toMatch(new RegExp(`^${system ?? 'Linux'} .+[^.]$`));
  });

  test('blocks sources by its own numbers', () => {
    const { blockSource } = settings;
    if (missing(blockSource)) {
      expect(facts.constant('IP_BLOCK_SOURCE')).toBeUndefined();
    } else {
      expect(blockSource).toEqual({
        ip: facts.number('IP_BLOCK_SOURCE'),
        ipUndo: facts.number('IP_UNBLOCK_SOURCE'),
        any: facts.number('MCAST_BLOCK_SOURCE'),
        anyUndo: facts.number('MCAST_UNBLOCK_SOURCE'),
      });
    }
  });

  test('what only Linux has: times, marks, filters, steering, an error queue', () => {
    const { txTime, mark, filter, steer, errorQueue } = settings;
    expect(missing(errorQueue)).toBe(!own);
    expect([txTime, mark, filter, steer].map(missing)).toEqual(
      own ? [false, false, false, false] : [true, true, true, true],
    );
    if (!own) return;
    const SOL_SOCKET = facts.number('SOL_SOCKET');
    const option = (name: string) => ({ level: SOL_SOCKET, name: facts.number(name) });
    expect({ txTime, mark, filter, steer }).toMatchObject({
      txTime: {
        option: option('SO_TXTIME'),
        clocks: {
          monotonic: facts.number('CLOCK_MONOTONIC'),
          realtime: facts.number('CLOCK_REALTIME'),
          tai: facts.number('CLOCK_TAI'),
        },
        flags: {
          deadline: facts.number('SOF_TXTIME_DEADLINE_MODE'),
          reportErrors: facts.number('SOF_TXTIME_REPORT_ERRORS'),
        },
        departure: { level: SOL_SOCKET, type: facts.number('SCM_TXTIME'), size: 8 },
      },
      mark: { option: option('SO_MARK'), departure: { level: SOL_SOCKET, type: facts.number('SO_MARK'), size: 4 } },
      filter: { attach: option('SO_ATTACH_FILTER'), detach: option('SO_DETACH_FILTER') },
      steer: option('SO_ATTACH_REUSEPORT_CBPF'),
    });
  });

  test('what is tried before it is relied on: Windows alone', () => {
    if (facts.os !== 'win32') {
      expect(platform.tried).toBeUndefined();
      return;
    }
    // Nothing of it is there before it has been tried.
    expect([platform.ttl, platform.tos, platform.segment]).toEqual([{}, {}, undefined]);
    const int = (level: string, type: string) => ({ level: facts.number(level), type: facts.number(type), size: 4 });
    const option = (level: string, name: string) => ({ level: facts.number(level), name: facts.number(name) });
    const ecn4 = option('IPPROTO_IP', 'IP_RECVECN');
    const ecn6 = option('IPPROTO_IPV6', 'IPV6_RECVECN');
    expect(platform.tried).toEqual({
      segment: int('IPPROTO_UDP', 'UDP_SEND_MSG_SIZE'),
      ttl: { udp4: int('IPPROTO_IP', 'IP_HOPLIMIT'), udp6: int('IPPROTO_IPV6', 'IPV6_HOPLIMIT') },
      tos: { udp4: int('IPPROTO_IP', 'IP_TOS'), udp6: int('IPPROTO_IPV6', 'IPV6_TCLASS') },
      ecn: { udp4: int('IPPROTO_IP', 'IP_ECN'), udp6: int('IPPROTO_IPV6', 'IPV6_ECN') },
      recvECN: { udp4: [ecn4], udp6: [ecn6], dual: [ecn6, ecn4] },
    });
  });

  test('a private batch call: macOS alone', () => {
    if (facts.os !== 'darwin') {
      expect(platform.privateBatch).toBeUndefined();
      return;
    }
    const at = (field: string) => facts.field('msghdr_x', field).offset;
    expect(platform.privateBatch).toEqual({
      symbol: 'recvmsg_x',
      flags: facts.number('MSG_DONTWAIT'),
      message: { ...platform.message, size: facts.struct('msghdr_x')!.size, len: at('msg_datalen') },
    });
    expect(facts.struct('msghdr_x')!.size).toBe(56);
    for (const field of ['msg_name', 'msg_iov', 'msg_control', 'msg_controllen', 'msg_flags']) {
      expect(at(field)).toBe(facts.field('msghdr', field).offset);
    }
  });
});
