/**
 * macOS. Its IPv4 source must be asked for as nowhere else: IP_PKTINFO with ipi_spec_dst and no interface (P3), and only
 * on wildcard-bound sockets (P4). Semantics were read in xnu-11417, see test/abi/fixtures; what xnu-7195's code did with
 * our bytes wins where that is known. Numbers from the headers named.
 */
import { group_reqPacked, group_source_reqPacked, ip_mreq_sourceFirst, ip_mreqn } from '../structs/membership';
import { mmsghdr, msghdr_x, msghdrInt } from '../structs/msghdr';
import { in_pktinfo } from '../structs/pktinfo';
import { LP64 } from '../structs/ref';
import { sockaddr_dlDarwin, sockaddr_storageLen } from '../structs/sockaddr';
import { structsOf } from '../structs/struct';
import { timespec, timevalInt } from '../structs/time';
import { perFamily } from './ask';
import { bsd, bsdConstants, bsdRequests, bsdStructs } from './bsd';
import { bsdErrno } from './bsd-errno';
import { bsdCarried, bsdSettings } from './bsd-settings';
import { privateBatchLayout } from './layout';
import { timeArrival, tosArrival } from './metadata';
import { addrArrival, specDstDeparture } from './pktinfo';
import type { Constants, Platform } from './platform';

const c = {
  ...bsdConstants,
  // <sys/socket.h>
  AF_INET6: 30,
  SO_SNDTIMEO: 0x1005,
  SO_RCVTIMEO: 0x1006,
  SO_TIMESTAMP: 0x400,
  SCM_TIMESTAMP: 0x2,
  SO_NOSIGPIPE: 0x1022,
  SO_BINDTODEVICE: 0x1134,
  SO_NREAD: 0x1020,
  SO_NWRITE: 0x1024,
  SO_NET_SERVICE_TYPE: 0x1116,
  MSG_NOSIGNAL: 0x80000,
  // <time.h>
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 6,
  // <netinet/in.h>
  IP_RECVIF: 20,
  IP_RECVTTL: 24,
  IP_BOUND_IF: 25,
  IP_PKTINFO: 26,
  IP_RECVTOS: 27,
  IP_DONTFRAG: 28,
  IP_MULTICAST_IFINDEX: 66,
  IP_ADD_SOURCE_MEMBERSHIP: 70,
  IP_DROP_SOURCE_MEMBERSHIP: 71,
  IP_BLOCK_SOURCE: 72,
  IP_UNBLOCK_SOURCE: 73,
  MCAST_JOIN_GROUP: 80,
  MCAST_LEAVE_GROUP: 81,
  MCAST_JOIN_SOURCE_GROUP: 82,
  MCAST_LEAVE_SOURCE_GROUP: 83,
  MCAST_BLOCK_SOURCE: 84,
  MCAST_UNBLOCK_SOURCE: 85,
  // <netinet6/in6.h>, RFC 3542's numbers: hidden by the SDK unless __APPLE_USE_RFC_3542 is defined (P22)
  IPV6_RECVTCLASS: 35,
  IPV6_TCLASS: 36,
  IPV6_RECVPKTINFO: 61,
  IPV6_BOUND_IF: 125,
} as const satisfies Constants;

const structs = {
  ...bsdStructs,
  msghdr_x,
  sockaddr_storage: sockaddr_storageLen,
  sockaddr_dl: sockaddr_dlDarwin,
  in_pktinfo,
  ip_mreqn,
  ip_mreq_source: ip_mreq_sourceFirst,
  group_req: group_reqPacked(sockaddr_storageLen),
  group_source_req: group_source_reqPacked(sockaddr_storageLen),
  timespec,
  timeval: timevalInt,
};

/** <sys/errno.h> beyond 4.4BSD's. */
const errno = { ...bsdErrno, ENOTSUP: 45, EOVERFLOW: 84, ECANCELED: 89, EPROTO: 100, EOPNOTSUPP: 102 };

/** undefined for a CPU that no fixture covers. */
export function darwin(arch: string): Platform | undefined {
  if (arch !== 'arm64' && arch !== 'x64') return undefined;
  const types = structsOf(LP64, structs);
  const pktinfo = { level: c.IPPROTO_IP, type: c.IP_PKTINFO };
  const source = specDstDeparture(pktinfo, types.in_pktinfo, false);
  const timestamp = { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP };
  return bsd({
    name: 'darwin',
    arch,
    abi: LP64,
    constants: c,
    errno,
    structs: types,
    // There is no recvmmsg: the array of messages is ours.
    mmsghdr: mmsghdr(msghdrInt)(LP64),
    // __DARWIN_ALIGN32. <sys/socket.h>
    cmsgAlign: 4,
    requests,
    carried,
    arrivals: [
      addrArrival(pktinfo, types.in_pktinfo),
      tosArrival({ level: c.IPPROTO_IP, type: c.IP_RECVTOS }, 1),
      timeArrival(timestamp, types.timeval, 'tv_usec', 1000, LP64.endianness),
    ],
    // A mapped peer goes the IPv4 way, which looks at IP_PKTINFO alone (P15).
    departures: { udp4: source, mapped: source },
    // udp_check_pktinfo() takes an int IP_TOS (P21) and no TTL.
    tos: { level: c.IPPROTO_IP, type: c.IP_TOS, size: 4 },
    // recvmsg_x alone: sendmsg_x loses counts (P33). 11417 allows no other flag.
    privateBatch: () => ({
      symbol: 'recvmsg_x',
      message: privateBatchLayout(LP64, types.msghdr_x, types.iovec),
      flags: c.MSG_DONTWAIT,
    }),
    pinFlags: 0x2 | 0x80, // <dlfcn.h>
    settings: () => bsdSettings('macOS', c, types, { bindToDevice }),
    quirks: {
      sourceOnlyFromWildcard: true,
      dualStack: true,
      sourceUnroutable: ['EHOSTUNREACH'],
      mappedTellsNothing: true,
      connectNarrows: true,
      hearsGroupsOfOthers: [6],
    },
  });
}

/** IP_RECVPKTINFO is IP_PKTINFO's other name; unlike IP_RECVDSTADDR it tells the interface as well. */
const requests = bsdRequests(c, c.IP_PKTINFO);

/**
 * IPPROTO_IP options fail on AF_INET6 sockets. IPv4 datagrams there bring their TOS as IPV6_TCLASS, and no hop limit
 * (P14).
 */
const carried = bsdCarried('macOS', c, {
  recvTOS: perFamily({ ip: c.IP_RECVTOS, ipv6: c.IPV6_RECVTCLASS }, 'ipv6'),
});

const boundIf = { level: c.IPPROTO_IP, name: c.IP_BOUND_IF, takes: 'index' } as const;
const boundIf6 = { level: c.IPPROTO_IPV6, name: c.IPV6_BOUND_IF, takes: 'index' } as const;
const bindToDevice = { ask: { udp4: [boundIf], udp6: [boundIf6], dual: [boundIf6] }, hears: true };
