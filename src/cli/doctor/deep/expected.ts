/**
 * What each OS is expected to do in each case. Linux: seen on 6.18. macOS and FreeBSD: what kernel code of XNU 7195.141.2
 * (macOS 11.5) and FreeBSD 13.0 did when it was compiled for user space and asked the same. Others: nobody knows yet.
 */
import type { ByPlatform, Expected } from './facts';

const run = (value: string): Expected => ({ value, known: 'run' });
const read = (value: string): Expected => ({ value, known: 'read' });
/** Linux, and what both of the others do. */
const all = (linux: string, both: string): ByPlatform => ({ linux: run(linux), darwin: run(both), freebsd: run(both) });
const three = (linux: string, others: Partial<Record<'darwin' | 'freebsd', string>>): ByPlatform => ({
  linux: run(linux),
  ...(others.darwin === undefined ? {} : { darwin: run(others.darwin) }),
  ...(others.freebsd === undefined ? {} : { freebsd: run(others.freebsd) }),
});

export const expectations: Readonly<Record<string, ByPlatform>> = {
  'mapped-bound': all('sockaddr_in6, destination told', 'sockaddr_in, no destination'),
  'mapped-connected': all('sockaddr_in6, destination told', 'sockaddr_in, no destination'),
  'disconnect-mapped': all('hears IPv4 alone', 'hears IPv4 alone'),
  'disconnect-ipv6': all('hears both families', 'hears IPv6 alone'),
  // macOS: EINVAL by the sources of xnu-11417, ok by older ones; nobody has seen either.
  'connect-after-mapped': three('ok', {}),
  // Linux: __skb_recv_udp asks for a pending error first. BSD: soreceive, where no datagram is left.
  'error-and-datagram': {
    linux: run('ECONNREFUSED, then the datagram'),
    darwin: read('the datagram, then ECONNREFUSED'),
    freebsd: read('the datagram, then ECONNREFUSED'),
    openbsd: read('the datagram, then ECONNREFUSED'),
    netbsd: read('the datagram, then ECONNREFUSED'),
  },
  'group-not-joined': all('delivered', 'delivered'),
  'short-control': three('part of a message, MSG_CTRUNC', { freebsd: 'no message, MSG_CTRUNC' }),
  'timestamp-place': all('first', 'first'),
  'interface-length': { darwin: run('20'), freebsd: run('56') },
  'queue-room': all('as many as without', 'fewer than without'),
  'leftover-flags': three('sent', { freebsd: 'sent' }),
  'v6only-to-mapped': three('ENETUNREACH', { darwin: 'sent as IPv4' }),
  'broadcast-source': three('ENETUNREACH', { darwin: 'sent' }),
  'foreign-interface-source': three('sent from it', {}),
  'zero-tail': three('EINVAL', { darwin: 'sent' }),
  'cut-message': three('EINVAL', { darwin: 'sent' }),
  'two-sources': three('the last wins', { darwin: 'the first wins', freebsd: 'the last wins' }),
  'other-index': three('sent', { freebsd: 'EADDRNOTAVAIL' }),
  'index-alone': three('ENETUNREACH', {}),
  'control-counts': three('sent', { freebsd: 'EMSGSIZE' }),
  'group-bound-source': three('from an address of its own', { freebsd: 'from the group' }),
  'dual-beside-udp4': all('EADDRINUSE', 'ok'),
  'reuseport-second': all('EADDRINUSE', 'ok'),
  'reuseaddr-specific': all('ok', 'ok'),
  'bind-broadcast': all('ok', 'EADDRNOTAVAIL'),
};

/** null where nobody knows. Android's kernel is Linux. */
export function expectedOf(name: string, platform: string): Expected | null {
  const os = platform === 'android' ? 'linux' : platform;
  return expectations[name]?.[os as keyof ByPlatform] ?? null;
}
