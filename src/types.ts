/** The public types, in one file for whoever reads them. Imports nothing of ours. */
import type { createSocket as createDgramSocket } from 'node:dgram';
import type { LookupOneOptions } from 'node:dns';
import type { EventEmitter } from 'node:events';

declare global {
  /** TypeScript has it since 5.2, @types/node where it still supports older ones. */
  interface SymbolConstructor {
    readonly asyncDispose: unique symbol;
  }
}

/** `'udp6'` on `::` hears IPv4 as well, unless `ipv6Only` is set. */
export type SocketType = 'udp4' | 'udp6';
/** As in node:dgram's rinfo. */
export type Family = 'IPv4' | 'IPv6';

/** Where a datagram was sent to, from its IP header. Shared between datagrams, and frozen. */
export interface Destination {
  /** May be a multicast or broadcast address. Link-local unicast IPv6 addresses carry their zone (`fe80::1%eth0`). */
  readonly address: string;
  /** An IPv4-mapped address is an `'IPv6'` one. */
  readonly family: Family;
  /** The port this socket is bound to. */
  readonly port: number;
  /** Index of the receiving interface; 0 where the OS does not tell. */
  readonly ifindex: number;
  /** Name of the receiving interface; undefined where the OS does not tell, or has no such interface any more. */
  readonly interface: string | undefined;
}

/** What is known of one received datagram. dgram's four fields, and ours. */
export interface RemoteInfo {
  /** Address of the sender. */
  address: string;
  /** Of the sender's address. */
  family: Family;
  /** Port of the sender. */
  port: number;
  /** Bytes of the message. */
  size: number;
  /** Where the datagram was sent to. undefined where the kernel did not say. */
  destination: Destination | undefined;
  /**
   * The unicast address of this host that an answer leaves from, or undefined where the kernel must choose. Equal to
   * `destination.address` for unicast; never a multicast, broadcast or unspecified address.
   */
  localAddress: string | undefined;
  /** Present, and true, when the datagram was longer than `maxDatagramSize` and has been cut. */
  truncated?: true;
  /** Bytes of the datagram before it was cut. With `truncated`, where the OS tells (Linux). */
  fullSize?: number;
  /** Time to live / hop limit, 0…255. With `recvTTL`, where the OS tells. */
  ttl?: number;
  /** The whole TOS / traffic class byte. With `recvTOS`, where the OS tells. */
  tos?: number;
  /** The two ECN bits of `tos`, 0…3. */
  ecn?: number;
  /** Nanoseconds since the epoch, when the kernel received it. With `recvTimestamp`. */
  timestamp?: bigint;
  /** The mark that the firewall has put on it. With `recvMark`; Linux. */
  mark?: number;
  /** Where it was sent to before a firewall redirected it to this socket. With `transparent`. */
  originalDestination?: { address: string; port: number };
  /** With `gro: 'runs'`: bytes of each datagram in `msg`, of which the last may be shorter. Absent where it is one. */
  segmentSize?: number;
  /** How many datagrams this socket's queue had dropped when this one was queued. With `recvDrops`; Linux. */
  drops?: number;
}

/** What reply() needs to know of a request: any rinfo, node:dgram's too. Without `localAddress` the kernel chooses. */
export interface ReplyTo {
  /** Address of the sender, who is answered. */
  readonly address: string;
  /** Of that address. */
  readonly family: Family;
  /** Port of the sender. */
  readonly port: number;
  /** Says the interface, which matters where the sender is link-local. */
  readonly destination?: Destination | undefined;
  /** The address of this host to answer from. */
  readonly localAddress?: string | undefined;
}

