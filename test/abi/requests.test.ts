/** What each system is asked for, option by option, by C name: which sockets take which setsockopt calls. */
import { platformFor } from '../../src/platform';
import type { OptionName, Request, SocketKind } from '../../src/platform/platform';
import { missing } from '../../src/platform/settings';
import { type Facts, targets } from './facts';

describe.each(targets.map((facts) => [facts.name, facts] as const))('%s', (_, facts) => {
  const platform = platformFor(facts.os, facts.arch, facts.libc);

  test('asks for what it can read', () => {
    const { requests, carried } = expectedRequests(facts);
    expect(named(facts, platform.requests)).toEqual(requests);
    const options = Object.entries(platform.carried).flatMap(([option, kinds]) =>
      missing(kinds) ? [] : [[option, named(facts, kinds)]],
    );
    expect(Object.fromEntries(options)).toEqual(carried);
  });

  test('says of each option why it is missing', () => {
    const reasons = Object.values(platform.carried).filter(missing);
    expect(Object.keys(platform.carried).sort()).toEqual([...options].sort());
    for (const { because } of reasons) expect(because).toMatch(sentence);
  });

  test('optionRequests are those of them that want 1', () => {
    for (const option of options) {
      const asked = platform.carried[option];
      const plain = (requests: readonly Request[]) => requests.filter(({ value }) => value === undefined);
      expect(platform.optionRequests[option]).toEqual(
        missing(asked) ? undefined : { udp4: plain(asked.udp4), udp6: plain(asked.udp6), dual: plain(asked.dual) },
      );
    }
  });
});

const options = [
  ...['recvTTL', 'recvTOS', 'recvTimestamp', 'recvDrops', 'recvErrors', 'gro', 'originalDestination', 'recvMark'],
] as OptionName[];
/** Begins with the system, ends without a full stop. */
const sentence = /^(macOS|FreeBSD|OpenBSD|NetBSD|Linux|Windows) .+[^.]$/;

/**
 * Requests by C name, '?' behind optional ones, '!' behind those that tell the interface alone. Names come from the
 * fixture: the option of that level and number.
 */
function named(facts: Facts, kinds: Readonly<Record<SocketKind, readonly Request[]>>): Record<SocketKind, string> {
  const names = [
    'IP_PKTINFO',
    'IP_RECVDSTADDR',
    'IP_RECVIF',
    'IP_RECVPKTINFO',
    'IP_RECVTTL',
    'IP_RECVTOS',
    'IP_RECVERR',
  ];
  names.push('IP_RECVORIGDSTADDR', 'IP_RECVDSTPORT', 'IP_FREEBIND', 'IP_BINDANY', 'IP_TRANSPARENT', 'IP_MULTICAST_ALL');
  names.push('IP_MTU_DISCOVER', 'IP_DONTFRAG', 'IP_RECVECN');
  const names6 = ['IPV6_RECVPKTINFO', 'IPV6_RECVHOPLIMIT', 'IPV6_RECVTCLASS', 'IPV6_RECVERR', 'IPV6_RECVORIGDSTADDR'];
  names6.push('IPV6_FREEBIND', 'IPV6_BINDANY', 'IPV6_TRANSPARENT', 'IPV6_MULTICAST_ALL', 'IPV6_MTU_DISCOVER');
  names6.push('IPV6_DONTFRAG', 'IPV6_RECVECN');
  // OpenBSD's number is that of others' IPV6_BINDANY, Windows' names are shared.
  if (facts.os === 'openbsd') names6.push('IPV6_RECVDSTPORT');
  if (facts.os === 'win32') names6.push('IPV6_PKTINFO', 'IPV6_HOPLIMIT');
  const table: Record<number, string[]> = {
    [facts.number('IPPROTO_IP')]: names,
    [facts.number('IPPROTO_IPV6')]: names6,
    [facts.number('SOL_SOCKET')]: [
      ...['SO_TIMESTAMPNS', 'SO_TIMESTAMP', 'SO_RXQ_OVFL', 'SO_RCVMARK', 'SO_TS_CLOCK', 'SO_BINDANY', 'SO_RERROR'],
    ],
    [facts.number('IPPROTO_UDP')]: ['UDP_GRO'],
  };
  const one = ({ level, name, value, optional, interface: alone }: Request) =>
    [
      table[level]?.find((known) => facts.constant(known) === name),
      value === undefined ? '' : `=${value}`,
      optional ? '?' : '',
      alone ? '!' : '',
    ].join('');
  const { udp4, udp6, dual } = kinds;
  return { udp4: udp4.map(one).join(' '), udp6: udp6.map(one).join(' '), dual: dual.map(one).join(' ') };
}

