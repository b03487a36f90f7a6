/**
 * NetBSD: OpenBSD's messages with its own numbers. koffi has no binary for it, so a socket there ends in koffi's error;
 * the data is ready for the day it has one (libc's socket() is then the symbol __socket30). Semantics were read in kernel
 * sources later than 2020, see test/abi/fixtures; numbers from the headers of 10.1.
 */
import { cmsghdrInt } from '../structs/cmsghdr';
import { ip_mreq, ipv6_mreq } from '../structs/membership';
import { iovec, mmsghdr, msghdrInt } from '../structs/msghdr';
import { in_pktinfoAddrFirst, in6_pktinfo } from '../structs/pktinfo';
import type { Abi } from '../structs/ref';
import { refFor } from '../structs/ref';
import {
  ip6_mtuinfo,
  sockaddr_dlNetBSD,
  sockaddr_in6Len,
  sockaddr_inLen,
  sockaddr_storageLen,
} from '../structs/sockaddr';
import { timespec64, timevalInt } from '../structs/time';
import { bsdConstants } from './bsd-constants';
import { bsdErrno } from './errno';
import { controlLayout, messageLayout } from './layout';
import { timeArrival, ttlArrival } from './metadata';
import type { Constants, Platform } from './platform';
import { destinationArrival, interfaceArrival, sourceDeparture } from './recvdstaddr';
import { rfc3542Arrivals, rfc3542Departure } from './rfc3542';

const LP64: Abi = { pointerSize: 8, endianness: 'LE', int64Alignment: 8 };

/** `align`: what CMSG_ALIGN rounds up to, __ALIGNBYTES of <machine/cdefs.h>; on aarch64 that of __int128_t. */
const cpus: Readonly<Record<string, { readonly abi: Abi; readonly align: number }>> = {
  x64: { abi: LP64, align: 8 },
  arm64: { abi: LP64, align: 16 },
  ia32: { abi: { pointerSize: 4, endianness: 'LE', int64Alignment: 4 }, align: 4 },
  arm: { abi: { pointerSize: 4, endianness: 'LE', int64Alignment: 8 }, align: 8 },
};

const c = {
  ...bsdConstants,
  // <sys/socket.h>
  AF_INET6: 24,
  SOCK_CLOEXEC: 0x10000000,
  SOCK_NONBLOCK: 0x20000000,
  SO_NOSIGPIPE: 0x800,
  SO_TIMESTAMP: 0x2000,
  SCM_TIMESTAMP: 0x8,
  MSG_BCAST: 0x100,
  MSG_MCAST: 0x200,
  MSG_NOSIGNAL: 0x400,
  MSG_WAITFORONE: 0x2000,
  SO_RERROR: 0x4000,
  // <sys/filio.h>
  FIONWRITE: 0x40046679,
  // <sys/time.h>
  CLOCK_REALTIME: 0,
  CLOCK_MONOTONIC: 3,
  // <netinet/in.h>
  IP_SENDSRCADDR: 7,
  IP_RECVIF: 20,
  IP_RECVTTL: 23,
  IP_PKTINFO: 25,
  IP_RECVPKTINFO: 26,
  IP_BINDANY: 27,
  // <netinet6/in6.h>
  IPV6_RECVPKTINFO: 36,
  IPV6_RECVTCLASS: 57,
  IPV6_TCLASS: 61,
  IPV6_BINDANY: 64,
} as const satisfies Constants;

/** undefined for a CPU that no fixture covers. */
export function netbsd(arch: string): Platform | undefined {
  const cpu = Object.hasOwn(cpus, arch) ? cpus[arch] : undefined;
  if (cpu === undefined) return undefined;
  const { abi, align } = cpu;
  const types = structs(abi);
  const { in_addr } = refFor(abi).types;
  const timestamp = { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP };
  return {
    name: 'netbsd',
    arch,
    calls: 'posix',
    structs: types,
    message: messageLayout(abi, types.mmsghdr, types.msghdr, types.iovec),
    cmsg: controlLayout(types.cmsghdr, align),
    saLen: true,
    constants: c,
    errno,
    requests,
    optionRequests,
    arrivals: [
      // Not IP_PKTINFO, whose ipi_addr was the sender's on older kernels.
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
    // ip_setpktopts refuses what it does not know with ENOPROTOOPT.
    ttl: { udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_HOPLIMIT, size: 4 } },
    tos: { udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_TCLASS, size: 4 } },
    mmsg: { count: 'unsigned int' },
    quirks: {
      sourceOnlyFromWildcard: false,
      // What it does with IPv4-mapped addresses could not be found out.
      dualStack: false,
      sourceGone: ['EADDRNOTAVAIL'],
      zoneIsIndex: false,
      backOff: ['ENOBUFS'],
      // udp_sendspace, "really max datagram size", is 9216 here too. netinet/udp_usrreq.c
      minSendBuffer: 65535 + 256,
      reuseAddr: c.SO_REUSEPORT,
      ipMulticastOptionSize: 4,
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
    sockaddr_storage: sockaddr_storageLen(abi),
    sockaddr_dl: sockaddr_dlNetBSD(abi),
    in_pktinfo: in_pktinfoAddrFirst(abi),
    in6_pktinfo: in6_pktinfo(abi),
    ip_mreq: ip_mreq(abi),
    ipv6_mreq: ipv6_mreq(abi),
    ip6_mtuinfo: ip6_mtuinfo(abi),
    timespec: timespec64(abi),
    timeval: timevalInt(abi),
  };
}

/** <sys/errno.h> beyond 4.4BSD's. EOPNOTSUPP is not ENOTSUP here. */
const errno = { ...bsdErrno, EOPNOTSUPP: 45, EOVERFLOW: 84, ENOTSUP: 86, ECANCELED: 87, EPROTO: 96 };

const IPV6_RECVPKTINFO = [{ level: c.IPPROTO_IPV6, name: c.IPV6_RECVPKTINFO }];

const requests: Platform['requests'] = {
  udp4: [
    { level: c.IPPROTO_IP, name: c.IP_RECVDSTADDR },
    { level: c.IPPROTO_IP, name: c.IP_RECVIF, optional: true },
  ],
  udp6: IPV6_RECVPKTINFO,
  // No such sockets, see `dualStack`. IPv6 alone arrives.
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