/** What can be sent. Strings are sent as UTF-8. */
export type Message = string | NodeJS.ArrayBufferView;
/** The kernel's error, or null and the bytes of the message, once it has been handed to the kernel. */
export type SendCallback = (error: Error | null, bytes: number) => void;
/** The Buffer of dgram's own listeners: `Buffer<ArrayBuffer>` where the installed @types/node says so. */
export type MessageBuffer = Parameters<NonNullable<Parameters<typeof createDgramSocket>[1]>>[0];
/** A listener of `'message'`; `msg` belongs to it. */
export type MessageListener = (msg: MessageBuffer, rinfo: RemoteInfo) => void;

/** One datagram of a `'messages'` batch. */
export interface ReceivedMessage {
  /** The payload. */
  readonly msg: MessageBuffer;
  /** Who sent it, and where to. */
  readonly rinfo: RemoteInfo;
}

/** The events of a Socket, and the arguments of their listeners. */
export interface SocketEvents {
  /** It is closed; nothing follows. */
  close: [];
  /** connect() has a peer. */
  connect: [];
  /** What nobody's callback was told. Without a listener it is thrown. */
  error: [error: Error];
  /** It is bound, and hears. */
  listening: [];
  /** One datagram. */
  message: [msg: MessageBuffer, rinfo: RemoteInfo];
  /** What was in the way of sending has gone: the queue is empty again after it was not. */
  drain: [];
  /** With `recvErrors`: what ICMP answered to a datagram that was sent. */
  icmp: [error: IcmpError];
  /** A batch. While this has a listener, `'message'` is not emitted. */
  messages: [batch: ReceivedMessage[]];
}

/** The events of a Server, and the arguments of their listeners. */
export interface ServerEvents {
  /** It is closed; nothing follows. */
  close: [];
  /** What nobody's callback was told. Without a listener it is thrown. */
  error: [error: Error];
  /** It is bound, and hears. */
  listening: [];
  /** One datagram. */
  message: [msg: MessageBuffer, rinfo: RemoteInfo];
  /** A batch. While this has a listener, `'message'` is not emitted. */
  messages: [batch: ReceivedMessage[]];
  /** As a socket's. */
  icmp: [error: IcmpError];
  /** As a socket's. */
  drain: [];
}

type ArgumentsOf<Events, Name extends keyof Events> = Extract<Events[Name], readonly unknown[]>;
// biome-ignore lint/suspicious/noExplicitAny: as in node:events, so that listeners of other names may have parameters
type AnyArguments = any[];

/**
 * An EventEmitter whose named events have types; other names are taken as well, as by dgram's sockets. EventEmitter has
 * no type parameter in some releases of @types/node, and in others it refuses a name that is a `string`.
 */
export interface Emitter<Events> extends EventEmitter {
  addListener<Name extends keyof Events>(name: Name, listener: (...args: ArgumentsOf<Events, Name>) => void): this;
  addListener(name: string | symbol, listener: (...args: AnyArguments) => void): this;
  on<Name extends keyof Events>(name: Name, listener: (...args: ArgumentsOf<Events, Name>) => void): this;
  on(name: string | symbol, listener: (...args: AnyArguments) => void): this;
  once<Name extends keyof Events>(name: Name, listener: (...args: ArgumentsOf<Events, Name>) => void): this;
  once(name: string | symbol, listener: (...args: AnyArguments) => void): this;
  prependListener<Name extends keyof Events>(name: Name, listener: (...args: ArgumentsOf<Events, Name>) => void): this;
  prependListener(name: string | symbol, listener: (...args: AnyArguments) => void): this;
  prependOnceListener<Name extends keyof Events>(
    name: Name,
    listener: (...args: ArgumentsOf<Events, Name>) => void,
  ): this;
  prependOnceListener(name: string | symbol, listener: (...args: AnyArguments) => void): this;
  emit<Name extends keyof Events>(name: Name, ...args: ArgumentsOf<Events, Name>): boolean;
  emit(name: string | symbol, ...args: AnyArguments): boolean;
}

/** EventEmitter as the base of a class that is to be an {@link Emitter}. */
export type EmitterClass<Events> = (new () => Emitter<Events>) & {
  [Name in keyof typeof EventEmitter]: (typeof EventEmitter)[Name];
};

