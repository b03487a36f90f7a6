/**
 * Windows: Winsock's messages, where the option and the control message share a number and IN_PKTINFO begins with the
 * address. Checked against Windows headers and under Wine, see test/abi/fixtures/win32.json.
 */
import { cmsghdrSizeT } from '../structs/cmsghdr';
import { group_req, group_source_req, ip_mreq, ip_mreq_sourceFirst, ipv6_mreq } from '../structs/membership';
import { mmsghdr, WSABUF, WSAMSG } from '../structs/msghdr';
import { in_pktinfoAddrFirst, in6_pktinfo } from '../structs/pktinfo';
import { type Abi, ILP32, LP64 } from '../structs/ref';
import { sockaddr_in, sockaddr_in6, sockaddr_storageWindows } from '../structs/sockaddr';
import { structsOf } from '../structs/struct';
import { perFamily, plainRequests } from './ask';
import { controlLayout, winsockMessageLayout } from './layout';
import { ecnArrival, tosArrival, ttlArrival } from './metadata';
import { addrArrival, addrDeparture } from './pktinfo';
import type { Constants, Platform, Request, Settings, Tried } from './platform';
import { rfc3542Arrivals, rfc3542Departure } from './rfc3542';
import { windowsErrors, winsockErrno } from './winsock-errno';

const abis: Readonly<Record<string, Abi>> = { x64: LP64, arm64: LP64, ia32: ILP32 };

const c = {
  // <winsock2.h>, <ws2def.h>
  AF_UNSPEC: 0,
  AF_UNIX: 1,
  AF_INET: 2,
  AF_INET6: 23,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 0x4,
  SO_EXCLUSIVEADDRUSE: -5,
  SO_KEEPALIVE: 0x8,
  SO_DONTROUTE: 0x10,
  SO_BROADCAST: 0x20,
  SO_LINGER: 0x80,
  SO_SNDBUF: 0x1001,
  SO_RCVBUF: 0x1002,
  SO_SNDTIMEO: 0x1005,
  SO_RCVTIMEO: 0x1006,
  SO_ERROR: 0x1007,
  SO_TYPE: 0x1008,
  IPPROTO_IP: 0,
  IPPROTO_ICMP: 1,
  IPPROTO_UDP: 17,
  IPPROTO_IPV6: 41,
  IPPROTO_ICMPV6: 58,
  IPPROTO_RAW: 255,
  FIONREAD: 0x4004667f,
  FIONBIO: 0x8004667e,
  MSG_OOB: 0x1,
  MSG_PEEK: 0x2,
  MSG_DONTROUTE: 0x4,
  MSG_TRUNC: 0x100,
  MSG_CTRUNC: 0x200,
  MSG_BCAST: 0x400,
  MSG_MCAST: 0x800,
  // No such flag: a socket does not block when FIONBIO says so.
  MSG_DONTWAIT: 0,
  POLLERR: 0x1,
  POLLHUP: 0x2,
  POLLNVAL: 0x4,
  POLLOUT: 0x10,
  POLLIN: 0x300,
  POLLPRI: 0x400,
  // <mswsock.h>
  SIO_GET_EXTENSION_FUNCTION_POINTER: 0xc8000006,
  SIO_UDP_CONNRESET: 0x9800000c,
  SIO_UDP_NETRESET: 0x9800000f,
  // <netioapi.h>: NDIS_IF_MAX_STRING_SIZE, without the terminating NUL
  IF_NAMESIZE: 256,
  // <ws2ipdef.h>
  IP_TOS: 3,
  IP_TTL: 4,
  IP_MULTICAST_IF: 9,
  IP_MULTICAST_TTL: 10,
  IP_MULTICAST_LOOP: 11,
  IP_ADD_MEMBERSHIP: 12,
  IP_DROP_MEMBERSHIP: 13,
  IP_DONTFRAGMENT: 14,
  IP_ADD_SOURCE_MEMBERSHIP: 15,
  IP_DROP_SOURCE_MEMBERSHIP: 16,
  IP_BLOCK_SOURCE: 17,
  IP_UNBLOCK_SOURCE: 18,
  IP_PKTINFO: 19,
  IP_HOPLIMIT: 21,
  IP_RECVTTL: 21,
  IP_UNICAST_IF: 31,
  IP_TCLASS: 39,
  IP_RECVTCLASS: 40,
  IP_RECVTOS: 40,
  MCAST_JOIN_GROUP: 41,
  MCAST_LEAVE_GROUP: 42,
  MCAST_BLOCK_SOURCE: 43,
  MCAST_UNBLOCK_SOURCE: 44,
  MCAST_JOIN_SOURCE_GROUP: 45,
  MCAST_LEAVE_SOURCE_GROUP: 46,
  IP_ECN: 50,
  IP_RECVECN: 50,
  IP_MTU_DISCOVER: 71,
  // PMTUD_STATE; there is no WANT, and 0 is the system's own choice
  IP_PMTUDISC_DO: 1,
  IP_PMTUDISC_DONT: 2,
  IP_PMTUDISC_PROBE: 3,
  IP_MTU: 73,
  IP_RECVERR: 75,
  IP_USER_MTU: 76,
  IPV6_UNICAST_HOPS: 4,
  IPV6_MULTICAST_IF: 9,
  IPV6_MULTICAST_HOPS: 10,
  IPV6_MULTICAST_LOOP: 11,
  IPV6_JOIN_GROUP: 12,
  IPV6_LEAVE_GROUP: 13,
  IPV6_DONTFRAG: 14,
  IPV6_PKTINFO: 19,
  IPV6_HOPLIMIT: 21,
  IPV6_V6ONLY: 27,
  IPV6_UNICAST_IF: 31,
  IPV6_TCLASS: 39,
  IPV6_RECVTCLASS: 40,
  IPV6_ECN: 50,
  IPV6_RECVECN: 50,
  IPV6_MTU_DISCOVER: 71,
  IPV6_MTU: 72,
  IPV6_RECVERR: 75,
  // <ws2tcpip.h> of the SDK, <udpapi.h>
  UDP_SEND_MSG_SIZE: 2,
  UDP_RECV_MAX_COALESCED_SIZE: 3,
  UDP_COALESCED_INFO: 3,
} as const satisfies Constants;

