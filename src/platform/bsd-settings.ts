/** What can be asked for and set on macOS and the BSDs, as far as they are alike. Their own files say the rest. */
import { everywhere, perFamily } from './ask';
import type { BsdNumbers, BsdStructs } from './bsd';
import type { Because, Platform, Setting, Settings } from './platform';

type Carried = Platform['carried'];

/** IPv4 datagrams on a dual-stack socket bring IPv6's messages. */
export function bsdCarried(os: string, c: BsdNumbers, own: Pick<Carried, 'recvTOS'> & Partial<Carried>): Carried {
  const why = (what: string): Because => ({ because: `${os} ${what}` });
  return {
    recvTTL: perFamily({ ip: c.IP_RECVTTL, ipv6: c.IPV6_RECVHOPLIMIT }, 'ipv6'),
    recvTimestamp: everywhere({ level: c.SOL_SOCKET, name: c.SO_TIMESTAMP }),
    recvDrops: why('does not count them per datagram'),
    recvErrors: why('has no IP_RECVERR: errors are told to connected sockets only'),
    gro: why('does not coalesce for sockets'),
    originalDestination: why('does not tell it'),
    recvMark: why('has no marks'),
    ...own,
  };
}

/** By the constants that the OS has; `own` wins. */
export function bsdSettings(os: string, c: BsdNumbers, structs: BsdStructs, own: Partial<Settings> = {}): Settings {
  const lacks = (what: string): Because => ({ because: `${os} has no ${what}` });
  const foreign = { because: `${os} binds no address that it does not have` };
  const { SO_RERROR } = c;
  return {
    bindToDevice: lacks('SO_BINDTODEVICE'),
    freebind: foreign,
    transparent: foreign,
    onlyOwnGroups: lacks('IP_MULTICAST_ALL'),
    mtuDiscover: mtuDiscover(os, c),
    pathMtu: pathMtu(c, structs),
    txTime: lacks('SO_TXTIME'),
    mark: lacks('SO_MARK'),
    filter: lacks('SO_ATTACH_FILTER'),
    steer: lacks('SO_ATTACH_REUSEPORT_CBPF'),
    blockSource: blockSource(c) ?? lacks('source-specific multicast for sockets'),
    errorQueue: lacks('IP_RECVERR: errors are told to connected sockets only'),
    // Not on older releases.
    overflow:
      SO_RERROR === undefined
        ? lacks('SO_RERROR')
        : { ask: everywhere({ level: c.SOL_SOCKET, name: SO_RERROR, optional: true }), errno: 'ENOBUFS' },
    ...own,
  };
}

function mtuDiscover(os: string, c: BsdNumbers): Settings['mtuDiscover'] {
  const cannot = { because: `${os} either fragments or does not` };
  const dontFrag = (value: 0 | 1): Setting => ({
    ask: perFamily({ ip: c.IP_DONTFRAG, ipv6: c.IPV6_DONTFRAG, value }, 'ipv6'),
  });
  return { do: dontFrag(1), dont: dontFrag(0), want: cannot, probe: cannot };
}

/** IPV6_PATHMTU tells it with the peer's address. RFC 3542 §11.4 */
function pathMtu(c: BsdNumbers, { ip6_mtuinfo }: BsdStructs): Settings['pathMtu'] {
  const { offset } = ip6_mtuinfo.fields.ip6m_mtu;
  return { 6: { level: c.IPPROTO_IPV6, name: c.IPV6_PATHMTU, size: ip6_mtuinfo.size, at: offset } };
}

function blockSource(c: BsdNumbers): Settings['blockSource'] | undefined {
  const { IP_BLOCK_SOURCE, IP_UNBLOCK_SOURCE, MCAST_BLOCK_SOURCE, MCAST_UNBLOCK_SOURCE } = c;
  if (!IP_BLOCK_SOURCE || !IP_UNBLOCK_SOURCE || !MCAST_BLOCK_SOURCE || !MCAST_UNBLOCK_SOURCE) return undefined;
  return {
    ip: IP_BLOCK_SOURCE,
    ipUndo: IP_UNBLOCK_SOURCE,
    any: MCAST_BLOCK_SOURCE,
    anyUndo: MCAST_UNBLOCK_SOURCE,
  };
}
