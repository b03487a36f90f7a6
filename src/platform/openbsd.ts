/**
 * OpenBSD: FreeBSD's messages with its own numbers, and no IPv4-mapped addresses at all. Semantics were read in 7.7-era
 * kernel sources, see test/abi/fixtures; numbers from the headers of 7.8.
 */
import { ip_mreqn } from '../structs/membership';
import { mmsghdr, msghdrInt } from '../structs/msghdr';
import { type Abi, I386, LP64 } from '../structs/ref';
import { sockaddr_dlOpenBSD, sockaddr_storageOpenBSD } from '../structs/sockaddr';
import { structsOf } from '../structs/struct';
import { timespec64, timeval64Long } from '../structs/time';
import { everywhere, perFamily } from './ask';
import { bsd, bsdConstants, bsdRequests, bsdStructs, recvDstAddr } from './bsd';
import { bsdErrno } from './bsd-errno';
import { bsdCarried, bsdSettings } from './bsd-settings';
import { originalPortArrival, timeArrival } from './metadata';
import type { Constants, Platform } from './platform';
import { interfaceArrival } from './recvdstaddr';

const abis: Readonly<Record<string, Abi>> = { x64: LP64, arm64: LP64, ia32: I386 };

const c = {
  ...bsdConstants,
  // <sys/socket.h>
  AF_INET6: 24,
  SO_SNDTIMEO: 0x1005,
  SO_RCVTIMEO: 0x1006,
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

/** There is no source-specific multicast for sockets here, hence neither ip_mreq_source nor group_source_req. */
const structs = {
  ...bsdStructs,
  mmsghdr: mmsghdr(msghdrInt),
  sockaddr_storage: sockaddr_storageOpenBSD,
  sockaddr_dl: sockaddr_dlOpenBSD,
  ip_mreqn,
  timespec: timespec64,
  timeval: timeval64Long,
};

/** <sys/errno.h> beyond 4.4BSD's. EOPNOTSUPP is not ENOTSUP here. */
const errno = { ...bsdErrno, EOPNOTSUPP: 45, EOVERFLOW: 87, ECANCELED: 88, ENOTSUP: 91, EPROTO: 95 };

/** undefined for a CPU that no fixture covers. */
export function openbsd(arch: string): Platform | undefined {
  const abi = Object.hasOwn(abis, arch) ? abis[arch] : undefined;
  if (abi === undefined) return undefined;
  const types = structsOf(abi, structs);
  const { destination, source } = recvDstAddr(c, abi);
  const timestamp = { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP };
  return bsd({
    name: 'openbsd',
    arch,
    abi,
    constants: c,
    errno,
    structs: types,
    mmsghdr: types.mmsghdr,
    // _ALIGN rounds up to sizeof(long) on these CPUs. <machine/_types.h>
    cmsgAlign: abi.pointerSize,
    requests,
    carried,
    arrivals: [
      destination,
      interfaceArrival({ level: c.IPPROTO_IP, type: c.IP_RECVIF }, types.sockaddr_dl, abi.endianness),
      timeArrival(timestamp, types.timeval, 'tv_usec', 1000, abi.endianness),
      originalPortArrival({ level: c.IPPROTO_IP, type: c.IP_RECVDSTPORT }),
      originalPortArrival({ level: c.IPPROTO_IPV6, type: c.IPV6_RECVDSTPORT }),
    ],
    // udp_output ignores whatever is not IP_SENDSRCADDR: no TOS for IPv4.
    departures: { udp4: source },
    mmsg: { count: 'unsigned int', max: 1024, lateError: 'kept' },
    errnoLocation: '__errno', // <errno.h>
    pinFlags: 0x2 | 0x400, // include/dlfcn.h
    settings: () => bsdSettings('OpenBSD', c, types, { freebind: bindAny, transparent: bindAny }),
    // IPv6's groups as on FreeBSD and macOS, where they were seen: the same code from KAME.
    quirks: { sourceOnlyFromWildcard: false, dualStack: false, ipMulticastOptionSize: 1, hearsGroupsOfOthers: [6] },
  });
}

const requests = bsdRequests(c, c.IP_RECVDSTADDR, c.IP_RECVIF);

const carried = bsdCarried('OpenBSD', c, {
  // There is no IP_RECVTOS.
  recvTOS: perFamily({ ipv6: c.IPV6_RECVTCLASS }, 'ipv6'),
  // The port alone: what pf diverts keeps its destination address.
  originalDestination: perFamily({ ip: c.IP_RECVDSTPORT, ipv6: c.IPV6_RECVDSTPORT }, 'ipv6'),
});

const bindAny = { ask: everywhere({ level: c.SOL_SOCKET, name: c.SO_BINDANY }), needs: 'root' };
