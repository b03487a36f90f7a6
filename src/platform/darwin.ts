/**
 * macOS. Its IPv4 source must be asked for as nowhere else: IP_PKTINFO with ipi_spec_dst and no interface (P3), and only
 * on wildcard-bound sockets (P4). Semantics were read in xnu-11417, see test/abi/fixtures; numbers from the headers named.
 */
import { cmsghdrInt } from '../structs/cmsghdr';
import {
  group_reqPacked,
  group_source_reqPacked,
  ip_mreq,
  ip_mreq_sourceFirst,
  ip_mreqn,
  ipv6_mreq,
} from '../structs/membership';
import { iovec, mmsghdr, msghdrInt } from '../structs/msghdr';
import { in_pktinfo, in6_pktinfo } from '../structs/pktinfo';
import type { Abi } from '../structs/ref';
import {
  ip6_mtuinfo,
  sockaddr_dlDarwin,
  sockaddr_in6Len,
  sockaddr_inLen,
  sockaddr_storageLen,
} from '../structs/sockaddr';
import { timespec, timevalInt } from '../structs/time';
import { bsdConstants } from './bsd-constants';
import { bsdErrno } from './errno';
import { controlLayout, messageLayout } from './layout';
import { timeArrival, tosArrival, ttlArrival } from './metadata';
import { addrArrival, specDstDeparture } from './pktinfo';
import type { Constants, Platform, Request } from './platform';
import { rfc3542Arrivals, rfc3542Departure } from './rfc3542';

const LP64: Abi = { pointerSize: 8, endianness: 'LE', int64Alignment: 8 };

const c = {
  ...bsdConstants,
  // <sys/socket.h>
  AF_INET6: 30,
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

/** undefined for a CPU that no fixture covers. */
export function darwin(arch: string): Platform | undefined {
  if (arch !== 'arm64' && arch !== 'x64') return undefined;
  const types = structs(LP64);
  const pktinfo = { level: c.IPPROTO_IP, type: c.IP_PKTINFO };
  const departure = specDstDeparture(pktinfo, types.in_pktinfo, false);
  const timestamp = { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP };
  return {
    name: 'darwin',
    arch,
    calls: 'posix',
    structs: types,
    // recvmsg_x and sendmsg_x are private and lose counts (P33): the array of messages is ours.
    message: messageLayout(LP64, mmsghdr(msghdrInt)(LP64), types.msghdr, types.iovec),
    // __DARWIN_ALIGN32. <sys/socket.h>
    cmsg: controlLayout(types.cmsghdr, 4),
    saLen: true,
    constants: c,
    errno,
    requests: { udp4: [IP_RECVPKTINFO], udp6: [IPV6_RECVPKTINFO], dual: [IPV6_RECVPKTINFO] },
    optionRequests,
    arrivals: [
      addrArrival(pktinfo, types.in_pktinfo),
      ...rfc3542Arrivals(c, types.in6_pktinfo),
      ttlArrival({ level: c.IPPROTO_IP, type: c.IP_RECVTTL }, 1),
      tosArrival({ level: c.IPPROTO_IP, type: c.IP_RECVTOS }, 1),
      timeArrival(timestamp, types.timeval, 'tv_usec', 1000, LP64.endianness),
    ],
    // A mapped peer goes the IPv4 way, which looks at IP_PKTINFO alone (P15).
    departures: { udp4: departure, udp6: rfc3542Departure(c, types.in6_pktinfo), mapped: departure },
    // udp_check_pktinfo() takes an int IP_TOS (P21) and no TTL.
    ttl: { udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_HOPLIMIT, size: 4 } },
    tos: {
      udp4: { level: c.IPPROTO_IP, type: c.IP_TOS, size: 4 },
      udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_TCLASS, size: 4 },
    },
    pinFlags: 0x2 | 0x80, // <dlfcn.h>
    quirks: {
      sourceOnlyFromWildcard: true,
      dualStack: true,
      sourceGone: ['EADDRNOTAVAIL'],
      zoneIsIndex: false,
      backOff: ['ENOBUFS'],
      // The default of 9216 is also the largest datagram (P37); at a datagram's own size EWOULDBLOCK never ends (P34).
      minSendBuffer: 65535 + 256,
      reuseAddr: c.SO_REUSEPORT,
      ipMulticastOptionSize: 4,
    },
  };
}

function structs(abi: Abi) {
  return {
    msghdr: msghdrInt(abi),
    iovec: iovec(abi),
    cmsghdr: cmsghdrInt(abi),
    sockaddr_in: sockaddr_inLen(abi),
    sockaddr_in6: sockaddr_in6Len(abi),
    sockaddr_storage: sockaddr_storageLen(abi),
    sockaddr_dl: sockaddr_dlDarwin(abi),
    in_pktinfo: in_pktinfo(abi),
    in6_pktinfo: in6_pktinfo(abi),
    ip_mreq: ip_mreq(abi),
    ip_mreqn: ip_mreqn(abi),
    ipv6_mreq: ipv6_mreq(abi),
    ip_mreq_source: ip_mreq_sourceFirst(abi),
    group_req: group_reqPacked(sockaddr_storageLen)(abi),
    group_source_req: group_source_reqPacked(sockaddr_storageLen)(abi),
    ip6_mtuinfo: ip6_mtuinfo(abi),
    timespec: timespec(abi),
    timeval: timevalInt(abi),
  };
}

/** <sys/errno.h> beyond 4.4BSD's. */
const errno = { ...bsdErrno, ENOTSUP: 45, EOVERFLOW: 84, ECANCELED: 89, EPROTO: 100, EOPNOTSUPP: 102 };

/** IP_RECVPKTINFO is this number's other name; unlike IP_RECVDSTADDR it tells the interface as well. */
const IP_RECVPKTINFO: Request = { level: c.IPPROTO_IP, name: c.IP_PKTINFO };
const IPV6_RECVPKTINFO: Request = { level: c.IPPROTO_IPV6, name: c.IPV6_RECVPKTINFO };

/**
 * IPPROTO_IP options fail on AF_INET6 sockets. IPv4 datagrams there bring their TOS as IPV6_TCLASS, and no hop limit
 * (P14).
 */
const perFamily = (ip: number, ipv6: number) => {
  const udp6 = [{ level: c.IPPROTO_IPV6, name: ipv6 }];
  return { udp4: [{ level: c.IPPROTO_IP, name: ip }], udp6, dual: udp6 };
};

const SO_TIMESTAMP = [{ level: c.SOL_SOCKET, name: c.SO_TIMESTAMP }];

const optionRequests: Platform['optionRequests'] = {
  recvTTL: perFamily(c.IP_RECVTTL, c.IPV6_RECVHOPLIMIT),
  recvTOS: perFamily(c.IP_RECVTOS, c.IPV6_RECVTCLASS),
  recvTimestamp: { udp4: SO_TIMESTAMP, udp6: SO_TIMESTAMP, dual: SO_TIMESTAMP },
};
