/**
 * An address made ready for the kernel: its words, its interface, and what it is good for. Made once per address and
 * kept in {@link Names}; the send path only compares flags.
 */
import { type Address, BROADCAST, isLinkLocal, isLoopback, isMapped, isMulticast, isUnspecified } from '../address/ip';

export interface Endpoint {
  readonly text: string;
  readonly family: 4 | 6;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** sin6_scope_id: index of the interface that the zone names, or 0. */
  readonly scope: number;
  /** ::ffff:0:0/96 */
  readonly mapped: boolean;
  readonly unspecified: boolean;
  readonly multicast: boolean;
  /** 255.255.255.255, also mapped. Subnet broadcasts depend on the interfaces: ask {@link Names}. */
  readonly broadcast: boolean;
  readonly loopback: boolean;
  readonly linkLocal: boolean;
}

export function endpoint(text: string, address: Address, scope: number): Endpoint {
  const mapped = isMapped(address);
  return {
    text,
    family: address.family,
    word0: address.word0,
    word1: address.word1,
    word2: address.word2,
    word3: address.word3,
    scope,
    mapped,
    unspecified: isUnspecified(address),
    multicast: isMulticast(address),
    broadcast: ipv4Word(address, mapped) === BROADCAST,
    loopback: isLoopback(address),
    linkLocal: isLinkLocal(address),
  };
}

/** Is this IPv4 on the wire? */
export function isIPv4Endpoint(end: Endpoint): boolean {
  return end.family === 4 || end.mapped;
}

/** The IPv4 address, plain or mapped, as one word; undefined for native IPv6. */
export function ipv4WordOf(end: Endpoint): number | undefined {
  return ipv4Word(end, end.mapped);
}

/**
 * Why a datagram to `remote` cannot leave from `source`; undefined when it can. What is refused here the kernel would
 * ignore silently, or send out with a source that no answer can come back to (pitfalls P8).
 */
export function mismatch(source: Endpoint, remote: Endpoint): string | undefined {
  if (isIPv4Endpoint(source) !== isIPv4Endpoint(remote)) {
    return isIPv4Endpoint(remote) ? 'an IPv4 peer needs an IPv4 source' : 'an IPv6 peer needs an IPv6 source';
  }
  if (source.unspecified) return 'an unspecified address is no source';
  if (source.multicast || source.broadcast) return 'a multicast or broadcast address is no source';
  if (source.family === 6 && !source.mapped) {
    if (source.linkLocal && source.scope === 0 && remote.scope === 0) {
      return 'a link-local source needs a zone, as in fe80::1%eth0';
    }
    if (source.linkLocal && source.scope !== 0 && remote.scope !== 0 && source.scope !== remote.scope) {
      return 'they are on different links';
    }
  }
  return undefined;
}

/** Why nobody at `remote` can be answered; undefined when somebody can. Subnet broadcasts are asked elsewhere. */
export function unanswerableBecause(remote: Endpoint, port: number): string | undefined {
  if (port === 0) return 'port 0 takes no datagrams';
  if (remote.unspecified) return 'its address is unspecified';
  if (remote.multicast) return 'its address is a multicast group';
  if (remote.broadcast) return 'its address is a broadcast address';
  return undefined;
}

function ipv4Word(address: { family: 4 | 6; word0: number; word3: number }, mapped: boolean): number | undefined {
  if (address.family === 4) return address.word0;
  return mapped ? address.word3 : undefined;
}