type Expected = Record<SocketKind, string>;

function expectedRequests(facts: Facts): { requests: Expected; carried: Partial<Record<OptionName, Expected>> } {
  const kinds = (udp4: string, udp6: string, dual: string): Expected => ({ udp4, udp6, dual });
  const all = (name: string) => kinds(name, name, name);
  const split = (udp4: string, udp6: string) => kinds(udp4, udp6, udp6);
  const both = (udp4: string, udp6: string) => kinds(udp4, udp6, `${udp6} ${udp4}`);
  switch (facts.os) {
    case 'linux':
    case 'android':
      return {
        requests: kinds('IP_PKTINFO', 'IPV6_RECVPKTINFO', 'IPV6_RECVPKTINFO IP_PKTINFO?'),
        carried: {
          recvTTL: both('IP_RECVTTL', 'IPV6_RECVHOPLIMIT'),
          recvTOS: both('IP_RECVTOS', 'IPV6_RECVTCLASS'),
          recvErrors: both('IP_RECVERR', 'IPV6_RECVERR'),
          recvTimestamp: all('SO_TIMESTAMPNS'),
          recvDrops: all('SO_RXQ_OVFL'),
          gro: all('UDP_GRO'),
          originalDestination: both('IP_RECVORIGDSTADDR', 'IPV6_RECVORIGDSTADDR'),
          recvMark: all('SO_RCVMARK'),
        },
      };
    case 'win32':
      return {
        requests: kinds('IP_PKTINFO', 'IPV6_PKTINFO', 'IPV6_PKTINFO IP_PKTINFO?'),
        carried: {
          recvTTL: both('IP_RECVTTL', 'IPV6_HOPLIMIT'),
          recvTOS: both('IP_RECVTOS', 'IPV6_RECVTCLASS'),
        },
      };
    case 'darwin':
      return {
        requests: split('IP_PKTINFO', 'IPV6_RECVPKTINFO'),
        carried: {
          recvTTL: split('IP_RECVTTL', 'IPV6_RECVHOPLIMIT'),
          recvTOS: split('IP_RECVTOS', 'IPV6_RECVTCLASS'),
          recvTimestamp: all('SO_TIMESTAMP'),
        },
      };
    case 'freebsd':
      return {
        requests: split('IP_RECVDSTADDR IP_RECVIF?!', 'IPV6_RECVPKTINFO'),
        carried: {
          recvTTL: split('IP_RECVTTL', 'IPV6_RECVHOPLIMIT'),
          recvTOS: split('IP_RECVTOS', 'IPV6_RECVTCLASS'),
          recvTimestamp: all('SO_TIMESTAMP SO_TS_CLOCK=2?'),
          originalDestination: split('IP_RECVORIGDSTADDR', 'IPV6_RECVORIGDSTADDR'),
        },
      };
    default:
      return {
        requests: split(
          `IP_RECVDSTADDR ${facts.os === 'netbsd' ? 'IP_RECVPKTINFO' : 'IP_RECVIF'}?!`,
          'IPV6_RECVPKTINFO',
        ),
        carried: {
          recvTTL: split('IP_RECVTTL', 'IPV6_RECVHOPLIMIT'),
          recvTOS: split('', 'IPV6_RECVTCLASS'),
          recvTimestamp: all('SO_TIMESTAMP'),
          ...(facts.os === 'openbsd' && { originalDestination: split('IP_RECVDSTPORT', 'IPV6_RECVDSTPORT') }),
        },
      };
  }
}
