/** One socket inside a kernel model. */
import type { Cmsg } from './abi';
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
  /** Where it is bound; 0.0.0.0 or :: for everywhere. IPv4 addresses are plain on IPv6 sockets too. */
  local: string;
  scope = 0;
  port = 0;
  /** Was the address named at bind()? Linux keeps such a one when a connection is dissolved. */
  named = false;
  peer: PeerName | undefined;
  v6only: boolean;
  /** IP_MULTICAST_IF, IPV6_MULTICAST_IF: ifindex, 0 for the default. */
  multicastInterface = 0;
  receiveBuffer = BUFFER;
  sendBuffer: number;
  drops = 0;
  /** errno name that the next receive returns. */
  error: string | undefined;
  /** errno names that the next sends return, one each. */
  readonly refusals: string[] = [];
  /** For tests: what a payload that is to be cut is refused with (EIO: no checksum offload, P39). */
  refuseSegments: string | undefined;
  /** Its send queue is full: EAGAIN until it is emptied. */
  full = false;

  constructor(fd: number, family: 4 | 6, v6only: boolean, sendBuffer = BUFFER) {
    this.fd = fd;
    this.family = family;
    this.v6only = v6only;
    this.sendBuffer = sendBuffer;
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
    return this.queue.length > 0 || this.error !== undefined;
  }
}
