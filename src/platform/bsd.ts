/**
 * What macOS, FreeBSD, OpenBSD and NetBSD have in common from 4.4BSD and KAME: numbers by header, structs, messages and
 * traps. Their own files say the rest. Numbers are held by test/abi.
 */
import { cmsghdrInt } from '../structs/cmsghdr';
import { ip_mreq, ipv6_mreq } from '../structs/membership';
import { iovec, type MsghdrField, msghdrInt } from '../structs/msghdr';
import { in6_pktinfo } from '../structs/pktinfo';
import type { Abi } from '../structs/ref';
import { refFor } from '../structs/ref';
import { ip6_mtuinfo, sockaddr_in6Len, sockaddr_inLen } from '../structs/sockaddr';
import { lazily, type StructType } from '../structs/struct';
import { plainRequests } from './ask';
import { controlLayout, messageLayout } from './layout';
import { ttlArrival } from './metadata';
import type { Arrival, Constants, Platform, PrivateBatch, Quirks, Request, Settings } from './platform';
import { destinationArrival, sourceDeparture } from './recvdstaddr';
import { rfc3542Arrivals, rfc3542Departure } from './rfc3542';

export const bsdConstants = {
  // <sys/socket.h>
  AF_UNSPEC: 0,
  AF_UNIX: 1,
  AF_INET: 2,
  AF_LINK: 18,
  SOCK_STREAM: 1,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOL_SOCKET: 0xffff,
  SO_REUSEADDR: 0x4,
  SO_KEEPALIVE: 0x8,
  SO_DONTROUTE: 0x10,
  SO_BROADCAST: 0x20,
  SO_LINGER: 0x80,
  SO_REUSEPORT: 0x200,
  SO_SNDBUF: 0x1001,
  SO_RCVBUF: 0x1002,
  SO_SNDLOWAT: 0x1003,
  SO_RCVLOWAT: 0x1004,
  SO_ERROR: 0x1007,
  SO_TYPE: 0x1008,
  MSG_OOB: 0x1,
  MSG_PEEK: 0x2,
  MSG_DONTROUTE: 0x4,
  MSG_EOR: 0x8,
  MSG_TRUNC: 0x10,
  MSG_CTRUNC: 0x20,
  MSG_WAITALL: 0x40,
  MSG_DONTWAIT: 0x80,
  SHUT_RD: 0,
  SHUT_WR: 1,
  SHUT_RDWR: 2,
  // <sys/filio.h>
  FIONREAD: 0x4004667f,
  // <fcntl.h>
  F_GETFD: 1,
  F_SETFD: 2,
  F_GETFL: 3,
  F_SETFL: 4,
  FD_CLOEXEC: 1,
  O_NONBLOCK: 0x4,
  // <poll.h>, <net/if.h>
  POLLIN: 0x1,
  POLLPRI: 0x2,
  POLLOUT: 0x4,
  POLLERR: 0x8,
  POLLHUP: 0x10,
  POLLNVAL: 0x20,
  IF_NAMESIZE: 16,
  // <netinet/in.h>
  IPPROTO_IP: 0,
  IPPROTO_ICMP: 1,
  IPPROTO_UDP: 17,
  IPPROTO_IPV6: 41,
  IPPROTO_ICMPV6: 58,
  IPPROTO_RAW: 255,
  IP_TOS: 3,
  IP_TTL: 4,
  IP_RECVDSTADDR: 7,
  IP_MULTICAST_IF: 9,
  IP_MULTICAST_TTL: 10,
  IP_MULTICAST_LOOP: 11,
  IP_ADD_MEMBERSHIP: 12,
  IP_DROP_MEMBERSHIP: 13,
  // <netinet6/in6.h>
  IPV6_UNICAST_HOPS: 4,
  IPV6_MULTICAST_IF: 9,
  IPV6_MULTICAST_HOPS: 10,
  IPV6_MULTICAST_LOOP: 11,
  IPV6_JOIN_GROUP: 12,
  IPV6_LEAVE_GROUP: 13,
  IPV6_V6ONLY: 27,
  IPV6_RECVHOPLIMIT: 37,
  IPV6_RECVPATHMTU: 43,
  IPV6_PATHMTU: 44,
  IPV6_PKTINFO: 46,
  IPV6_HOPLIMIT: 47,
  IPV6_DONTFRAG: 62,
} as const satisfies Partial<Constants>;

export type BsdNumbers = Constants &
  Readonly<Record<keyof typeof bsdConstants, number>> & {
    readonly SO_TIMESTAMP: number;
    readonly IP_RECVTTL: number;
    readonly IPV6_TCLASS: number;
    readonly IPV6_RECVPKTINFO: number;
  };