/** Names like net.BlockList's, so that one of those can be handed in. */
export interface AddressBlockList {
  /** @returns true for an address that is blocked. */
  check(address: string, family?: 'ipv4' | 'ipv6'): boolean;
}

/** As dns.lookup is called by dgram: `options` is the family, 4 or 6, though dgram's own types say LookupOneOptions. */
export type LookupFunction = {
  // A method, whose parameters may be narrower: functions that are written for dgram's types are taken.
  call(
    hostname: string,
    options: LookupOneOptions | number,
    callback: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
  ): void;
}['call'];

/** Which datagrams are delivered. The rest are counted (`stats().filtered`). */
export type Accept =
  | ((destination: Destination) => boolean)
  | {
      /** Addresses or CIDR blocks. */
      readonly destinations?: readonly string[];
      /** Names of receiving interfaces. */
      readonly interfaces?: readonly string[];
    };

/** dgram's options, and ours. */
export interface SocketOptions {
  /** The family. */
  type: SocketType;
  /** SO_REUSEADDR (SO_REUSEPORT on BSD and macOS, as libuv does). Default false. */
  reuseAddr?: boolean | undefined;
  /** Kernel load balancing between sockets on one port; ENOTSUP at bind where the OS has none. Default false. */
  reusePort?: boolean | { readonly steer?: 'cpu' | readonly Instruction[] | undefined } | undefined;
  /** udp6 only: IPV6_V6ONLY. Default false, which is dual-stack where the OS has it. */
  ipv6Only?: boolean | undefined;
  /** SO_RCVBUF in bytes. */
  recvBufferSize?: number | undefined;
  /** SO_SNDBUF in bytes. */
  sendBufferSize?: number | undefined;
  /** Default dns.lookup. */
  lookup?: LookupFunction | undefined;
  /** Aborting it closes the socket. */
  signal?: AbortSignal | undefined;
  /** Datagrams from these remotes are dropped and counted. */
  receiveBlockList?: AddressBlockList | undefined;
  /** Sends to these remotes fail with ERR_IP_BLOCKED. */
  sendBlockList?: AddressBlockList | undefined;
  /**
   * `'route'` (default): a reply carries no interface index, routing decides. `'ingress'`: it leaves through the
   * interface the request came in by (IPv4: Linux and Windows). Link-local peers always use the ingress interface.
   */
  replyInterface?: 'route' | 'ingress' | undefined;
  /**
   * For code that answers with plain `send(msg, port, address)`: send from the local address which that remote (address,
   * port) was heard on, when `send()` names none. Looked up in the message in whose async context `send()` runs, in
   * what this socket remembers, and in what all sticky sockets of the process remember. A socket that connects to a
   * remote it has heard is bound to that address. `max` remotes (8192) are remembered for `ttl` ms (60000). `follow: 'route'`
   * lets the kernel choose where the route to the remote leaves through another interface than its last request came in by,
   * as WireGuard does: for peers and hosts that roam, and not for asymmetric routes. Default false.
   */
  stickySource?:
    | boolean
    | {
        readonly max?: number | undefined;
        readonly ttl?: number | undefined;
        readonly follow?: 'route' | undefined;
      }
    | undefined;
  /** Which datagrams are delivered. Default: all. */
  accept?: Accept | undefined;
  /** Adds `rinfo.ttl`. Default false. */
  recvTTL?: boolean | undefined;
  /** Adds `rinfo.tos` and `rinfo.ecn`. Default false. */
  recvTOS?: boolean | undefined;
  /** Adds `rinfo.timestamp`. Default false. */
  recvTimestamp?: boolean | undefined;
  /**
   * Adds `rinfo.drops`, Linux. FreeBSD and NetBSD do not count: `stats().droppedByKernel` says how often the queue was full
   * there (SO_RERROR). Default false.
   */
  recvDrops?: boolean | undefined;
  /** Adds `rinfo.mark`, the firewall's mark (SO_RCVMARK); Linux since 5.19. Default false. */
  recvMark?: boolean | undefined;
  /** Answers carry the mark of their request (SO_MARK); Linux, CAP_NET_ADMIN. Default false. */
  replyMark?: boolean | undefined;
  /**
   * TPROXY: sockets take what a firewall redirects to them, `rinfo.originalDestination` says where it was sent, and any
   * address may be bound to and sent from. IP_TRANSPARENT: CAP_NET_ADMIN. Default false.
   */
  transparent?: boolean | undefined;
  /**
   * `false`: only groups that this socket has joined are heard, not those of other programs on its port
   * (IP_MULTICAST_ALL 0 on Linux). Default: the OS's.
   */
  multicastAll?: boolean | undefined;
  /** Only this interface is heard and sent through (SO_BINDTODEVICE, IP_BOUND_IF, IP_UNICAST_IF). Default: all. */
  bindToDevice?: string | undefined;
  /** Addresses that are not (yet) this host's may be bound and sent from (IP_FREEBIND, IP_BINDANY). Default false. */
  freebind?: boolean | undefined;
  /** Fragmentation and path MTU discovery (IP_MTU_DISCOVER, IP_DONTFRAG, IPV6_DONTFRAG). Default: the OS's. */
  mtuDiscover?: 'do' | 'dont' | 'want' | 'probe' | undefined;
  /** ms. What has waited longer in the kernel's queue is counted (`stats().stale`) and not delivered. Default: for ever. */
  maxQueueTime?: number | undefined;
  /** ICMP errors arrive as `'icmp'` events instead of breaking the next send; Linux. Default false. */
  recvErrors?: boolean | undefined;
  /**
   * Runs of equal-sized datagrams to one peer go to the kernel as one (UDP_SEGMENT, Linux), where it is known to work;
   * what it refuses is sent one by one. Default true.
   */
  gso?: boolean | undefined;
  /**
   * Lets the kernel coalesce incoming datagrams (UDP_GRO, Linux). `true`: they are delivered one by one all the same;
   * `'runs'`: `msg` is the whole run, and `rinfo.segmentSize` says where to cut it. Default false.
   */
  gro?: boolean | 'runs' | undefined;
  /**
   * Does each `msg` own an ArrayBuffer of exactly its size, as dgram's do? Otherwise it is cut from Buffer's pool, which
   * is faster beyond 64 bytes. Default: true for `'message'`, false for `'messages'`.
   */
  ownBuffers?: boolean | undefined;
  /** Datagrams per system call, 1…1024. Default 64. */
  batch?: number | undefined;
  /** Bytes, 1…65535; longer datagrams are delivered cut, with `rinfo.truncated`. Default 65535. */
  maxDatagramSize?: number | undefined;
}

