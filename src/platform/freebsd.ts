/**
 * FreeBSD. IPv4's destination, interface and source are three messages, and a source is refused on a socket that is
 * bound to one address (P5). Semantics were read in 15-era kernel sources, see test/abi/fixtures.
 */
import { cmsghdrInt } from '../structs/cmsghdr';
import { group_req, group_source_req, ip_mreq, ip_mreq_sourceFirst, ip_mreqn, ipv6_mreq } from '../structs/membership';
import { iovec, mmsghdrSsizeT, msghdrInt } from '../structs/msghdr';
import { in6_pktinfo } from '../structs/pktinfo';
import type { Abi } from '../structs/ref';
import { refFor } from '../structs/ref';
import {
  ip6_mtuinfo,
  sockaddr_dlFreeBSD,
  sockaddr_in6Len,
  sockaddr_inLen,
  sockaddr_storageLen,
} from '../structs/sockaddr';
import { timespec, timeval } from '../structs/time';
import { bsdConstants } from './bsd-constants';
import { bsdErrno } from './errno';
import { controlLayout, messageLayout } from './layout';
import { timeArrival, tosArrival, ttlArrival } from './metadata';
import type { Constants, Platform } from './platform';
import { destinationArrival, interfaceArrival, sourceDeparture } from './recvdstaddr';
import { rfc3542Arrivals, rfc3542Departure } from './rfc3542';

const LP64: Abi = { pointerSize: 8, endianness: 'LE', int64Alignment: 8 };

const abis: Readonly<Record<string, Abi>> = {
  x64: LP64,
  arm64: LP64,
  ia32: { pointerSize: 4, endianness: 'LE', int64Alignment: 4 },
};

const c = {
  ...bsdConstants,
  // <sys/socket.h>
  AF_INET6: 28,
  SOCK_CLOEXEC: 0x10000000,
  SOCK_NONBLOCK: 0x20000000,
  SO_TIMESTAMP: 0x400,
  SCM_TIMESTAMP: 0x2,
  SO_NOSIGPIPE: 0x800,
  SO_REUSEPORT_LB: 0x10000,
  SO_RERROR: 0x20000,
  SO_USER_COOKIE: 0x1015,
  SO_PROTOCOL: 0x1016,
  SO_TS_CLOCK: 0x1017,
  SO_TS_REALTIME_MICRO: 0,
  SO_TS_BINTIME: 1,
  SO_TS_REALTIME: 2,
  SO_TS_MONOTONIC: 3,
  SCM_REALTIME: 0x5,
  SO_DOMAIN: 0x1019,
  MSG_NOSIGNAL: 0x20000,
  MSG_WAITFORONE: 0x80000,
  // <sys/filio.h>
  FIONWRITE: 0x40046677,
  // <sys/_clock_id.h>
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 4,
  CLOCK_BOOTTIME: 4,
  CLOCK_TAI: 16,
  // <netinet/in.h>
  IP_SENDSRCADDR: 7,
  IP_RECVIF: 20,
  IP_BINDANY: 24,
  IP_ORIGDSTADDR: 27,
  IP_RECVORIGDSTADDR: 27,
  IP_RECVTTL: 65,
  IP_DONTFRAG: 67,
  IP_RECVTOS: 68,
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
  // <netinet6/in6.h>
  IPV6_RECVPKTINFO: 36,
  IPV6_RECVTCLASS: 57,
  IPV6_TCLASS: 61,
  IPV6_BINDANY: 64,
  IPV6_ORIGDSTADDR: 72,
  IPV6_RECVORIGDSTADDR: 72,
} as const satisfies Constants;