/** Declarations that are alike. */
export const bsdStructs = {
  msghdr: msghdrInt,
  iovec,
  cmsghdr: cmsghdrInt,
  sockaddr_in: sockaddr_inLen,
  sockaddr_in6: sockaddr_in6Len,
  in6_pktinfo,
  ip_mreq,
  ipv6_mreq,
  ip6_mtuinfo,
};

export type BsdStructs = Readonly<Record<string, StructType>> & {
  readonly [Name in keyof typeof bsdStructs]: ReturnType<(typeof bsdStructs)[Name]>;
};

/** What differs. */
export interface Bsd
  extends Pick<Platform, 'name' | 'arch' | 'errno' | 'requests' | 'carried' | 'mmsg' | 'pinFlags' | 'errnoLocation'> {
  readonly abi: Abi;
  readonly constants: BsdNumbers;
  readonly structs: BsdStructs;
  readonly mmsghdr: StructType<'msg_hdr' | 'msg_len'>;
  /** What CMSG_ALIGN rounds up to. */
  readonly cmsgAlign: number;
  /** Messages beside those of RFC 3542 and the TTL. */
  readonly arrivals: readonly Arrival[];
  readonly departures: Omit<Platform['departures'], 'udp6'>;
  readonly settings: () => Settings;
  readonly privateBatch?: () => PrivateBatch;
  /** Per datagram to IPv4 peers: none of them takes a TTL. */
  readonly tos?: Platform['tos']['udp4'];
  readonly quirks: Pick<Quirks, 'sourceOnlyFromWildcard' | 'dualStack' | 'hearsGroupsOfOthers'> & Partial<Quirks>;
}

export function bsd(system: Bsd): Platform {
  const { name, arch, abi, constants: c, structs, carried, errno, requests, mmsg, pinFlags, errnoLocation } = system;
  const platform: Omit<Platform, 'settings' | 'privateBatch'> = {
    name,
    arch,
    calls: 'posix',
    structs,
    message: messageLayout(abi, system.mmsghdr, structs.msghdr as StructType<MsghdrField>, structs.iovec),
    cmsg: controlLayout(structs.cmsghdr, system.cmsgAlign),
    saLen: true,
    constants: c,
    errno,
    requests,
    carried,
    optionRequests: plainRequests(carried),
    arrivals: [
      ...system.arrivals,
      ...rfc3542Arrivals(c, structs.in6_pktinfo),
      ttlArrival({ level: c.IPPROTO_IP, type: c.IP_RECVTTL }, 1),
    ],
    departures: { ...system.departures, udp6: rfc3542Departure(c, structs.in6_pktinfo) },
    ttl: { udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_HOPLIMIT, size: 4 } },
    tos: {
      ...(system.tos && { udp4: system.tos }),
      udp6: { level: c.IPPROTO_IPV6, type: c.IPV6_TCLASS, size: 4 },
    },
    ...(mmsg && { mmsg }),
    ...(pinFlags && { pinFlags }),
    ...(errnoLocation && { errnoLocation }),
    quirks: {
      sourceGone: ['EADDRNOTAVAIL'],
      zoneIsIndex: false,
      backOff: ['ENOBUFS'],
      // The default of 9216 is also the largest datagram: "really max datagram size", netinet/udp_usrreq.c (P37). On macOS
      // one that just fits never becomes sendable (P34).
      minSendBuffer: 65535 + 256,
      reuseAddr: c.SO_REUSEPORT,
      ipMulticastOptionSize: 4,
      ...system.quirks,
    },
  };
  const late = lazily(platform, { settings: system.settings });
  return system.privateBatch === undefined ? late : lazily(late, { privateBatch: system.privateBatch });
}

/**
 * IPv6's destination comes with its interface, on a dual-stack socket with a mapped address; without such sockets IPv6 alone
 * arrives.
 * @param iface the option that tells IPv4's interface, where it is another than the destination's
 */
export function bsdRequests(c: BsdNumbers, destination: number, iface?: number): Platform['requests'] {
  const ipv6: readonly Request[] = [{ level: c.IPPROTO_IPV6, name: c.IPV6_RECVPKTINFO }];
  const ipv4: Request[] = [{ level: c.IPPROTO_IP, name: destination }];
  if (iface !== undefined) ipv4.push({ level: c.IPPROTO_IP, name: iface, optional: true, interface: true });
  return { udp4: ipv4, udp6: ipv6, dual: ipv6 };
}

/** IPv4 without IP_PKTINFO: one message for the destination, and one of the same number for the source. */
export function recvDstAddr(c: BsdNumbers, abi: Abi) {
  const message = { level: c.IPPROTO_IP, type: c.IP_RECVDSTADDR };
  const { in_addr } = refFor(abi).types;
  return { destination: destinationArrival(message, in_addr), source: sourceDeparture(message, in_addr) };
}
