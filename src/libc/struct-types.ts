/** The types of `structs`: C's names, and what a TypeScript program reads and writes there. Types only. */

/** What a struct's bytes may be taken from: they are shared, not copied. */
export type Bytes = NodeJS.ArrayBufferView | Struct;

/** A C struct: properties by C's names over the bytes in `buffer`. */
export interface Struct {
  /** The bytes themselves; what is written there the properties show, and the other way round. */
  readonly buffer: Buffer;
  /** The fields as a plain object. */
  toJSON(): Record<string, unknown>;
  /** The fields and their values in one line. */
  toString(): string;
}

/** A type of struct. */
export interface StructClass<Fields extends object> {
  /** Zeroed bytes of its own, with these values. @throws ERR_INVALID_ARG_VALUE for a field that C has not */
  new (values?: Partial<Fields>): Fields & Struct;
  /** The bytes of `bytes`, which must be at least {@link size}. @throws ERR_OUT_OF_RANGE */
  new (bytes: Bytes, values?: Partial<Fields>): Fields & Struct;
  /** C's name. */
  readonly structName: string;
  /** sizeof, in bytes. */
  readonly size: number;
  /** alignof, in bytes. */
  readonly alignment: number;
  /** offsetof and sizeof of each field, in C's order. */
  readonly fields: Readonly<Record<string, { readonly offset: number; readonly size: number }>>;
}

/** Ports are plain numbers, addresses are text: what C has in network order stands so in the bytes only. */
export interface SockaddrIn {
  /** Bytes of the struct; BSD and macOS only, and filled in by every call that takes one. */
  sin_len: number;
  /** AF_INET. */
  sin_family: number;
  /** 0…65535. */
  sin_port: number;
  /** Such as `'192.0.2.1'`. */
  sin_addr: string;
  /** Padding. */
  sin_zero: Uint8Array;
}

/** As {@link SockaddrIn}, for IPv6. */
export interface SockaddrIn6 {
  /** As {@link SockaddrIn.sin_len}. */
  sin6_len: number;
  /** AF_INET6. */
  sin6_family: number;
  /** 0…65535. */
  sin6_port: number;
  /** Traffic class and flow label, as IPv6's header has them. */
  sin6_flowinfo: number;
  /** Such as `'2001:db8::1'`; the zone is `sin6_scope_id`. */
  sin6_addr: string;
  /** Index of the interface that a link-local address belongs to. */
  sin6_scope_id: number;
}

/** Room for a sockaddr of either family: `new structs.sockaddr_in6(storage)` reads it as one. */
export interface SockaddrStorage {
  /** As {@link SockaddrIn.sin_len}. */
  ss_len: number;
  /** AF_INET or AF_INET6. */
  ss_family: number;
}

/** FreeBSD, NetBSD, OpenBSD, macOS: what IP_RECVIF brings. */
export interface SockaddrDl {
  /** Bytes of the struct. */
  sdl_len: number;
  /** AF_LINK. */
  sdl_family: number;
  /** Index of the interface. */
  sdl_index: number;
}

/** IP_PKTINFO. Linux, Android, macOS, NetBSD, Windows (the last two without `ipi_spec_dst`). */
export interface InPktinfo {
  /** On the way in: of the receiving interface. On the way out: of the one to leave through, 0 for routing's choice. */
  ipi_ifindex: number;
  /** On the way in: the address that an answer leaves from (Linux). On the way out: the source. */
  ipi_spec_dst: string;
  /** On the way in: the destination in the IP header. On the way out: ignored, but for NetBSD's and Windows' source. */
  ipi_addr: string;
}

/** IPV6_PKTINFO. */
export interface In6Pktinfo {
  /** On the way in: the destination. On the way out: the source. */
  ipi6_addr: string;
  /** As {@link InPktinfo.ipi_ifindex}. */
  ipi6_ifindex: number;
}

/**
 * What recvmsg() and sendmsg() take; not on Windows, which has {@link WsaMsg}. A pointer is the thing pointed at: the
 * struct holds it, so that it lives as long as the struct does. Assigning one sets its length, which may then be changed.
 */
export interface Msghdr {
  /** The peer: a sockaddr struct, or bytes. */
  msg_name: Bytes | null;
  /** Bytes of `msg_name`; after recvmsg() of the sender's. */
  msg_namelen: number;
  /** One, or an array of them. */
  msg_iov: (Iovec & Struct) | readonly (Iovec & Struct)[] | null;
  /** How many of `msg_iov` count. */
  msg_iovlen: number;
  /** Room for control messages, or those to send: see CMSG_FIRSTHDR. */
  msg_control: Bytes | null;
  /** Bytes of `msg_control`; after recvmsg() of what came. */
  msg_controllen: number;
  /** After recvmsg(): MSG_TRUNC, MSG_CTRUNC, … */
  msg_flags: number;
}

/** Where a part of a datagram is, or goes. */
export interface Iovec {
  /** The bytes. */
  iov_base: Bytes | null;
  /** How many of them. */
  iov_len: number;
}

/** In front of each control message. */
export interface Cmsghdr {
  /** CMSG_LEN of the payload. */
  cmsg_len: number;
  /** IPPROTO_IP, SOL_SOCKET, … */
  cmsg_level: number;
  /** IP_PKTINFO, SCM_TIMESTAMP, … */
  cmsg_type: number;
}