/** undefined for a CPU that no fixture covers. */
export function freebsd(arch: string): Platform | undefined {
  const abi = Object.hasOwn(abis, arch) ? abis[arch] : undefined;
  if (abi === undefined) return undefined;
  const types = structs(abi);
  const { in_addr } = refFor(abi).types;
  const source = sourceDeparture({ level: c.IPPROTO_IP, type: c.IP_SENDSRCADDR }, in_addr);
  const timestamp = { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP };
  return {
    name: 'freebsd',
    arch,
    calls: 'posix',
    structs: types,
    message: messageLayout(abi, types.mmsghdr, types.msghdr, types.iovec),
    // _ALIGN rounds up to sizeof(register_t). <machine/_align.h>
    cmsg: controlLayout(types.cmsghdr, abi.pointerSize),
    saLen: true,
    constants: c,
    errno,
    requests,
    optionRequests,
    arrivals: [
      destinationArrival({ level: c.IPPROTO_IP, type: c.IP_RECVDSTADDR }, in_addr),
      interfaceArrival({ level: c.IPPROTO_IP, type: c.IP_RECVIF }, types.sockaddr_dl, abi.endianness),
      ...rfc3542Arrivals(c, types.in6_pktinfo),
      ttlArrival({ level: c.IPPROTO_IP, type: c.IP_RECVTTL }, 1),
      tosArrival({ level: c.IPPROTO_IP, type: c.IP_RECVTOS }, 1),
      timeArrival(timestamp, types.timeval, 'tv_usec', 1000, abi.endianness),
    ],
    // A mapped peer goes the IPv4 way, which takes IP_SENDSRCADDR on old and new kernels. IPV6_PKTINFO with a mapped address is
    // heeded only since 12.2 (D24135, P16); before that it was skipped without an error.
    departures: { udp4: source, udp6: rfc3542Departure(c, types.in6_pktinfo), mapped: source },
    ttl: { udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_HOPLIMIT, size: 4 } },
    // A u_char IP_TOS since 14; before that ENOPROTOOPT.
    tos: {
      udp4: { level: c.IPPROTO_IP, type: c.IP_TOS, size: 1 },
      udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_TCLASS, size: 4 },
    },
    mmsg: { count: 'size_t' },
    pinFlags: 0x2 | 0x1000, // <sys/dlfcn.h>, <dlfcn.h>
    quirks: {
      sourceOnlyFromWildcard: true,
      dualStack: true,
      sourceGone: ['EADDRNOTAVAIL'],
      zoneIsIndex: false,
      backOff: ['ENOBUFS'],
      // udp_sendspace, "really max datagram size", is 9216 here too. netinet/udp_usrreq.c
      minSendBuffer: 65535 + 256,
      reuseAddr: c.SO_REUSEPORT,
      reusePort: c.SO_REUSEPORT_LB,
      ipMulticastOptionSize: 4,
    },
  };
}

function structs(abi: Abi) {
  return {
    msghdr: msghdrInt(abi),
    mmsghdr: mmsghdrSsizeT(abi),
    iovec: iovec(abi),
    cmsghdr: cmsghdrInt(abi),
    sockaddr_in: sockaddr_inLen(abi),
    sockaddr_in6: sockaddr_in6Len(abi),
    sockaddr_storage: sockaddr_storageLen(abi),
    sockaddr_dl: sockaddr_dlFreeBSD(abi),
    in6_pktinfo: in6_pktinfo(abi),
    ip_mreq: ip_mreq(abi),
    ip_mreqn: ip_mreqn(abi),
    ipv6_mreq: ipv6_mreq(abi),
    ip_mreq_source: ip_mreq_sourceFirst(abi),
    group_req: group_req(sockaddr_storageLen)(abi),
    group_source_req: group_source_req(sockaddr_storageLen)(abi),
    ip6_mtuinfo: ip6_mtuinfo(abi),
    timespec: timespec(abi),
    timeval: timeval(abi),
  };
}

/** <sys/errno.h> beyond 4.4BSD's. */
const errno = { ...bsdErrno, ENOTSUP: 45, EOVERFLOW: 84, ECANCELED: 85, EPROTO: 92 };

const IPV6_RECVPKTINFO = [{ level: c.IPPROTO_IPV6, name: c.IPV6_RECVPKTINFO }];

const requests: Platform['requests'] = {
  udp4: [
    { level: c.IPPROTO_IP, name: c.IP_RECVDSTADDR },
    { level: c.IPPROTO_IP, name: c.IP_RECVIF, optional: true },
  ],
  udp6: IPV6_RECVPKTINFO,
  // IPv4 datagrams bring it with a mapped address (later than 12.1).
  dual: IPV6_RECVPKTINFO,
};

/** IPv4 datagrams on a dual-stack socket bring IPv6's messages, hop limit and traffic class included. */
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