const structs = {
  WSAMSG,
  WSABUF,
  WSACMSGHDR: cmsghdrSizeT,
  sockaddr_in,
  sockaddr_in6,
  sockaddr_storage: sockaddr_storageWindows,
  in_pktinfo: in_pktinfoAddrFirst,
  in6_pktinfo,
  ip_mreq,
  ipv6_mreq,
  ip_mreq_source: ip_mreq_sourceFirst,
  group_req: group_req(sockaddr_storageWindows),
  group_source_req: group_source_req(sockaddr_storageWindows),
};

/** undefined for a CPU that no fixture covers. */
export function win32(arch: string): Platform | undefined {
  const abi = Object.hasOwn(abis, arch) ? abis[arch] : undefined;
  if (abi === undefined) return undefined;
  const types = structsOf(abi, structs);
  const pktinfo = { level: c.IPPROTO_IP, type: c.IP_PKTINFO };
  const departure = addrDeparture(pktinfo, types.in_pktinfo);
  return {
    name: 'win32',
    arch,
    calls: 'winsock',
    structs: types,
    message: winsockMessageLayout(abi, mmsghdr(WSAMSG)(abi), types.WSAMSG, types.WSABUF),
    // WSA_CMSGHDR_ALIGN and WSA_CMSGDATA_ALIGN round up to the same here. <ws2def.h>
    cmsg: controlLayout(types.WSACMSGHDR, abi.pointerSize),
    saLen: false,
    constants: c,
    errno: winsockErrno,
    otherErrors: windowsErrors,
    requests,
    carried,
    optionRequests: plainRequests(carried),
    arrivals: [
      addrArrival(pktinfo, types.in_pktinfo),
      ...rfc3542Arrivals(c, types.in6_pktinfo),
      // The SDK's IPv4 types are IP_HOPLIMIT and IP_TCLASS; Wine sends IP_TTL and IP_TOS.
      ttlArrival({ level: c.IPPROTO_IP, type: c.IP_RECVTTL }, 4),
      ttlArrival({ level: c.IPPROTO_IP, type: c.IP_TTL }, 4),
      tosArrival({ level: c.IPPROTO_IP, type: c.IP_TCLASS }, 4),
      tosArrival({ level: c.IPPROTO_IP, type: c.IP_TOS }, 4),
      ecnArrival({ level: c.IPPROTO_IP, type: c.IP_ECN }),
      ecnArrival({ level: c.IPPROTO_IPV6, type: c.IPV6_ECN }),
    ],
    // A mapped peer takes IP_PKTINFO with the plain IPv4 address, as msquic sends it.
    departures: { udp4: departure, udp6: rfc3542Departure(c, types.in6_pktinfo), mapped: departure },
    ttl: {},
    tos: {},
    tried,
    settings,
    quirks: {
      // Nothing is known of bound sockets here; without a message they send from where they are bound anyway.
      sourceOnlyFromWildcard: true,
      dualStack: true,
      // WSAEINVAL was seen in the field (P7); where Wine's kernel is asked it is WSAENETUNREACH, as on Linux.
      sourceGone: ['EADDRNOTAVAIL', 'EINVAL', 'ENETUNREACH'],
      // As libuv writes them (uv_if_indextoiid).
      zoneIsIndex: true,
      backOff: ['ENOBUFS'],
      minSendBuffer: 0,
      reuseAddr: c.SO_REUSEADDR,
      ipMulticastOptionSize: 4,
      // Not known.
      hearsGroupsOfOthers: [],
    },
  };
}

