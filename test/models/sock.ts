/** One socket inside a kernel model. */
import type { Cmsg } from './abi';
import type { Instruction } from './bpf';
import type { Interface, Packet } from './net';

export interface Membership {
  readonly group: string;
  readonly ifindex: number;
  /** Source-specific: only datagrams from this address. */
  readonly source: string | undefined;
}

/** A datagram in a socket's queue. */
export interface Queued {
  readonly packet: Packet;
  readonly iface: Interface;
  /** The socket's flags when it was queued: what is set later comes too late. */
  readonly flags: ReadonlySet<string>;
  /** Control messages, where the kernel makes them when it queues. */
  readonly control: readonly Cmsg[] | undefined;
  /** How many were dropped before this one. */
  readonly drops: number;
}

/** An ICMP message, or a local refusal, about a datagram that was sent. */
export interface QueuedError {
  readonly errno: string;
  /** SO_EE_ORIGIN_* */
  readonly origin: string;
  readonly type: number;
  readonly code: number;
  readonly info: number;
  /** Whom it was sent to, and what. */
  readonly to: PeerName;
  readonly payload: Buffer;
  /** Who complained. */
  readonly offender: string | undefined;
}

export interface PeerName {
  readonly address: string;
  readonly port: number;
  readonly scope: number;
}

/** bytes */
const BUFFER = 212992;

export class Sock {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly queue: Queued[] = [];
  /** Options that are on, by C name. */
  readonly flags = new Set<string>();
  /** Options that are numbers, by C name. */
  readonly values = new Map<string, number>();
  readonly groups: Membership[] = [];
  /** IP_BLOCK_SOURCE: what these send to those groups is not heard. */
  readonly blocked: Membership[] = [];
  /** Where it is bound; 0.0.0.0 or :: for everywhere. IPv4 addresses are plain on IPv6 sockets too. */
  local: string;
  scope = 0;
  port = 0;
  /** Has the kernel chosen the port? Linux takes such a one back when a connection is dissolved. */
  chosen = false;
  /** Was the address named at bind()? Linux keeps such a one when a connection is dissolved. */
  named = false;
  peer: PeerName | undefined;
  v6only: boolean;
  /** A dual-stack socket that is left with one family, by bind() or connect(). */
  only: 4 | 6 | undefined;
  /** SO_BINDTODEVICE and its like: ifindex, 0 for all. */
  device = 0;
  /** Windows' IP_UNICAST_IF, IPV6_UNICAST_IF: what is sent leaves by it, what comes is not looked at. */
  egress = 0;
  /** IP_MTU_DISCOVER, IP_DONTFRAG: larger datagrams than the link takes are refused. */
  readonly dontFragment = new Set<4 | 6>();
  /** SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF. */
  filter: readonly Instruction[] | undefined;
  steering: readonly Instruction[] | undefined;
  /** What Linux keeps for MSG_ERRQUEUE. */
  readonly errors: QueuedError[] = [];
  /** IP_MULTICAST_IF, IPV6_MULTICAST_IF: ifindex, 0 for the default. */
  multicastInterface = 0;
  receiveBuffer: number;
  sendBuffer: number;
  drops = 0;
  /** errno name that the next receive returns. */
  error: string | undefined;
  /** One that shows behind so many more datagrams: in the middle of a batch. */
  lateError: { readonly after: number; readonly name: string } | undefined;
  /** errno names that the next sends return, one each. */
  readonly refusals: string[] = [];
  /** For tests: what a payload that is to be cut is refused with (EIO: no checksum offload, P39). */
  refuseSegments: string | undefined;
  /** Its send queue is full: EAGAIN until it is emptied. */
  full = false;

  constructor(fd: number, family: 4 | 6, v6only: boolean, sendBuffer = BUFFER, receiveBuffer = BUFFER) {
    this.fd = fd;
    this.family = family;
    this.v6only = v6only;
    this.sendBuffer = sendBuffer;
    this.receiveBuffer = receiveBuffer;
    this.local = family === 4 ? '0.0.0.0' : '::';
  }

  get bound(): boolean {
    return this.port !== 0;
  }

  get wildcard(): boolean {
    return this.local === '0.0.0.0' || this.local === '::';
  }

  get queuedBytes(): number {
    return this.queue.reduce((sum, { packet }) => sum + packet.payload.length, 0);
  }

  get readable(): boolean {
    return this.queue.length > 0 || this.error !== undefined || this.errors.length > 0;
  }
}
