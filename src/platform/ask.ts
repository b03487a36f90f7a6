/** Requests by kind of socket, as the files of the operating systems write them. */
import type { Asked, Because, OptionName, Platform, Request } from './platform';

/** The same on every socket. */
export function everywhere(...requests: readonly Request[]): Asked {
  return { udp4: requests, udp6: requests, dual: requests };
}

/** An option per family: `ip` of IPPROTO_IP and `ipv6` of IPPROTO_IPV6; undefined: that family has none. */
export interface FamilyOptions {
  readonly ip?: number;
  readonly ipv6?: number;
  readonly value?: number;
}

/**
 * IPv4's option on IPv4 sockets, IPv6's on the others. `dual`: whether a dual-stack socket takes both, since its IPv4
 * datagrams heed IPPROTO_IP options alone (Linux, Windows; P14), or IPv6's for both.
 */
export function perFamily({ ip, ipv6, value }: FamilyOptions, dual: 'both' | 'ipv6'): Asked {
  const one = (level: number, name: number | undefined) =>
    name === undefined ? [] : [value === undefined ? { level, name } : { level, name, value }];
  const [udp4, udp6] = [one(IPPROTO_IP, ip), one(IPPROTO_IPV6, ipv6)];
  return { udp4, udp6, dual: dual === 'both' ? [...udp6, ...udp4] : udp6 };
}

/** IANA's numbers, which every system has. */
const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;

/** `carried` for those who know no values and no reasons. */
export function plainRequests(carried: Platform['carried']): Platform['optionRequests'] {
  const plain = (requests: readonly Request[]) => requests.filter(({ value }) => value === undefined);
  const entries = Object.entries(carried) as [OptionName, Asked | Because][];
  return Object.fromEntries(
    entries.flatMap(([option, asked]) =>
      'because' in asked
        ? []
        : [[option, { udp4: plain(asked.udp4), udp6: plain(asked.udp6), dual: plain(asked.dual) }]],
    ),
  );
}