const IP_PKTINFO: Request = { level: c.IPPROTO_IP, name: c.IP_PKTINFO };
const IPV6_PKTINFO: Request = { level: c.IPPROTO_IPV6, name: c.IPV6_PKTINFO };

const requests: Platform['requests'] = {
  udp4: [IP_PKTINFO],
  udp6: [IPV6_PKTINFO],
  // IPv4 datagrams bring one or the other, or both (P17).
  dual: [IPV6_PKTINFO, { ...IP_PKTINFO, optional: true }],
};

/** A dual-stack socket needs both, as for the destination. */
const family = (ip: number, ipv6: number, value?: number) => perFamily({ ip, ipv6, value }, 'both');

const carried: Platform['carried'] = {
  recvTTL: family(c.IP_RECVTTL, c.IPV6_HOPLIMIT),
  recvTOS: family(c.IP_RECVTOS, c.IPV6_RECVTCLASS),
  recvTimestamp: { because: 'Windows stamps what network cards stamp alone' },
  recvDrops: { because: 'Windows does not count them per datagram' },
  // IP_RECVERR tells connected sockets what others tell them anyway.
  recvErrors: { because: 'Windows has no error queue' },
  gro: { because: 'Windows coalesces without saying so on some machines (P29)' },
  originalDestination: { because: 'Windows does not tell it' },
  recvMark: { because: 'Windows has no marks' },
};

const int = (level: number, type: number) => ({ level, type, size: 4 }) as const;

/** By the SDK's documentation; Windows 10 2004 and later have all of it. */
const tried: Tried = {
  segment: int(c.IPPROTO_UDP, c.UDP_SEND_MSG_SIZE),
  ttl: { udp4: int(c.IPPROTO_IP, c.IP_HOPLIMIT), udp6: int(c.IPPROTO_IPV6, c.IPV6_HOPLIMIT) },
  tos: { udp4: int(c.IPPROTO_IP, c.IP_TOS), udp6: int(c.IPPROTO_IPV6, c.IPV6_TCLASS) },
  ecn: { udp4: int(c.IPPROTO_IP, c.IP_ECN), udp6: int(c.IPPROTO_IPV6, c.IPV6_ECN) },
  recvECN: family(c.IP_RECVECN, c.IPV6_RECVECN),
};

const foreign = { because: 'Windows binds no address that it does not have' };
const discovery = (value: number) => ({ ask: family(c.IP_MTU_DISCOVER, c.IPV6_MTU_DISCOVER, value) });
// IPv4's index is in network byte order, IPv6's is not.
const unicastIf = { level: c.IPPROTO_IP, name: c.IP_UNICAST_IF, takes: 'networkIndex' } as const;
const unicastIf6 = { level: c.IPPROTO_IPV6, name: c.IPV6_UNICAST_IF, takes: 'index' } as const;

const settings: Settings = {
  bindToDevice: { ask: { udp4: [unicastIf], udp6: [unicastIf6], dual: [unicastIf6, unicastIf] }, hears: false },
  freebind: foreign,
  transparent: foreign,
  onlyOwnGroups: { because: 'Windows has no IP_MULTICAST_ALL' },
  mtuDiscover: {
    do: discovery(c.IP_PMTUDISC_DO),
    dont: discovery(c.IP_PMTUDISC_DONT),
    want: { because: 'Windows has no IP_PMTUDISC_WANT' },
    probe: discovery(c.IP_PMTUDISC_PROBE),
  },
  pathMtu: {
    4: { level: c.IPPROTO_IP, name: c.IP_MTU, size: 4, at: 0 },
    6: { level: c.IPPROTO_IPV6, name: c.IPV6_MTU, size: 4, at: 0 },
  },
  txTime: { because: 'Windows has no SO_TXTIME' },
  mark: { because: 'Windows has no marks' },
  filter: { because: 'Windows has no SO_ATTACH_FILTER' },
  steer: { because: 'Windows does not balance between sockets on one port' },
  blockSource: {
    ip: c.IP_BLOCK_SOURCE,
    ipUndo: c.IP_UNBLOCK_SOURCE,
    any: c.MCAST_BLOCK_SOURCE,
    anyUndo: c.MCAST_UNBLOCK_SOURCE,
  },
  errorQueue: { because: 'Windows has no error queue' },
  overflow: { because: 'Windows has no SO_RERROR' },
};
