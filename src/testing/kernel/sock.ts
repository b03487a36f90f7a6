/** A socket, as the kernel in memory has it. */
import { linuxConstants as c } from '../../platform/linux-constants';
import { ANY, type Ip, isAny } from '../ip';
import type { Interface } from '../machine';

/** A datagram on its way, or in a queue. */
export interface Datagram {
  readonly source: Ip;
  readonly sourcePort: number;
  readonly destination: Ip;
  readonly destinationPort: number;
  readonly payload: Buffer;
  readonly ttl: number;
  readonly tos: number;
}

/** One that has come in. */
export interface Queued {
  readonly datagram: Datagram;
  readonly iface: Interface;
  /** ms since the epoch. */
  readonly at: number;
  /** How many the queue had dropped by then. */
  readonly drops: number;
}

export interface Membership {
  readonly group: string;
  readonly ifindex: number;
  /** Source-specific: only what this address sends. */
  readonly source: string | undefined;
}

/** What ICMP said of a datagram that this socket had sent. */
export interface Complaint {
  readonly datagram: Datagram;
  readonly errno: number;
  readonly type: number;
  readonly code: number;
  readonly offender: Ip;
  /** When it came: ms since the epoch. */
  readonly at: number;
}

export interface Peer {
  readonly ip: Ip;
  readonly port: number;
  readonly scope: number;
}

/** net.core.rmem_default, in bytes as the kernel counts them. */
const BUFFER = 212992;

export class Sock {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly queue: Queued[] = [];
  /** Bytes of the queue, with what the kernel keeps beside each datagram. */
  queued = 0;
  drops = 0;
  readonly complaints: Complaint[] = [];
  readonly groups: Membership[] = [];
  readonly blocked: Membership[] = [];
  /** Integer options that were set, by level and name. */
  readonly options = new Map<number, number>();
  local: Ip;
  scope = 0;
  port = 0;
  /** Did bind() name an address? It stays when a connection is dissolved. */
  named = false;
  /** Did bind() name a port? One that the kernel has chosen goes when a connection is dissolved. */
  portNamed = false;
  peer: Peer | undefined;
  /** errno that the next call returns. */
  error = 0;
  v6only = false;
  /** SO_BINDTODEVICE: ifindex, 0 for all. */
  device = 0;
  /** IP_MULTICAST_IF, IPV6_MULTICAST_IF: ifindex, 0 for the default. */
  multicastInterface = 0;
  receiveBuffer = BUFFER;
  sendBuffer = BUFFER;

  constructor(fd: number, family: 4 | 6) {
    this.fd = fd;
    this.family = family;
    this.local = ANY[family];
  }

  get wildcard(): boolean {
    return isAny(this.local);
  }

  get readable(): boolean {
    return this.queue.length > 0 || this.error !== 0 || this.complaints.length > 0;
  }

  option(level: number, name: number, otherwise = 0): number {
    return this.options.get(keyOf(level, name)) ?? otherwise;
  }

  on(level: number, name: number): boolean {
    return this.option(level, name) !== 0;
  }

  /** May bind to, or send from, addresses of others. ip(7) */
  get foreign(): boolean {
    return (
      this.on(c.IPPROTO_IP, c.IP_FREEBIND) ||
      this.on(c.IPPROTO_IPV6, c.IPV6_FREEBIND) ||
      this.on(c.IPPROTO_IP, c.IP_TRANSPARENT) ||
      this.on(c.IPPROTO_IPV6, c.IPV6_TRANSPARENT)
    );
  }
}

/** Levels and names are below 2¹⁶. */
export function keyOf(level: number, name: number): number {
  return (level << 16) | name;
}
