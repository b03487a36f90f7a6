/** Which socket options an OS knows, by C name, and what the bytes of their values are. One table per OS. */

/** What the bytes of a value are. */
export type Kind =
  | 'flag'
  | 'int'
  | 'byte'
  | 'int or byte'
  | 'buffer'
  | 'IPV6_V6ONLY'
  | 'type'
  | 'error'
  | 'in_addr'
  | 'ifindex'
  | 'ip_mreq'
  | 'ip_mreq_source'
  | 'ipv6_mreq'
  | 'group_source_req'
  | 'device name'
  | 'device'
  | 'egress'
  | 'egress, network order'
  | 'mtu discovery'
  | 'dont fragment'
  | 'mtu'
  | 'path mtu'
  | 'segment'
  | 'sock_txtime'
  | 'sock_fprog'
  | 'detach'
  | 'choice';

type Level = 'SOL_SOCKET' | 'IPPROTO_IP' | 'IPPROTO_IPV6' | 'IPPROTO_UDP';
export type OptionTable = Readonly<Record<Level, Readonly<Record<string, Kind>>>>;

const COMMON: OptionTable = {
  SOL_SOCKET: {
    SO_REUSEADDR: 'flag',
    SO_BROADCAST: 'flag',
    SO_RCVBUF: 'buffer',
    SO_SNDBUF: 'buffer',
    SO_TYPE: 'type',
    SO_ERROR: 'error',
  },
  IPPROTO_IP: {
    IP_TTL: 'int',
    IP_TOS: 'int',
    IP_MULTICAST_IF: 'in_addr',
    IP_MULTICAST_TTL: 'int or byte',
    IP_MULTICAST_LOOP: 'int or byte',
    IP_ADD_MEMBERSHIP: 'ip_mreq',
    IP_DROP_MEMBERSHIP: 'ip_mreq',
  },
  IPPROTO_IPV6: {
    IPV6_V6ONLY: 'IPV6_V6ONLY',
    IPV6_UNICAST_HOPS: 'int',
    IPV6_MULTICAST_IF: 'ifindex',
    IPV6_MULTICAST_HOPS: 'int',
    IPV6_MULTICAST_LOOP: 'int',
    IPV6_JOIN_GROUP: 'ipv6_mreq',
    IPV6_LEAVE_GROUP: 'ipv6_mreq',
  },
  IPPROTO_UDP: {},
};

/** Every system's options, with an OS's own. */
export function table(own: Partial<OptionTable>): OptionTable {
  const levels = Object.keys(COMMON) as Level[];
  return Object.fromEntries(levels.map((level) => [level, { ...COMMON[level], ...own[level] }])) as OptionTable;
}

/** IPv4 and IPv6 source-specific multicast, where the OS has it. */
export const sourceSpecific: Partial<OptionTable> = {
  IPPROTO_IP: {
    IP_ADD_SOURCE_MEMBERSHIP: 'ip_mreq_source',
    IP_DROP_SOURCE_MEMBERSHIP: 'ip_mreq_source',
    IP_BLOCK_SOURCE: 'ip_mreq_source',
    IP_UNBLOCK_SOURCE: 'ip_mreq_source',
  },
  IPPROTO_IPV6: {
    MCAST_JOIN_SOURCE_GROUP: 'group_source_req',
    MCAST_LEAVE_SOURCE_GROUP: 'group_source_req',
    MCAST_BLOCK_SOURCE: 'group_source_req',
    MCAST_UNBLOCK_SOURCE: 'group_source_req',
  },
};