/** Windows' iovec. */
export interface WsaBuf {
  /** As {@link Iovec.iov_len}. */
  len: number;
  /** As {@link Iovec.iov_base}. */
  buf: Bytes | null;
}

/** Windows' msghdr. */
export interface WsaMsg {
  /** As {@link Msghdr.msg_name}. */
  name: Bytes | null;
  /** As {@link Msghdr.msg_namelen}. */
  namelen: number;
  /** As {@link Msghdr.msg_iov}. */
  lpBuffers: (WsaBuf & Struct) | readonly (WsaBuf & Struct)[] | null;
  /** As {@link Msghdr.msg_iovlen}. */
  dwBufferCount: number;
  /** As {@link Msghdr.msg_control}: assign its `buf`. */
  readonly Control: WsaBuf & Struct;
  /** As {@link Msghdr.msg_flags}. */
  dwFlags: number;
}

/** SO_TIMESTAMP, SO_RCVTIMEO. 64-bit fields are numbers, exact up to 2⁵³. */
export interface Timeval {
  /** Seconds. */
  tv_sec: number;
  /** Microseconds. */
  tv_usec: number;
}

/** SO_TIMESTAMPNS. */
export interface Timespec {
  /** Seconds. */
  tv_sec: number;
  /** Nanoseconds. */
  tv_nsec: number;
}

/** IP_ADD_MEMBERSHIP. */
export interface IpMreq {
  /** The group. */
  imr_multiaddr: string;
  /** An address of the interface; `'0.0.0.0'`: the OS chooses. */
  imr_interface: string;
}

/** IP_ADD_MEMBERSHIP by interface index. Not on Windows. */
export interface IpMreqn {
  /** The group. */
  imr_multiaddr: string;
  /** As {@link IpMreq.imr_interface}. */
  imr_address: string;
  /** Index of the interface; it counts before the address. */
  imr_ifindex: number;
}

/** IPV6_JOIN_GROUP. */
export interface Ipv6Mreq {
  /** The group. */
  ipv6mr_multiaddr: string;
  /** Index of the interface; 0: the OS chooses. */
  ipv6mr_interface: number;
}

/** IP_ADD_SOURCE_MEMBERSHIP. */
export interface IpMreqSource {
  /** The group. */
  imr_multiaddr: string;
  /** As {@link IpMreq.imr_interface}. */
  imr_interface: string;
  /** The one sender to hear. */
  imr_sourceaddr: string;
}

/** MCAST_JOIN_SOURCE_GROUP. */
export interface GroupSourceReq {
  /** Index of the interface. */
  gsr_interface: number;
  /** The group: `new structs.sockaddr_in6(request.gsr_group, { … })` writes it. */
  readonly gsr_group: SockaddrStorage & Struct;
  /** The one sender to hear. */
  readonly gsr_source: SockaddrStorage & Struct;
}

/** What poll() takes; plain objects will do as well. */
export interface Pollfd {
  /** A descriptor; negative: left out. */
  fd: number;
  /** POLLIN, POLLOUT. */
  events: number;
  /** Set by poll(): of `events` those that are, and POLLERR, POLLHUP, POLLNVAL. */
  revents: number;
}

/**
 * The OS's own structs, laid out for it. Asking for one that this OS has not throws
 * ERR_RECVFROMTO_UNSUPPORTED_PLATFORM; `Object.hasOwn(structs, 'in_pktinfo')` asks without.
 */
export interface Structs {
  /** {@link SockaddrIn} */
  readonly sockaddr_in: StructClass<SockaddrIn>;
  /** {@link SockaddrIn6} */
  readonly sockaddr_in6: StructClass<SockaddrIn6>;
  /** {@link SockaddrStorage} */
  readonly sockaddr_storage: StructClass<SockaddrStorage>;
  /** {@link SockaddrDl} */
  readonly sockaddr_dl: StructClass<SockaddrDl>;
  /** {@link InPktinfo} */
  readonly in_pktinfo: StructClass<InPktinfo>;
  /** {@link In6Pktinfo} */
  readonly in6_pktinfo: StructClass<In6Pktinfo>;
  /** {@link Msghdr} */
  readonly msghdr: StructClass<Msghdr>;
  /** {@link Iovec} */
  readonly iovec: StructClass<Iovec>;
  /** {@link Cmsghdr} */
  readonly cmsghdr: StructClass<Cmsghdr>;
  /** {@link WsaMsg} */
  readonly WSAMSG: StructClass<WsaMsg>;
  /** {@link WsaBuf} */
  readonly WSABUF: StructClass<WsaBuf>;
  /** {@link Cmsghdr}, under Windows' name. */
  readonly WSACMSGHDR: StructClass<Cmsghdr>;
  /** {@link Timeval} */
  readonly timeval: StructClass<Timeval>;
  /** {@link Timespec} */
  readonly timespec: StructClass<Timespec>;
  /** {@link IpMreq} */
  readonly ip_mreq: StructClass<IpMreq>;
  /** {@link IpMreqn} */
  readonly ip_mreqn: StructClass<IpMreqn>;
  /** {@link Ipv6Mreq} */
  readonly ipv6_mreq: StructClass<Ipv6Mreq>;
  /** {@link IpMreqSource} */
  readonly ip_mreq_source: StructClass<IpMreqSource>;
  /** {@link GroupSourceReq} */
  readonly group_source_req: StructClass<GroupSourceReq>;
  /** {@link Pollfd} */
  readonly pollfd: StructClass<Pollfd>;
}
