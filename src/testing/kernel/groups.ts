/** Joining and leaving groups, by interface and by source. ip(7), ipv6(7), RFC 3678 */
import { isMulticast } from '../../address/ip';
import { wordsOf } from '../../datagram/ring';
import { newRemote } from '../../datagram/sockaddr';
import { linuxConstants as c } from '../../platform/linux-constants';
import type { StructType } from '../../structs/struct';
import { type Ip, ipOf, isAny } from '../ip';
import { keyOf, type Membership, type Sock } from './sock';
import type { Outcome, State } from './state';

type Change = 'join' | 'leave' | 'block' | 'unblock';

interface Request {
  readonly change: Change;
  readonly struct: 'ip_mreq' | 'ip_mreq_source' | 'ipv6_mreq' | 'group_source_req';
}

const ipv4 = (name: number) => keyOf(c.IPPROTO_IP, name);
const ipv6 = (name: number) => keyOf(c.IPPROTO_IPV6, name);
const REQUESTS = new Map<number, Request>([
  [ipv4(c.IP_ADD_MEMBERSHIP), { change: 'join', struct: 'ip_mreq' }],
  [ipv4(c.IP_DROP_MEMBERSHIP), { change: 'leave', struct: 'ip_mreq' }],
  [ipv4(c.IP_ADD_SOURCE_MEMBERSHIP), { change: 'join', struct: 'ip_mreq_source' }],
  [ipv4(c.IP_DROP_SOURCE_MEMBERSHIP), { change: 'leave', struct: 'ip_mreq_source' }],
  [ipv4(c.IP_BLOCK_SOURCE), { change: 'block', struct: 'ip_mreq_source' }],
  [ipv4(c.IP_UNBLOCK_SOURCE), { change: 'unblock', struct: 'ip_mreq_source' }],
  [ipv6(c.IPV6_JOIN_GROUP), { change: 'join', struct: 'ipv6_mreq' }],
  [ipv6(c.IPV6_LEAVE_GROUP), { change: 'leave', struct: 'ipv6_mreq' }],
  [ipv6(c.MCAST_JOIN_SOURCE_GROUP), { change: 'join', struct: 'group_source_req' }],
  [ipv6(c.MCAST_LEAVE_SOURCE_GROUP), { change: 'leave', struct: 'group_source_req' }],
  [ipv6(c.MCAST_BLOCK_SOURCE), { change: 'block', struct: 'group_source_req' }],
  [ipv6(c.MCAST_UNBLOCK_SOURCE), { change: 'unblock', struct: 'group_source_req' }],
]);

interface Asked {
  readonly group: Ip;
  readonly source: Ip | undefined;
  /** By index, 0 for the default. */
  readonly ifindex: number;
  /** By one of its addresses. */
  readonly owner: Ip | undefined;
}

/** → 'unknown' where the option is about something else */
export function membership(state: State, sock: Sock, level: number, name: number, value: Buffer): Outcome | 'unknown' {
  const request = REQUESTS.get(keyOf(level, name));
  if (request === undefined) return 'unknown';
  const type = state.platform.structs[request.struct];
  if (value.length < type.size) return 'EINVAL';
  const asked = read(state, request.struct, type, value);
  if (!isMulticast(asked.group)) return 'EINVAL';
  const iface =
    asked.ifindex !== 0
      ? state.machine.byIndex(asked.ifindex)
      : asked.owner === undefined || isAny(asked.owner)
        ? state.machine.route(asked.group)
        : state.machine.owner(asked.owner);
  if (iface === undefined) return 'ENODEV';
  const one = { group: asked.group.text, ifindex: iface.index, source: asked.source?.text };
  return change(sock, request.change, one);
}

function change(sock: Sock, how: Change, one: Membership): Outcome {
  const list = how === 'join' || how === 'leave' ? sock.groups : sock.blocked;
  const at = list.findIndex(
    ({ group, ifindex, source }) => group === one.group && ifindex === one.ifindex && source === one.source,
  );
  if (how === 'join' || how === 'block') {
    if (at >= 0) return 'EADDRINUSE';
    list.push(one);
  } else {
    if (at < 0) return 'EADDRNOTAVAIL';
    list.splice(at, 1);
  }
  return undefined;
}

function read(state: State, struct: Request['struct'], { fields }: StructType, value: Buffer): Asked {
  const bytes = Buffer.from(Uint8Array.from(value).buffer);
  const words = wordsOf(bytes);
  const address = (field: string, family: 4 | 6): Ip => {
    const at = fields[field].offset >>> 2;
    const [word0, word1 = 0, word2 = 0, word3 = 0] = words.subarray(at, at + (family === 4 ? 1 : 4));
    return ipOf({ family, word0, word1, word2, word3 });
  };
  const named = (field: string): Ip => {
    const remote = newRemote();
    state.sockaddrs.read(bytes, words, fields[field].offset, remote);
    return ipOf(remote);
  };
  const index = (field: string) => words[fields[field].offset >>> 2];
  switch (struct) {
    case 'ipv6_mreq':
      return {
        group: address('ipv6mr_multiaddr', 6),
        source: undefined,
        ifindex: index('ipv6mr_interface'),
        owner: undefined,
      };
    case 'group_source_req':
      return {
        group: named('gsr_group'),
        source: named('gsr_source'),
        ifindex: index('gsr_interface'),
        owner: undefined,
      };
    default: {
      const source = struct === 'ip_mreq_source' ? address('imr_sourceaddr', 4) : undefined;
      return { group: address('imr_multiaddr', 4), source, ifindex: 0, owner: address('imr_interface', 4) };
    }
  }
}
