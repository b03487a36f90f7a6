/**
 * What is asked, row by row: one request to one address of the server, where it comes in, and from which address the
 * answer must leave. The expectation is that of the peer: a client that asked a unicast address drops an answer from
 * any other.
 */
import { GROUPS, ON } from './topology';

export interface Row {
  readonly name: string;
  readonly family: 4 | 6;
  readonly kind: 'unicast' | 'broadcast' | 'multicast';
  /** Destination address of the request. */
  readonly asked: string;
  /** Client interface to send from, where the address alone does not say. */
  readonly device?: 'v1' | 'w1';
  /** Server interface that the request comes in by. */
  readonly via: 'v0' | 'w0';
  /** Addresses of which the answer must come from one. */
  readonly expected: readonly string[];
  /** In short, for the table. */
  readonly expectation: string;
  /** Rows of which node:dgram can get at most one right: the kernel picks one source for all of them. */
  readonly choice?: string;
}

const unicast = (name: string, asked: string, via: Row['via'], choice?: string): Row => ({
  name,
  family: asked.includes(':') ? 6 : 4,
  kind: 'unicast',
  asked,
  via,
  expected: [asked],
  expectation: asked,
  ...(choice !== undefined && { choice }),
  ...(asked.startsWith('fe80') && { device: via === 'v0' ? 'v1' : 'w1' }),
});

const group = (
  kind: 'broadcast' | 'multicast',
  name: string,
  asked: string,
  via: Row['via'],
  from: 'ipv4' | 'ipv6' | 'linkLocal',
): Row => ({
  name,
  family: asked.includes(':') ? 6 : 4,
  kind,
  asked,
  device: via === 'v0' ? 'v1' : 'w1',
  via,
  expected: ON[via][from],
  expectation: `${from === 'linkLocal' ? 'link-local' : from === 'ipv4' ? 'IPv4' : 'IPv6'} of ${via}`,
});

const IPV4: readonly Row[] = [
  unicast('first address', '10.77.0.1', 'v0', 'v4'),
  unicast('second address', '10.77.0.2', 'v0', 'v4'),
  unicast('third address', '10.77.0.3', 'v0', 'v4'),
  unicast('second interface', '10.88.0.1', 'w0'),
  unicast('its address, by the first', '10.88.0.2', 'v0', 'v4'),
  unicast('VIP on lo', '10.99.0.1', 'v0', 'v4'),
  group('broadcast', 'subnet broadcast', '10.77.0.255', 'v0', 'ipv4'),
  group('broadcast', 'limited broadcast', '255.255.255.255', 'v0', 'ipv4'),
  group('broadcast', 'the same, second interface', '255.255.255.255', 'w0', 'ipv4'),
  group('multicast', 'multicast', GROUPS.ipv4, 'v0', 'ipv4'),
];

const IPV6: readonly Row[] = [
  unicast('first address', 'fd77::1', 'v0', 'v6'),
  unicast('second address', 'fd77::2', 'v0', 'v6'),
  unicast('third address', 'fd77::3', 'v0', 'v6'),
  unicast('second interface', 'fd88::1', 'w0'),
  unicast('its address, by the first', 'fd88::2', 'v0', 'v6'),
  unicast('VIP on lo', 'fd99::1', 'v0', 'v6'),
  unicast('link-local', 'fe80::1', 'v0', 'll'),
  unicast('second link-local', 'fe80::2', 'v0', 'll'),
  unicast('link-local, second interface', 'fe80::1', 'w0'),
  // Asked from the client's link-local address: to a link-local peer only a link-local source is sure to get back
  // (RFC 6724 rule 2 prefers the source of the same scope), and IPV6_PKTINFO offers no other (P1).
  group('multicast', 'multicast, link scope', GROUPS.linkScope, 'v0', 'linkLocal'),
  // Asked from the client's fd77::100, so the answer comes from the address in the same prefix.
  group('multicast', 'multicast, site scope', GROUPS.siteScope, 'v0', 'ipv6'),
];

export type Shape = 'sockets' | 'server' | 'dual';

/** The rows of each way to listen: one socket per family (two ways to open them), or one for both. */
export const SECTIONS: readonly { title: string; shapes: readonly Shape[]; rows: readonly Row[] }[] = [
  { title: 'IPv4, socket on 0.0.0.0', shapes: ['sockets', 'server'], rows: IPV4 },
  { title: 'IPv6, socket on :: (IPV6_V6ONLY)', shapes: ['sockets', 'server'], rows: IPV6 },
  { title: 'IPv4-mapped, one dual-stack socket on ::', shapes: ['dual'], rows: IPV4 },
  { title: 'IPv6, the same dual-stack socket', shapes: ['dual'], rows: IPV6 },
];