/** What bind() takes as an object. */
export interface BindOptions {
  /** Default 0: one that is free. */
  port?: number | undefined;
  /** Default: all addresses. */
  address?: string | undefined;
  /** node:cluster: a socket of its own for this worker. Default false. */
  exclusive?: boolean | undefined;
  /** A bound UDP descriptor to take over. */
  fd?: number | undefined;
}

/** Where a datagram goes, and from where. */
export interface SendOptions {
  /** Of the remote. Left out on a connected socket. */
  port?: number | undefined;
  /** Default 127.0.0.1 or ::1. */
  address?: string | undefined;
  /** The address of this host to send from: an IP literal. Default: the kernel chooses. */
  localAddress?: string | undefined;
  /**
   * The interface to leave through, by name or index. IPv4: Linux, and Windows beside a `localAddress`; elsewhere it is
   * left out. IPv6: a preference on Linux. Default: routing decides.
   */
  interface?: string | number | undefined;
  /** Time to live / hop limit of this datagram, 1…255. IPv4: Linux, and Windows since 10 2004. Default: the socket's own. */
  ttl?: number | undefined;
  /**
   * TOS / traffic class byte of this datagram, 0…255. IPv4: Linux, macOS, FreeBSD. Windows since 10 2004. Default: the
   * socket's own.
   */
  tos?: number | undefined;
  /**
   * Cuts `msg` into datagrams of this many bytes, of which the last may be shorter: in the kernel where it can (UDP_SEGMENT), by
   * us elsewhere. The callback is called once, with all bytes.
   */
  segmentSize?: number | undefined;
  /** When it is to leave, in ns on the clock of process.hrtime.bigint() (SO_TXTIME; Linux, with the fq qdisc). */
  txTime?: bigint | number | undefined;
  /** The mark that firewalls and routing rules see (SO_MARK); Linux, CAP_NET_ADMIN. */
  mark?: number | undefined;
}

