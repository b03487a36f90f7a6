/**
 * OpenBSD: FreeBSD's messages with its own numbers, and no IPv4-mapped addresses at all. Semantics were read in 7.7-era
 * kernel sources, see test/abi/fixtures; numbers from the headers of 7.8.
 */
import { cmsghdrInt } from '../structs/cmsghdr';
import { ip_mreq, ip_mreqn, ipv6_mreq } from '../structs/membership';
import { iovec, mmsghdr, msghdrInt } from '../structs/msghdr';
import { in6_pktinfo } from '../structs/pktinfo';
import type { Abi } from '../structs/ref';
import { refFor } from '../structs/ref';
import {
  ip6_mtuinfo,
  sockaddr_dlOpenBSD,
  sockaddr_in6Len,
  sockaddr_inLen,
  sockaddr_storageOpenBSD,
} from '../structs/sockaddr';
import { timespec64, timeval64Long } from '../structs/time';
import { bsdConstants } from './bsd-constants';
import { bsdErrno } from './errno';
import { controlLayout, messageLayout } from './layout';
import { timeArrival, ttlArrival } from './metadata';
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
  AF_INET6: 24,
  SOCK_NONBLOCK: 0x4000,
  SOCK_CLOEXEC: 0x8000,
  SO_TIMESTAMP: 0x800,
  SCM_TIMESTAMP: 0x4,
  SO_BINDANY: 0x1000,
  SO_RTABLE: 0x1021,
  SO_DOMAIN: 0x1024,
  SO_PROTOCOL: 0x1025,
  MSG_BCAST: 0x100,
  MSG_MCAST: 0x200,
  MSG_NOSIGNAL: 0x400,
  MSG_WAITFORONE: 0x1000,
  // <sys/_time.h>
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 3,
  CLOCK_BOOTTIME: 6,
  // <netinet/in.h>
  IP_SENDSRCADDR: 7,
  IP_RECVIF: 30,
  IP_RECVTTL: 31,
  IP_RECVDSTPORT: 33,
  // <netinet6/in6.h>
  IPV6_RECVPKTINFO: 36,
  IPV6_RECVTCLASS: 57,
  IPV6_TCLASS: 61,
  IPV6_RECVDSTPORT: 64,
} as const satisfies Constants;

/** undefined for a CPU that no fixture covers. */
export function openbsd(arch: string): Platform | undefined {
  const abi = Object.hasOwn(abis, arch) ? abis[arch] : undefined;
  if (abi === undefined) return undefined;
  const types = structs(abi);
  const { in_addr } = refFor(abi).types;
  const timestamp = { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP };
  return {
    name: 'openbsd',
    arch,
    calls: 'posix',
    structs: types,
    message: messageLayout(abi, types.mmsghdr, types.msghdr, types.iovec),
    // _ALIGN rounds up to sizeof(long) on these CPUs. <machine/_types.h>
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
      timeArrival(timestamp, types.timeval, 'tv_usec', 1000, abi.endianness),
    ],
    departures: {
      udp4: sourceDeparture({ level: c.IPPROTO_IP, type: c.IP_SENDSRCADDR }, in_addr),
      udp6: rfc3542Departure(c, types.in6_pktinfo),
    },
    // udp_output ignores whatever is not IP_SENDSRCADDR.
    ttl: { udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_HOPLIMIT, size: 4 } },
    tos: { udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_TCLASS, size: 4 } },
    mmsg: { count: 'unsigned int' },
    pinFlags: 0x2 | 0x400, // include/dlfcn.h
    quirks: {
      sourceOnlyFromWildcard: false,
      dualStack: false,
      sourceGone: ['EADDRNOTAVAIL'],
      zoneIsIndex: false,
      backOff: ['ENOBUFS'],
      // udp_sendspace, "really max datagram size", is 9216 here too. netinet/udp_usrreq.c
      minSendBuffer: 65535 + 256,
      reuseAddr: c.SO_REUSEPORT,
      ipMulticastOptionSize: 1,
    },
  };
}

/** There is no source-specific multicast for sockets here, hence neither ip_mreq_source nor group_source_req. */
function structs(abi: Abi) {
  return {
    msghdr: msghdrInt(abi),
    mmsghdr: mmsghdr(msghdrInt)(abi),
    iovec: iovec(abi),
    cmsghdr: cmsghdrInt(abi),
    sockaddr_in: sockaddr_inLen(abi),
    sockaddr_in6: sockaddr_in6Len(abi),
    sockaddr_storage: sockaddr_storageOpenBSD(abi),
    sockaddr_dl: sockaddr_dlOpenBSD(abi),
    in6_pktinfo: in6_pktinfo(abi),
    ip_mreq: ip_mreq(abi),
    ip_mreqn: ip_mreqn(abi),
    ipv6_mreq: ipv6_mreq(abi),
    ip6_mtuinfo: ip6_mtuinfo(abi),
    timespec: timespec64(abi),
    timeval: timeval64Long(abi),
  };
}

/** <sys/errno.h> beyond 4.4BSD's. EOPNOTSUPP is not ENOTSUP here. */
const errno = { ...bsdErrno, EOPNOTSUPP: 45, EOVERFLOW: 87, ECANCELED: 88, ENOTSUP: 91, EPROTO: 95 };

const IPV6_RECVPKTINFO = [{ level: c.IPPROTO_IPV6, name: c.IPV6_RECVPKTINFO }];

const requests: Platform['requests'] = {
  udp4: [
    { level: c.IPPROTO_IP, name: c.IP_RECVDSTADDR },
    { level: c.IPPROTO_IP, name: c.IP_RECVIF, optional: true },
  ],
  udp6: IPV6_RECVPKTINFO,
  // No such sockets: IPV6_V6ONLY cannot be cleared. IPv6 alone arrives.
  dual: IPV6_RECVPKTINFO,
};

const RECVHOPLIMIT = [{ level: c.IPPROTO_IPV6, name: c.IPV6_RECVHOPLIMIT }];
const RECVTCLASS = [{ level: c.IPPROTO_IPV6, name: c.IPV6_RECVTCLASS }];
const SO_TIMESTAMP = [{ level: c.SOL_SOCKET, name: c.SO_TIMESTAMP }];

const optionRequests: Platform['optionRequests'] = {
  recvTTL: { udp4: [{ level: c.IPPROTO_IP, name: c.IP_RECVTTL }], udp6: RECVHOPLIMIT, dual: RECVHOPLIMIT },
  // There is no IP_RECVTOS.
  recvTOS: { udp4: [], udp6: RECVTCLASS, dual: RECVTCLASS },
  recvTimestamp: { udp4: SO_TIMESTAMP, udp6: SO_TIMESTAMP, dual: SO_TIMESTAMP },
};
