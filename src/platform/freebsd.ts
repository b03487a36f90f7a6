/**
 * FreeBSD. IPv4's destination, interface and source are three messages, and a source is refused on a socket that is
 * bound to one address (P5). Semantics were read in 15-era kernel sources, see test/abi/fixtures; what 13.0's code did
 * with our bytes wins where that is known.
 */
import { group_req, group_source_req, ip_mreq_sourceFirst, ip_mreqn } from '../structs/membership';
import { mmsghdrSsizeT } from '../structs/msghdr';
import { type Abi, I386, LP64 } from '../structs/ref';
import { sockaddr_dlFreeBSD, sockaddr_storageLen } from '../structs/sockaddr';
import { structsOf } from '../structs/struct';
import { timespec, timeval } from '../structs/time';
import { everywhere, perFamily } from './ask';
import { bsd, bsdConstants, bsdRequests, bsdStructs, recvDstAddr } from './bsd';
import { bsdErrno } from './bsd-errno';
import { bsdCarried, bsdSettings } from './bsd-settings';
import { original6Arrival, originalArrival, timeArrival, tosArrival } from './metadata';
import type { Constants, Platform } from './platform';
import { interfaceArrival } from './recvdstaddr';

const abis: Readonly<Record<string, Abi>> = { x64: LP64, arm64: LP64, ia32: I386 };

const c = {
  ...bsdConstants,
  // <sys/socket.h>
  AF_INET6: 28,
  SO_SNDTIMEO: 0x1005,
  SO_RCVTIMEO: 0x1006,
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

const structs = {
  ...bsdStructs,
  mmsghdr: mmsghdrSsizeT,
  sockaddr_storage: sockaddr_storageLen,
  sockaddr_dl: sockaddr_dlFreeBSD,
  ip_mreqn,
  ip_mreq_source: ip_mreq_sourceFirst,
  group_req: group_req(sockaddr_storageLen),
  group_source_req: group_source_req(sockaddr_storageLen),
  timespec,
  timeval,
};

/** <sys/errno.h> beyond 4.4BSD's. */
const errno = { ...bsdErrno, ENOTSUP: 45, EOVERFLOW: 84, ECANCELED: 85, EPROTO: 92 };

/** undefined for a CPU that no fixture covers. */
export function freebsd(arch: string): Platform | undefined {
  const abi = Object.hasOwn(abis, arch) ? abis[arch] : undefined;
  if (abi === undefined) return undefined;
  const types = structsOf(abi, structs);
  const { destination, source } = recvDstAddr(c, abi);
  const message = (type: number) => ({ level: c.IPPROTO_IP, type });
  const time = (type: number) => ({ level: c.SOL_SOCKET, type });
  return bsd({
    name: 'freebsd',
    arch,
    abi,
    constants: c,
    errno,
    structs: types,
    mmsghdr: types.mmsghdr,
    // _ALIGN rounds up to sizeof(register_t). <machine/_align.h>
    cmsgAlign: abi.pointerSize,
    requests,
    carried,
    arrivals: [
      destination,
      interfaceArrival(message(c.IP_RECVIF), types.sockaddr_dl, abi.endianness),
      tosArrival(message(c.IP_RECVTOS), 1),
      timeArrival(time(c.SCM_TIMESTAMP), types.timeval, 'tv_usec', 1000, abi.endianness),
      timeArrival(time(c.SCM_REALTIME), types.timespec, 'tv_nsec', 1, abi.endianness),
      originalArrival(message(c.IP_ORIGDSTADDR), types.sockaddr_in),
      original6Arrival({ level: c.IPPROTO_IPV6, type: c.IPV6_ORIGDSTADDR }, types.sockaddr_in6),
    ],
    // A mapped peer goes the IPv4 way, which takes IP_SENDSRCADDR on old and new kernels. IPV6_PKTINFO with a mapped address is
    // heeded only since 12.2 (D24135, P16); before that it was skipped without an error.
    departures: { udp4: source, mapped: source },
    // A u_char. 11's sources have it, 13.0 took it.
    tos: { ...message(c.IP_TOS), size: 1 },
    mmsg: { count: 'size_t', lateError: 'lost' },
    errnoLocation: '__error', // <errno.h>
    pinFlags: 0x2 | 0x1000, // <sys/dlfcn.h>, <dlfcn.h>
    settings: () => bsdSettings('FreeBSD', c, types, { freebind: bindAny, transparent: bindAny }),
    quirks: {
      sourceOnlyFromWildcard: true,
      dualStack: true,
      reusePort: c.SO_REUSEPORT_LB,
      sendsFromGroup: true,
      mappedTellsNothing: true,
      connectNarrows: true,
      hearsGroupsOfOthers: [6],
      interfaceTakesRoom: true,
    },
  });
}

/** IP_RECVIF is a whole sockaddr_dl per datagram: at the default SO_RCVBUF 276 small datagrams fit instead of 439 (P61). */
const requests = bsdRequests(c, c.IP_RECVDSTADDR, c.IP_RECVIF);

const family = (ip: number, ipv6: number) => perFamily({ ip, ipv6 }, 'ipv6');

const carried = bsdCarried('FreeBSD', c, {
  recvTOS: family(c.IP_RECVTOS, c.IPV6_RECVTCLASS),
  // SO_TIMESTAMP alone tells microseconds; the clock makes it an SCM_REALTIME.
  recvTimestamp: everywhere(
    { level: c.SOL_SOCKET, name: c.SO_TIMESTAMP },
    { level: c.SOL_SOCKET, name: c.SO_TS_CLOCK, value: c.SO_TS_REALTIME, optional: true },
  ),
  originalDestination: family(c.IP_RECVORIGDSTADDR, c.IPV6_RECVORIGDSTADDR),
});

const bindAny = { ask: family(c.IP_BINDANY, c.IPV6_BINDANY), needs: 'PRIV_NETINET_BINDANY' };
