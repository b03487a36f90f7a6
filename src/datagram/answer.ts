/**
 * Which address answers: docs/rules.md, line by line. Rules 1, 3 and 6 are data of each OS (platform/), 7 is in
 * control.ts and names.ts, 8 in refusals.ts; the others are here, one function each.
 */
import { BROADCAST, isMulticast } from '../address/ip';
import type { Channel } from './channel';
import { type Endpoint, isSame } from './endpoint';
import type { Interfaces } from './interfaces';

/**
 * Rule 2: the unicast IPv4 address that answers a datagram to `destination`, as words; undefined where the kernel has to
 * choose.
 * @param specDst what the OS says of it (Linux: ipi_spec_dst, which is right for groups, too); 0: nothing
 */
export function answeringIPv4(
  interfaces: Interfaces,
  destination: number,
  specDst: number,
  ifindex: number,
): number | undefined {
  if (specDst !== 0) return specDst;
  if (isMulticast({ family: 4, word0: destination, word1: 0, word2: 0, word3: 0 })) return undefined;
  if (destination === BROADCAST || interfaces.isBroadcast(destination)) return interfaces.ipv4Of(ifindex);
  return destination;
}

/**
 * Rule 4: does `source` have to be named for each datagram? Not where the socket is bound to it: the kernel takes it anyway.
 */
export function mustBeNamed(channel: Channel, source: Endpoint): boolean {
  const { bound } = channel;
  return bound === undefined || !isSame(bound, source);
}

/** Rule 4: may a source be named at all? A socket that is bound to one address has it already (P4, P5). */
export function mayBeNamed(channel: Channel): boolean {
  return channel.wildcard || !channel.engine.host.platform.quirks.sourceOnlyFromWildcard;
}

/**
 * Rule 5: the interface that an answer has to name, 0 for none: routing decides.
 * @param ifindex by which the request came in
 * @param ingress `replyInterface: 'ingress'`
 */
export function replyInterface(remote: Endpoint, ifindex: unknown, ingress: boolean): number {
  // A program may have written it: C takes nothing else
  if (typeof ifindex !== 'number' || ifindex <= 0 || (ifindex | 0) !== ifindex) return 0;
  return ingress || (remote.linkLocal && remote.scope === 0) ? ifindex : 0;
}

/**
 * Rule 9: why a datagram to `remote` cannot leave from `source`; undefined when it can. What is refused here the kernel
 * would ignore silently, or send out with a source that no answer can come back to (P8).
 */
export function misfit(channel: Channel, source: Endpoint, remote: Endpoint): string | undefined {
  const why = mismatch(source, remote) ?? leak(channel, source, remote);
  if (why !== undefined) return why;
  // FreeBSD and OpenBSD would send from it (`semantics` in test/abi/fixtures).
  const { names } = channel.engine;
  return names.isSubnetBroadcast(source) ? 'a multicast or broadcast address is no source' : undefined;
}

/** Rule 9, as far as the addresses alone tell. */
export function mismatch(source: Endpoint, remote: Endpoint): string | undefined {
  if (source.ipv4 !== remote.ipv4) {
    return remote.ipv4 ? 'an IPv4 peer needs an IPv4 source' : 'an IPv6 peer needs an IPv6 source';
  }
  if (source.unspecified) return 'an unspecified address is no source';
  if (source.nobody) return 'a multicast or broadcast address is no source';
  if (source.family === 6 && source.linkLocal && !source.mapped) {
    if (source.scope === 0 && remote.scope === 0) return 'a link-local source needs a zone, as in fe80::1%eth0';
    if (source.scope !== 0 && remote.scope !== 0 && source.scope !== remote.scope) return 'they are on different links';
  }
  return undefined;
}

/** Rule 9: Linux sends from ::1 to the outside, where no answer can come back from. */
export function leak(channel: Channel, source: Endpoint, to: Endpoint): string | undefined {
  if (!source.loopback || source.ipv4 || to.loopback || channel.engine.names.isOurs(to)) return undefined;
  return 'the loopback address reaches nobody outside';
}

/** There is no other source on such a socket (FreeBSD). */
function isGroup({ bound, engine }: Channel): boolean {
  return engine.host.platform.quirks.sendsFromGroup === true && bound !== undefined && isMulticast(bound);
}

/**
 * Rule 10: why `remote` is not answered; undefined when it is. An answer could not arrive, would reach everybody, or
 * would go round in circles (P28, P40, P48).
 */
export function unanswerableBecause(channel: Channel, remote: Endpoint, port: number): string | undefined {
  if (port === 0) return 'port 0 takes no datagrams';
  if (remote.unspecified) return 'its address is unspecified';
  if (remote.multicast) return 'its address is a multicast group';
  const { names } = channel.engine;
  if (remote.broadcast || names.isSubnetBroadcast(remote)) return 'its address is a broadcast address';
  if (isGroup(channel)) return 'the kernel would answer from the group that this socket is bound to';
  if (port !== channel.port) return undefined;
  const itself = channel.wildcard ? names.isOurs(remote) : !mustBeNamed(channel, remote);
  return itself ? 'it is this socket itself' : undefined;
}
