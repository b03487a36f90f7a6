/**
 * Why a source is not sent from, and a request not answered (docs/rules.md, 9 and 10), where that takes what the host and
 * the socket are: its interfaces, and what it is bound to. What addresses alone tell is datagram/endpoint.ts' to know.
 */
import { formatIPv4, formatIPv6 } from '../address/ip';
import type { Channel } from '../datagram/channel';
import { type Endpoint, ipv4WordOf, isIPv4Endpoint, mismatch, unanswerableBecause } from '../datagram/endpoint';
import type { SocketAddress } from '../datagram/sockaddr';

/** Why a datagram to `remote` cannot leave from `source`; undefined when it can. */
export function misfit(channel: Channel, source: Endpoint, remote: Endpoint): string | undefined {
  return mismatch(source, remote) ?? leak(channel, source, remote) ?? broadcast(channel, source);
}

/** Linux sends from ::1 to the outside, where no answer can come back to (P8). */
export function leak(channel: Channel, source: Endpoint, to: Endpoint): string | undefined {
  if (!source.loopback || isIPv4Endpoint(source) || to.loopback || isOurs(channel, to)) return undefined;
  return 'the loopback address reaches nobody outside';
}

/** Why `remote` is not answered; undefined when it is. It would go round in circles, or reach everybody (P40, P48). */
export function silence(channel: Channel, remote: Endpoint, port: number): string | undefined {
  const because = unanswerableBecause(remote, port);
  if (because !== undefined) return because;
  if (channel.engine.names.isSubnetBroadcast(remote)) return 'its address is a broadcast address';
  if (port !== channel.port) return undefined;
  const itself = channel.wildcard ? isOurs(channel, remote) : isBound(channel, remote);
  return itself ? 'it is this socket itself' : undefined;
}

/** Is the socket bound to this very address? */
export function isBound({ bound }: Channel, address: SocketAddress): boolean {
  return bound !== undefined && isSame(bound, address);
}

export function isSame(a: SocketAddress, b: SocketAddress): boolean {
  return (
    a.word0 === b.word0 && a.word3 === b.word3 && a.family === b.family && a.word1 === b.word1 && a.word2 === b.word2
  );
}

/** FreeBSD and OpenBSD would send from it (`semantics` in test/abi/fixtures). */
function broadcast(channel: Channel, source: Endpoint): string | undefined {
  const is = channel.engine.names.isSubnetBroadcast(source);
  return is ? 'a multicast or broadcast address is no source' : undefined;
}

function isOurs(channel: Channel, end: Endpoint): boolean {
  if (end.loopback) return true;
  const ipv4 = ipv4WordOf(end);
  // As the system spells it, however the user has.
  const text = ipv4 === undefined ? formatIPv6(end.word0, end.word1, end.word2, end.word3) : formatIPv4(ipv4);
  return channel.engine.names.interfaces.isLocal(text);
}
