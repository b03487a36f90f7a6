/**
 * The contract of an OS as data: what recvfromto needs to know of one OS on one CPU. Types only.
 * The files beside this one export one object each; nothing outside `index.ts` asks which OS it runs on.
 * Everything keeps C's names; every number carries the header it comes from where it is written down.
 */
import type { StructType } from '../structs/struct';
import type { Constants } from './constants';
import type { Asked, Because, PrivateBatch, Settings, Tried } from './settings';

export type { Constants } from './constants';
export type * from './settings';

/** C libraries on Linux whose headers differ. */
export type Libc = 'glibc' | 'musl';

/** A socket's address family as the user names it; `dual`: udp6 without IPV6_V6ONLY. */
export type SocketKind = 'udp4' | 'udp6' | 'dual';

/** setsockopt(fd, level, name, (int)value). */
export interface Request {
  readonly level: number;
  readonly name: number;
  /** 1 where it is missing. */
  readonly value?: number;
  /** A refusal is not an error, something else then tells. */
  readonly optional?: true;
  /** Tells the receiving interface and nothing else, and takes up room in the receive queue: ask when somebody wants it. */
  readonly interface?: true;
}

/**
 * One block of control bytes, seen as bytes and as host-order 32-bit words. Both begin at a multiple of 8. Words are
 * signed: V8 keeps 32-bit signed integers out of the heap, and half of all addresses would be heap numbers otherwise.
 */
