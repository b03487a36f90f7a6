/**
 * Linux, with glibc and musl; android.ts shares what comes from the kernel. Semantics were run on Linux 6.18
 * (test/abi/fixtures); numbers come from the headers named beside them and are the same on every CPU supported here.
 */
import { type CmsghdrField, cmsghdrInt, cmsghdrPadded, cmsghdrSizeT } from '../structs/cmsghdr';
import { sock_extended_err } from '../structs/errqueue';
import { sock_filter, sock_fprog } from '../structs/filter';
import { group_req, group_source_req, ip_mreq, ip_mreq_source, ip_mreqn, ipv6_mreq } from '../structs/membership';
import { iovec, type MsghdrField, mmsghdr, msghdrInt, msghdrPadded, msghdrSizeT } from '../structs/msghdr';
import { in_pktinfo, in6_pktinfo } from '../structs/pktinfo';
import { type Abi, I386, ILP32, LP64 } from '../structs/ref';
import { sockaddr_in, sockaddr_in6, sockaddr_storage } from '../structs/sockaddr';
import { lazily, type Structs, type StructType, structsOf } from '../structs/struct';
import { sock_txtime, timespec, timespecPadded, timeval, timeval64 } from '../structs/time';
import { plainRequests } from './ask';
import { controlLayout, messageLayout } from './layout';
import { linuxConstants as c } from './linux-constants';
import { linuxErrno } from './linux-errno';
import { linuxCarried, linuxSettings } from './linux-settings';
import {
  dropsArrival,
  markArrival,
  original6Arrival,
  originalArrival,
  segmentArrival,
  timeArrival,
  tosArrival,
  ttlArrival,
} from './metadata';
import { specDstArrival, specDstDeparture } from './pktinfo';
import type { Arrival, Libc, Platform, Request } from './platform';
import { rfc3542Arrivals, rfc3542Departure } from './rfc3542';

const abis: Readonly<Record<string, Abi>> = {
  x64: LP64,
  arm64: LP64,
  riscv64: LP64,
  loong64: LP64,
  ppc64: LP64,
  arm: ILP32,
  ia32: I386,
};

/** undefined for a CPU that no fixture covers. */
export function linux(arch: string, libc: Libc = 'glibc'): Platform | undefined {
  const abi = Object.hasOwn(abis, arch) ? abis[arch] : undefined;
  if (abi === undefined) return undefined;
  const structs = libc === 'glibc' ? glibcStructs : abi.pointerSize === 8 ? musl64Structs : musl32Structs;
  return linuxKernel('linux', arch, abi, structsOf<typeof glibcStructs>(abi, structs), libc);
}

/** Declarations of the kernel's own headers. */
export const kernelStructs = {
  iovec,
  sockaddr_in,
  sockaddr_in6,
  in_pktinfo,
  in6_pktinfo,
  ip_mreq,
  ip_mreqn,
  ipv6_mreq,
  ip_mreq_source,
  sock_extended_err,
  sock_filter,
  sock_fprog,
  sock_txtime,
};

/** What linuxKernel reads layouts from; the rest is for users of `structs`. */
type LinuxStructs = Record<string, StructType> &
  Structs<typeof kernelStructs> & {
    readonly msghdr: StructType<MsghdrField>;
    readonly mmsghdr: StructType<'msg_hdr' | 'msg_len'>;
    readonly cmsghdr: StructType<CmsghdrField>;
  };

const glibcStructs = {
  ...kernelStructs,
  msghdr: msghdrSizeT as Declared<MsghdrField>,
  mmsghdr: mmsghdr(msghdrSizeT),
  cmsghdr: cmsghdrSizeT as Declared<CmsghdrField>,
  sockaddr_storage,
  group_req: group_req(sockaddr_storage),
  group_source_req: group_source_req(sockaddr_storage),
  timespec: timespec as Declared<'tv_sec' | 'tv_nsec'>,
  timeval: timeval as Declared<'tv_sec' | 'tv_usec'>,
};

type Declared<Field extends string> = (abi: Abi) => StructType<Field>;

/**
 * musl declares POSIX's narrower lengths and pads them to the kernel's layout, so that on a little-endian CPU its
 * messages are glibc's byte for byte as long as lengths stay below 2³² (held by test/abi).
 */
const musl64Structs: typeof glibcStructs = {
  ...glibcStructs,
  msghdr: msghdrPadded,
  mmsghdr: mmsghdr(msghdrPadded),
  cmsghdr: cmsghdrPadded,
};
const musl32Structs: typeof glibcStructs = {
  ...glibcStructs,
  msghdr: msghdrInt,
  mmsghdr: mmsghdr(msghdrInt),
  cmsghdr: cmsghdrInt,
  timespec: timespecPadded,
  timeval: timeval64,
};

