/** The types of `structs`: C's names, and what a TypeScript program reads and writes there. Types only. */

/** What a struct's bytes may be taken from: they are shared, not copied. */
export type Bytes = NodeJS.ArrayBufferView | Struct;

/** A C struct: properties by C's names over the bytes in `buffer`. */
export interface Struct {
  /** The bytes themselves; what is written there the properties show, and the other way round. */
  readonly buffer: Buffer;
  toJSON(): Record<string, unknown>;
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
  sin_family: number;
  sin_port: number;
  sin_addr: string;
  sin_zero: Uint8Array;
}

export interface SockaddrIn6 {
  /** As {@link SockaddrIn.sin_len}. */
  sin6_len: number;
  sin6_family: number;
  sin6_port: number;
  sin6_flowinfo: number;
  sin6_addr: string;
  sin6_scope_id: number;
}

export interface SockaddrStorage {
  /** As {@link SockaddrIn.sin_len}. */
  ss_len: number;
  ss_family: number;
}

/** FreeBSD, NetBSD, OpenBSD, macOS: what IP_RECVIF brings. */
export interface SockaddrDl {
  sdl_len: number;
  sdl_family: number;
  sdl_index: number;
}

/** IP_PKTINFO. Linux, Android, macOS, Windows (there without `ipi_spec_dst`). */
export interface InPktinfo {
  ipi_ifindex: number;
  /** On the way in: the address that an answer leaves from (Linux). On the way out: the source. */
  ipi_spec_dst: string;
  /** On the way in: the destination in the IP header. On the way out: ignored, but for Windows' source. */
  ipi_addr: string;
}

/** IPV6_PKTINFO. */
export interface In6Pktinfo {
  ipi6_addr: string;
  ipi6_ifindex: number;
}

/**
 * What recvmsg() and sendmsg() take; not on Windows, which has {@link WsaMsg}. A pointer is the thing pointed at: the
 * struct holds it, so that it lives as long as the struct does. Assigning one sets its length, which may then be changed.
 */
export interface Msghdr {
  msg_name: Bytes | null;
  msg_namelen: number;
  /** One, or an array of them. */
  msg_iov: (Iovec & Struct) | readonly (Iovec & Struct)[] | null;
  msg_iovlen: number;
  msg_control: Bytes | null;
  msg_controllen: number;
  msg_flags: number;
}

export interface Iovec {
  iov_base: Bytes | null;
  iov_len: number;
}

export interface Cmsghdr {
  cmsg_len: number;
  cmsg_level: number;
  cmsg_type: number;
}

/** Windows' iovec. */
export interface WsaBuf {
  len: number;
  buf: Bytes | null;
}

/** Windows' msghdr. */
export interface WsaMsg {
  name: Bytes | null;
  namelen: number;
  lpBuffers: (WsaBuf & Struct) | readonly (WsaBuf & Struct)[] | null;
  dwBufferCount: number;
  readonly Control: WsaBuf & Struct;
  dwFlags: number;
}

/** 64-bit fields are numbers, exact up to 2⁵³. */
export interface Timeval {
  tv_sec: number;
  tv_usec: number;
}

export interface Timespec {
  tv_sec: number;
  tv_nsec: number;
}

export interface IpMreq {
  imr_multiaddr: string;
  imr_interface: string;
}

export interface IpMreqn {
  imr_multiaddr: string;
  imr_address: string;
  imr_ifindex: number;
}

export interface Ipv6Mreq {
  ipv6mr_multiaddr: string;
  ipv6mr_interface: number;
}

export interface IpMreqSource {
  imr_multiaddr: string;
  imr_interface: string;
  imr_sourceaddr: string;
}

export interface GroupSourceReq {
  gsr_interface: number;
  readonly gsr_group: SockaddrStorage & Struct;
  readonly gsr_source: SockaddrStorage & Struct;
}

export interface Pollfd {
  fd: number;
  events: number;
  revents: number;
}

/**
 * The OS's own structs, laid out for it. Asking for one that this OS has not throws
 * ERR_RECVFROMTO_UNSUPPORTED_PLATFORM; `Object.hasOwn(structs, 'in_pktinfo')` asks without.
 */
export interface Structs {
  readonly sockaddr_in: StructClass<SockaddrIn>;
  readonly sockaddr_in6: StructClass<SockaddrIn6>;
  readonly sockaddr_storage: StructClass<SockaddrStorage>;
  readonly sockaddr_dl: StructClass<SockaddrDl>;
  readonly in_pktinfo: StructClass<InPktinfo>;
  readonly in6_pktinfo: StructClass<In6Pktinfo>;
  readonly msghdr: StructClass<Msghdr>;
  readonly iovec: StructClass<Iovec>;
  readonly cmsghdr: StructClass<Cmsghdr>;
  readonly WSAMSG: StructClass<WsaMsg>;
  readonly WSABUF: StructClass<WsaBuf>;
  readonly WSACMSGHDR: StructClass<Cmsghdr>;
  readonly timeval: StructClass<Timeval>;
  readonly timespec: StructClass<Timespec>;
  readonly ip_mreq: StructClass<IpMreq>;
  readonly ip_mreqn: StructClass<IpMreqn>;
  readonly ipv6_mreq: StructClass<Ipv6Mreq>;
  readonly ip_mreq_source: StructClass<IpMreqSource>;
  readonly group_source_req: StructClass<GroupSourceReq>;
  readonly pollfd: StructClass<Pollfd>;
}