export interface ControlView {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

/**
 * What the control messages of one datagram said. One object, overwritten for each datagram.
 * Addresses are raw network-order bytes held in four host-order signed words; IPv4 is in word 0.
 */
export interface Arrived {
  /** Family of `destination`: 4, 6, or 0 where the kernel did not say. */
  family: 0 | 4 | 6;
  /** Destination address of the IP header. */
  destination0: number;
  destination1: number;
  destination2: number;
  destination3: number;
  /**
   * IPv4 only, where the OS says which of its own addresses an answer would leave from (Linux: ipi_spec_dst);
   * 0 where it does not: the destination itself is the candidate then.
   */
  specDst: number;
  /** Receiving interface, 0 where the kernel did not say. */
  ifindex: number;
  /** -1 where the kernel did not say. */
  ttl: number;
  tos: number;
  drops: number;
  /** seconds and nanoseconds since the epoch; seconds -1 where the kernel did not say. */
  seconds: number;
  nanoseconds: number;
  /** UDP_GRO segment size in bytes, 0 where not coalesced. */
  segment: number;
  /** Where a diverted datagram had been sent to, 0 where the kernel did not say. Some tell the port alone. */
  originalFamily: 0 | 4 | 6;
  original0: number;
  original1: number;
  original2: number;
  original3: number;
  originalPort: number;
  /** The firewall's mark; undefined where the kernel did not say. */
  mark: number | undefined;
}

/** What an application may ask to be told beyond the destination; names as in the public options. */
export type OptionName =
  | 'recvTTL'
  | 'recvTOS'
  | 'recvTimestamp'
  | 'recvDrops'
  | 'recvErrors'
  | 'gro'
  | 'originalDestination'
  | 'recvMark';

/** A kind of control message that may come with a datagram. */
export interface Arrival {
  readonly level: number;
  readonly type: number;
  /** Payload bytes that `read` needs. Shorter messages never reach it: the walker checks. */
  readonly size: number;
  /** `at`: byte offset of the payload in both views' common block, a multiple of 4. */
  read(control: ControlView, at: number, arrived: Arrived): void;
}

/** The address a datagram is to leave from: words as in {@link Arrived}, and the interface or 0. */
export interface Source {
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  readonly ifindex: number;
}

/** A kind of control message that chooses the source address of one datagram. */
export interface Departure {
  readonly level: number;
  readonly type: number;
  /** Payload bytes. */
  readonly size: number;
  /** Does a non-zero ifindex beside the address choose the interface and leave the source alone? macOS IPv4: no. */
  readonly carriesIfindex: boolean;
  /** May the message carry an interface and no address? Windows IPv4: no, the source would be 0.0.0.0. */
  readonly ifindexAlone: boolean;
  write(control: ControlView, at: number, source: Source): void;
}

/** A control message whose payload is one native int (TTL, TOS) on the way out. */
export interface IntDeparture {
  readonly level: number;
  readonly type: number;
  /** Payload bytes: 4 (int) or 1 (u_char, FreeBSD's IP_TOS). */
  readonly size: 1 | 4;
  /** Those of the value that it takes; absent: all. Windows' IP_ECN: 3. */
  readonly bits?: number;
}

/** A control message that has the kernel cut one payload into datagrams of equal size: a u16, on Windows a DWORD. */
export interface SegmentDeparture {
  readonly level: number;
  readonly type: number;
  readonly size: 2 | 4;
}

/**
 * Where the parts of one message stand in the array that recvmmsg and sendmmsg take, in bytes, all read off the
 * struct types. On an OS without recvmmsg the array is ours: a msghdr (WSAMSG) and a length that we write.
 */
export interface MessageLayout {
  /** Distance from one message to the next. */
  readonly size: number;
  readonly name: number;
  readonly namelen: number;
  readonly iov: number;
  readonly iovlen: number;
  readonly control: number;
  readonly controllen: number;
  readonly flags: number;
  /** Bytes received or sent (mmsghdr.msg_len). */
  readonly len: number;
  readonly iovec: { readonly size: number; readonly base: number; readonly len: number };
  /** Bytes of a pointer: 4 or 8. Only little-endian CPUs have 8-byte lengths whose low word is read at the offset. */
  readonly pointerSize: 4 | 8;
  readonly littleEndian: boolean;
}

/** What CMSG_* macros compute with, in bytes. */
export interface ControlLayout {
  /** sizeof(struct cmsghdr) rounded up: offset of the payload in a message. */
  readonly data: number;
  /** What CMSG_NXTHDR and CMSG_SPACE round up to. */
  readonly align: number;
  readonly cmsg_len: number;
  readonly cmsg_level: number;
  readonly cmsg_type: number;
  /** sizeof(struct cmsghdr). */
  readonly headerSize: number;
}

/** Traps of one OS, each with a name; see docs/pitfalls.md. */
export interface Quirks {
  /** Source control messages only on wildcard-bound, unconnected sockets (FreeBSD: EINVAL; macOS: un-binds). P4, P5 */
  readonly sourceOnlyFromWildcard: boolean;
  /** IPv4-mapped peers on an AF_INET6 socket. OpenBSD: false. */
  readonly dualStack: boolean;
  /** SOL_SOCKET option of `reuseAddr`: SO_REUSEADDR; on BSD and macOS SO_REUSEPORT, as in libuv's uv__sock_reuseaddr. */
  readonly reuseAddr: number;
  /** SOL_SOCKET option that balances load: SO_REUSEPORT (Linux), SO_REUSEPORT_LB (FreeBSD); absent elsewhere. P42 */
  readonly reusePort?: number;
  /** Bytes of IP_MULTICAST_TTL and IP_MULTICAST_LOOP: u_char on OpenBSD, int elsewhere. ip(4) */
  readonly ipMulticastOptionSize: 1 | 4;
  /** errno names that mean "the attached source is not an address of this host (any more)". P7 */
  readonly sourceGone: readonly string[];
  /** errno names after which a full send queue does not become writable: wait by timer. P35 */
  readonly backOff: readonly string[];
  /** Are zones the numbers of interfaces (fe80::1%7)? Windows, where their names have blanks; elsewhere their names. */
  readonly zoneIsIndex: boolean;
  /**
   * errno names that mean "the source's own interface has no route to the peer" (macOS, which looks there and nowhere
   * else). Without a source the datagram may leave. P56
   */
  readonly sourceUnroutable?: readonly string[];
  /** A socket that is bound to a group sends from the group's address (FreeBSD). P57 */
  readonly sendsFromGroup?: true;
  /**
   * An AF_INET6 socket that is bound to a mapped address brings AF_INET names and no control messages, and takes no source.
   * P55
   */
  readonly mappedTellsNothing?: true;
  /**
   * A socket has the address that bind(2) was given, a link-local one aside, whose zone the kernel may add. Elsewhere it may
   * have another one: in a jail of FreeBSD 0.0.0.0 becomes the jail's (prison_local_ip4).
   */
  readonly bindsAsAsked?: true;
  /** After connect(2) a dual-stack socket hears one family, even when it is connected no more. P62 */
  readonly connectNarrows?: true;
  /** Families of the groups that a wildcard socket hears though others have joined them. P58 */
  readonly hearsGroupsOfOthers: readonly (4 | 6)[];
  /** Does the message that tells the interface take room in the receive queue which nobody has counted on? FreeBSD, run. */
  readonly interfaceTakesRoom?: true;
  /** Does MSG_TRUNC, asked for, have a receive tell the whole length of what it cuts? Linux, recv(2). */
  readonly truncTellsLength?: true;
  /** SO_SNDBUF below which the OS refuses whole datagrams, in bytes; 0: the default will do. P34, P37 */
  readonly minSendBuffer: number;
}

/** One OS on one CPU. */
export interface Platform {
  /** process.platform. For texts: nothing outside platform/ compares it. */
  readonly name: string;
  /** process.arch. */
  readonly arch: string;
  readonly calls: 'posix' | 'winsock';
  /** C struct types by C name, as far as this OS has them. */
  readonly structs: Readonly<Record<string, StructType>>;
  readonly message: MessageLayout;
  readonly cmsg: ControlLayout;
  /** sin_len/sin6_len: BSD's first byte of a sockaddr. */
  readonly saLen: boolean;
  /** C constants by C name (AF_INET6, SOL_SOCKET, IPV6_V6ONLY, MSG_TRUNC, …). Absent: this OS has no such thing. */
  readonly constants: Constants;
  /** errno values by name (EAGAIN: 11, …). On Windows the WSA codes under libuv's names. */
  readonly errno: Readonly<Record<string, number>>;
  /** Numbers beside those of `errno` that calls fail with, by the name that libuv takes them for. Windows. */
  readonly otherErrors?: Readonly<Record<number, string>>;
  /** What to ask for, in this order, before bind(). */
  readonly requests: Readonly<Record<SocketKind, readonly Request[]>>;
  /**
   * What to ask for when an option is on, before bind() too, or why this OS cannot. A request may have a value other than
   * 1, and none is left out: `optionRequests` is the same without those.
   */
  readonly carried: Readonly<Record<OptionName, Asked | Because>>;
  /** What to ask for when an option is on, before bind() too. Absent: this OS cannot; empty: not on such sockets. */
  readonly optionRequests: Readonly<Partial<Record<OptionName, Readonly<Record<SocketKind, readonly Request[]>>>>>;
  /** Control messages understood on receive. Order does not matter: an IPv4 one wins over a mapped one. */
  readonly arrivals: readonly Arrival[];
  /** Control messages that choose a source: for IPv4 sockets, native IPv6 peers, IPv4-mapped peers on udp6. */
  readonly departures: { readonly udp4: Departure; readonly udp6: Departure; readonly mapped?: Departure };
  /** Per-datagram TTL and TOS on the way out, where the OS takes them. IPv4-mapped peers take udp4's. P14 */
  readonly ttl: { readonly udp4?: IntDeparture; readonly udp6?: IntDeparture };
  readonly tos: { readonly udp4?: IntDeparture; readonly udp6?: IntDeparture };
  /** Segmentation offload of sends (UDP_SEGMENT), where the OS has it. */
  readonly segment?: SegmentDeparture;
  /** Has it epoll(7), for environments where libuv cannot wait for every descriptor? `packed`: EPOLL_PACKED. */
  readonly epoll?: { readonly packed: boolean };
  /**
   * The function of the C library that returns the address of errno, for node:ffi, which has no errno() of its own. Absent
   * where node:ffi is not used: Windows, and macOS, whose arm64 passes variadic arguments in a way that it cannot.
   */
  readonly errnoLocation?: string;
  /** dlopen(3) flags that keep a library for good, RTLD_NOW | RTLD_NODELETE; absent where there are none. <dlfcn.h> */
  readonly pinFlags?: number;
  /** Does the C library have recvmmsg/sendmmsg, and their count parameter as size_t (FreeBSD) or unsigned? */
  readonly mmsg?: {
    readonly count: 'unsigned int' | 'size_t';
    /** Longer arrays are cut to this without a word, or are EINVAL. */
    readonly max?: number;
    /** An error behind the first datagram: told by the next call, or lost (FreeBSD, whose calls are loops in libc). P24 */
    readonly lateError?: 'kept' | 'lost';
  };
  /** A batch call that is not public (macOS). */
  readonly privateBatch?: PrivateBatch;
  readonly settings: Settings;
  readonly tried?: Tried;
  readonly quirks: Quirks;
}