/** What ICMP, or this host itself, answered to a datagram that was sent. The error of an `'icmp'` event. */
export interface IcmpError extends Error {
  /** errno's name: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, … */
  code: string;
  /** Negative, libuv's number on this OS. */
  errno: number;
  /** ICMP's own number (RFC 792, RFC 4443). */
  type: number;
  /** ICMP's own number within the type. */
  icmpCode: number;
  /** Who says so. `'local'`: this host. */
  origin: 'icmp' | 'icmp6' | 'local' | 'other';
  /** To whom the datagram was sent. */
  remote: { address: string; port: number };
  /** The router or host that complained, where that is known. */
  offender?: string;
  /** The address of this host that the answer came to. */
  localAddress?: string;
  /** The path MTU, with EMSGSIZE. */
  mtu?: number;
}

/** One instruction of classic BPF: `[code, jt, jf, k]`, as in struct sock_filter. */
export type Instruction = readonly [code: number, jt: number, jf: number, k: number];

/** What sendSync() takes: a literal address, or none on a connected socket. */
export type SendSyncOptions = Omit<SendOptions, 'segmentSize'>;

/** One datagram of sendMany(). */
export interface OutgoingDatagram extends SendOptions {
  /** The payload; an array is gathered into one datagram. */
  msg: Message | readonly Message[];
}

/** What socket.address() gives. */
export interface AddressInfo {
  /** `0.0.0.0` or `::` for all. */
  address: string;
  /** Of that address. */
  family: Family;
  /** Never 0 once bound. */
  port: number;
}

/** Counters of one socket since it was made. */
export interface SocketStats {
  /** Datagrams received, delivered or not. */
  datagramsIn: number;
  /** Bytes of their payloads. */
  bytesIn: number;
  /** Datagrams the kernel took. */
  datagramsOut: number;
  /** Bytes of their payloads. */
  bytesOut: number;
  /** recvmmsg (or recvmsg) calls. */
  systemCallsIn: number;
  /** sendmmsg (or sendmsg) calls. */
  systemCallsOut: number;
  /** Received longer than maxDatagramSize. */
  truncated: number;
  /** Not delivered because of `accept`, `receiveBlockList`, `multicastAll` or `bindToDevice`. */
  filtered: number;
  /** Received but not delivered: the socket was closed first, there was no memory for it, or the kernel had joined it to others and did not say where it ends. */
  discarded: number;
  /** Dropped by the kernel's receive queue; with `recvDrops`, as of the last datagram. */
  droppedByKernel: number;
  /** Datagrams that could not be sent. */
  sendErrors: number;
  /** How often the kernel's send queue was full. */
  wouldBlock: number;
  /** Not delivered because they had waited longer than `maxQueueTime`. */
  stale: number;
  /** Delivered to a `for await` loop that has not read them, because 1024 (promises: `highWaterMark`) waited already. */
  unread: number;
  /** Received without a word about their destination. */
  destinationUnknown: number;
  /** Datagrams that the kernel refused, by errno's name: `{ EACCES: 1 }`. */
  errors: Record<string, number>;
}
