/**
 * NetBSD: OpenBSD's messages with its own numbers, and an IP_PKTINFO of eight bytes. koffi has no binary for it, so a socket
 * there ends in koffi's error; the data is ready for the day it has one (libc's socket() is then the symbol __socket30).
 * Semantics were read in kernel sources later than 2020, see test/abi/fixtures; numbers from the headers of 10.1.
 */
import { mmsghdr, msghdrInt } from '../structs/msghdr';
import { in_pktinfoAddrFirst } from '../structs/pktinfo';
import { type Abi, I386, ILP32, LP64 } from '../structs/ref';
import { sockaddr_dlNetBSD, sockaddr_storageLen } from '../structs/sockaddr';
import { structsOf } from '../structs/struct';
import { timespec64, timevalInt } from '../structs/time';
import { perFamily } from './ask';
import { bsd, bsdConstants, bsdRequests, bsdStructs, recvDstAddr } from './bsd';
import { bsdErrno } from './bsd-errno';
import { bsdCarried, bsdSettings } from './bsd-settings';
import { timeArrival } from './metadata';
import { addrArrival } from './pktinfo';
import type { Constants, Platform } from './platform';

/** `align`: what CMSG_ALIGN rounds up to, __ALIGNBYTES of <machine/cdefs.h>; on aarch64 that of __int128_t. */
const cpus: Readonly<Record<string, { readonly abi: Abi; readonly align: number }>> = {
  x64: { abi: LP64, align: 8 },
  arm64: { abi: LP64, align: 16 },
  ia32: { abi: I386, align: 4 },
  arm: { abi: ILP32, align: 8 },
};

const c = {
  ...bsdConstants,
  // <sys/socket.h>
  AF_INET6: 24,
  SO_SNDTIMEO: 0x100b,
  SO_RCVTIMEO: 0x100c,
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

/** There is no source-specific multicast for sockets here, hence neither ip_mreq_source nor group_source_req. */
const structs = {
  ...bsdStructs,
  mmsghdr: mmsghdr(msghdrInt),
  sockaddr_storage: sockaddr_storageLen,
  sockaddr_dl: sockaddr_dlNetBSD,
  in_pktinfo: in_pktinfoAddrFirst,
  timespec: timespec64,
  timeval: timevalInt,
};

/** <sys/errno.h> beyond 4.4BSD's. EOPNOTSUPP is not ENOTSUP here. */
const errno = { ...bsdErrno, EOPNOTSUPP: 45, EOVERFLOW: 84, ENOTSUP: 86, ECANCELED: 87, EPROTO: 96 };

/** undefined for a CPU that no fixture covers. */
export function netbsd(arch: string): Platform | undefined {
  const cpu = Object.hasOwn(cpus, arch) ? cpus[arch] : undefined;
  if (cpu === undefined) return undefined;
  const { abi, align } = cpu;
  const types = structsOf(abi, structs);
  const { destination, source } = recvDstAddr(c, abi);
  const timestamp = { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMP };
  return bsd({
    name: 'netbsd',
    arch,
    abi,
    constants: c,
    errno,
    structs: types,
    mmsghdr: types.mmsghdr,
    cmsgAlign: align,
    requests,
    carried,
    arrivals: [
      destination,
      addrArrival({ level: c.IPPROTO_IP, type: c.IP_PKTINFO }, types.in_pktinfo),
      timeArrival(timestamp, types.timeval, 'tv_usec', 1000, abi.endianness),
    ],
    // ip_setpktopts refuses what it does not know with ENOPROTOOPT: no TOS for IPv4.
    departures: { udp4: source },
    errnoLocation: '__errno', // <errno.h>
    mmsg: { count: 'unsigned int', max: 1024, lateError: 'kept' },
    settings: () => bsdSettings('NetBSD', c, types, { freebind: bindAny, transparent: untold }),
    // What it does with IPv4-mapped addresses could not be found out.
    // IPv6's groups as on FreeBSD and macOS, where they were seen: the same code from KAME.
    quirks: { sourceOnlyFromWildcard: false, dualStack: false, hearsGroupsOfOthers: [6] },
  });
}

/**
 * Older kernels answer IP_RECVPKTINFO with a message of that number in which the sender's address stands; that one is not
 * read, and IP_RECVDSTADDR tells the destination there.
 */
const requests = bsdRequests(c, c.IP_RECVDSTADDR, c.IP_RECVPKTINFO);

// There is no IP_RECVTOS.
const carried = bsdCarried('NetBSD', c, { recvTOS: perFamily({ ipv6: c.IPV6_RECVTCLASS }, 'ipv6') });

const bindAny = { ask: perFamily({ ip: c.IP_BINDANY, ipv6: c.IPV6_BINDANY }, 'ipv6'), needs: 'root' };
const untold = { because: 'NetBSD does not tell where a diverted datagram had been sent to' };