/** What every C library on Linux shares, around its structs. */
export function linuxKernel(name: string, arch: string, abi: Abi, structs: LinuxStructs, libc?: Libc): Platform {
  const pktinfo = { level: c.IPPROTO_IP, type: c.IP_PKTINFO };
  const departure = specDstDeparture(pktinfo, structs.in_pktinfo, true);
  const other = arch === 'ppc64' ? powerpc : libc === 'musl' && abi.pointerSize === 4 ? time64 : undefined;
  // Copying so many costs a millisecond, which most need not pay.
  const constants = other === undefined ? c : { ...c, ...other };
  const carried = linuxCarried(constants.SO_TIMESTAMPNS);
  const platform: Omit<Platform, 'settings'> = {
    name,
    arch,
    calls: 'posix',
    structs,
    message: messageLayout(abi, structs.mmsghdr, structs.msghdr, structs.iovec),
    // CMSG_ALIGN rounds up to sizeof(size_t). <bits/socket.h>
    cmsg: controlLayout(structs.cmsghdr, abi.pointerSize),
    saLen: false,
    constants,
    errno: linuxErrno,
    requests,
    carried,
    optionRequests: plainRequests(carried),
    arrivals: [
      specDstArrival(pktinfo, structs.in_pktinfo),
      ...rfc3542Arrivals(c, structs.in6_pktinfo),
      ttlArrival({ level: c.IPPROTO_IP, type: c.IP_TTL }, 4),
      tosArrival({ level: c.IPPROTO_IP, type: c.IP_TOS }, 1),
      ...timeArrivals(abi),
      dropsArrival({ level: c.SOL_SOCKET, type: c.SO_RXQ_OVFL }),
      segmentArrival({ level: c.IPPROTO_UDP, type: c.UDP_GRO }),
      markArrival({ level: c.SOL_SOCKET, type: c.SO_MARK }),
      originalArrival({ level: c.IPPROTO_IP, type: c.IP_ORIGDSTADDR }, structs.sockaddr_in),
      original6Arrival({ level: c.IPPROTO_IPV6, type: c.IPV6_ORIGDSTADDR }, structs.sockaddr_in6),
    ],
    // An IPv4-mapped peer takes IP_PKTINFO as well as IPV6_PKTINFO with a mapped address; run on 6.18, see
    // test/abi/fixtures. One message for all of IPv4 then.
    departures: { udp4: departure, udp6: rfc3542Departure(c, structs.in6_pktinfo), mapped: departure },
    // On an AF_INET6 socket the IPv6 pair is ignored for mapped peers, this one is not (P14).
    ttl: {
      udp4: { level: c.IPPROTO_IP, type: c.IP_TTL, size: 4 },
      udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_HOPLIMIT, size: 4 },
    },
    tos: {
      udp4: { level: c.IPPROTO_IP, type: c.IP_TOS, size: 4 },
      udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_TCLASS, size: 4 },
    },
    segment: { level: c.IPPROTO_UDP, type: c.UDP_SEGMENT, size: 2 },
    mmsg: { count: 'unsigned int', max: 1024, lateError: 'kept' },
    // <bits/epoll.h>: EPOLL_PACKED is defined on x86_64 alone
    epoll: { packed: arch === 'x64' },
    errnoLocation: name === 'android' ? '__errno' : '__errno_location', // bionic, glibc and musl <errno.h>
    pinFlags: 0x2 | 0x1000, // glibc <bits/dlfcn.h>, musl, bionic (LP64)
    quirks: {
      sourceOnlyFromWildcard: false,
      dualStack: true,
      reuseAddr: c.SO_REUSEADDR,
      reusePort: c.SO_REUSEPORT,
      ipMulticastOptionSize: 4,
      connectNarrows: true,
      bindsAsAsked: true,
      // unless IP_MULTICAST_ALL and IPV6_MULTICAST_ALL are 0
      hearsGroupsOfOthers: [4, 6],
      // ENETUNREACH: IPv4 since October 2019, before that and for IPv6 EINVAL.
      sourceGone: ['ENETUNREACH', 'EINVAL', 'EADDRNOTAVAIL'],
      zoneIsIndex: false,
      truncTellsLength: true,
      // As libuv: a full device queue empties itself (P35).
      backOff: ['ENOBUFS'],
      minSendBuffer: 0,
    },
  };
  return lazily(platform, { settings: () => linuxSettings(structs) });
}

/**
 * musl on a 32-bit CPU speaks 64-bit time: SO_TIMESTAMP*_NEW of <asm-generic/socket.h>. The old numbers, which is
 * what `hostPlatform` uses without asking which C library it runs on, reach the kernel there as well and are answered
 * in kind (by musl's design; not run on such a machine).
 */
const time64 = {
  SO_TIMESTAMP: 63,
  SCM_TIMESTAMP: 63,
  SO_TIMESTAMPNS: 64,
  SCM_TIMESTAMPNS: 64,
  SO_RCVTIMEO: 66,
  SO_SNDTIMEO: 67,
} as const;

/** <asm/ioctls.h> and <asm/socket.h>, which powerpc has from elsewhere. */
const powerpc = {
  SO_RCVTIMEO: 18,
  SO_SNDTIMEO: 19,
  FIONREAD: 0x4004667f,
  SIOCINQ: 0x4004667f,
  SIOCOUTQ: 0x40047473,
} as const;

/** SCM_TIMESTAMPNS carries a timespec of two longs; on 32-bit CPUs its 64-bit form may come instead or as well. */
function timeArrivals(abi: Abi): Arrival[] {
  const old = { level: c.SOL_SOCKET, type: c.SCM_TIMESTAMPNS };
  const arrivals = [timeArrival(old, timespec(abi), 'tv_nsec', 1, abi.endianness)];
  if (abi.pointerSize === 4) {
    const type = time64.SCM_TIMESTAMPNS;
    arrivals.push(timeArrival({ ...old, type }, timespecPadded(abi), 'tv_nsec', 1, abi.endianness));
  }
  return arrivals;
}

const IP_PKTINFO: Request = { level: c.IPPROTO_IP, name: c.IP_PKTINFO };
const IPV6_RECVPKTINFO: Request = { level: c.IPPROTO_IPV6, name: c.IPV6_RECVPKTINFO };

const requests = {
  udp4: [IP_PKTINFO],
  udp6: [IPV6_RECVPKTINFO],
  // Without IP_PKTINFO the mapped address still comes, only ipi_spec_dst does not (P13).
  dual: [IPV6_RECVPKTINFO, { ...IP_PKTINFO, optional: true as const }],
};
