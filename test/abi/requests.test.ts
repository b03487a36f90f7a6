/** What each system is asked for, option by option, by C name: which sockets take which setsockopt calls. */
import { platformFor } from '../../src/platform';
import type { OptionName, Platform, SocketKind } from '../../src/platform/platform';
import { type Facts, targets } from './facts';

describe.each(targets.map((facts) => [facts.name, facts] as const))('%s', (_, facts) => {
  const platform = platformFor(facts.os, facts.arch, facts.libc);

  test('asks for what it can read', () => {
    const { requests, optionRequests } = expectedRequests(facts);
    expect(named(facts, platform.requests)).toEqual(requests);
    const options = Object.entries(platform.optionRequests).map(([option, kinds]) => [option, named(facts, kinds)]);
    expect(Object.fromEntries(options)).toEqual(optionRequests);
  });
});

/** Requests by C name, '?' behind optional ones. Names come from the fixture: the option of that level and number. */
function named(facts: Facts, kinds: Platform['requests']): Record<SocketKind, string> {
  const names = ['IP_PKTINFO', 'IP_RECVDSTADDR', 'IP_RECVIF', 'IP_RECVTTL', 'IP_RECVTOS', 'IP_RECVERR'];
  const names6 = ['IPV6_RECVPKTINFO', 'IPV6_RECVHOPLIMIT', 'IPV6_RECVTCLASS', 'IPV6_RECVERR'];
  if (facts.os === 'win32') names6.push('IPV6_PKTINFO', 'IPV6_HOPLIMIT');
  const table: Record<number, string[]> = {
    [facts.number('IPPROTO_IP')]: names,
    [facts.number('IPPROTO_IPV6')]: names6,
    [facts.number('SOL_SOCKET')]: ['SO_TIMESTAMPNS', 'SO_TIMESTAMP', 'SO_RXQ_OVFL'],
    [facts.number('IPPROTO_UDP')]: ['UDP_GRO'],
  };
  const one = ({ level, name, optional }: { level: number; name: number; optional?: true }) =>
    `${table[level]?.find((known) => facts.constant(known) === name)}${optional ? '?' : ''}`;
  const { udp4, udp6, dual } = kinds;
  return { udp4: udp4.map(one).join(' '), udp6: udp6.map(one).join(' '), dual: dual.map(one).join(' ') };
}

type Expected = Record<SocketKind, string>;

function expectedRequests(facts: Facts): { requests: Expected; optionRequests: Partial<Record<OptionName, Expected>> } {
  const kinds = (udp4: string, udp6: string, dual: string): Expected => ({ udp4, udp6, dual });
  const all = (name: string) => kinds(name, name, name);
  const split = (udp4: string, udp6: string) => kinds(udp4, udp6, udp6);
  const both = (udp4: string, udp6: string) => kinds(udp4, udp6, `${udp6} ${udp4}`);
  switch (facts.os) {
    case 'linux':
    case 'android':
      return {
        requests: kinds('IP_PKTINFO', 'IPV6_RECVPKTINFO', 'IPV6_RECVPKTINFO IP_PKTINFO?'),
        optionRequests: {
          recvTTL: both('IP_RECVTTL', 'IPV6_RECVHOPLIMIT'),
          recvTOS: both('IP_RECVTOS', 'IPV6_RECVTCLASS'),
          recvErrors: both('IP_RECVERR', 'IPV6_RECVERR'),
          recvTimestamp: all('SO_TIMESTAMPNS'),
          recvDrops: all('SO_RXQ_OVFL'),
          gro: all('UDP_GRO'),
        },
      };
    case 'win32':
      return {
        requests: kinds('IP_PKTINFO', 'IPV6_PKTINFO', 'IPV6_PKTINFO IP_PKTINFO?'),
        optionRequests: {
          recvTTL: both('IP_RECVTTL', 'IPV6_HOPLIMIT'),
          recvTOS: both('IP_RECVTOS', 'IPV6_RECVTCLASS'),
        },
      };
    default:
      return {
        requests: split(facts.os === 'darwin' ? 'IP_PKTINFO' : 'IP_RECVDSTADDR IP_RECVIF?', 'IPV6_RECVPKTINFO'),
        optionRequests: {
          recvTTL: split('IP_RECVTTL', 'IPV6_RECVHOPLIMIT'),
          recvTOS: split(facts.os === 'openbsd' || facts.os === 'netbsd' ? '' : 'IP_RECVTOS', 'IPV6_RECVTCLASS'),
          recvTimestamp: all('SO_TIMESTAMP'),
        },
      };
  }
}
