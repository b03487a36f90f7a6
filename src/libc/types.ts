/** The types of the calls' arguments and results. */
import type { SocketName } from './addresses';

export type { SocketName } from './addresses';

/** Where a datagram was sent to. Given to sendfromto() as `from`, the answer leaves from `localAddress`. */
export interface Destination extends SocketName {
  /** From the IP header: may be a multicast or broadcast address. */
  readonly address: string;
  /**
   * The unicast address of this host that an answer leaves from, or undefined where the kernel must choose. Equal to
   * `address` for unicast.
   */
  readonly localAddress: string | undefined;
}

/** What recvfromto() returns. */
export interface ReceivedFromTo {
  /** Owns its bytes. */
  readonly msg: Buffer;
  /** The sender. */
  readonly from: SocketName;
  /** undefined where the kernel did not say. */
  readonly to: Destination | undefined;
  /** Index of the receiving interface; 0 where the OS does not tell. */
  readonly ifindex: number;
  /** Its name; undefined where the OS does not tell. */
  readonly interface: string | undefined;
  /** Present, and true, when the datagram was longer than `length` and has been cut. */
  readonly truncated?: boolean;
  /** Time to live or hop limit, after setsockopt() with IP_RECVTTL or IPV6_RECVHOPLIMIT. */
  readonly ttl?: number;
  /** TOS or traffic class, after setsockopt() with IP_RECVTOS or IPV6_RECVTCLASS. */
  readonly tos?: number;
  /** Nanoseconds since the epoch, after setsockopt() with SO_TIMESTAMPNS (Linux) or SO_TIMESTAMP. */
  readonly timestamp?: bigint;
  /** How many datagrams the socket had dropped when this one was queued, after setsockopt() with SO_RXQ_OVFL; Linux. */
  readonly drops?: number;
}

/** How recvfromto() receives. */
export interface RecvOptions {
  /** How long to wait, in ms. Default: for ever. */
  readonly timeout?: number | undefined;
  /** Return undefined at once when no datagram waits. Default false. */
  readonly dontwait?: boolean | undefined;
  /** Bytes of a datagram to take, 1…65535; the rest is lost. Default 65535. */
  readonly length?: number | undefined;
  /** Leave the datagram in the queue (MSG_PEEK). Default false. */
  readonly peek?: boolean | undefined;
}

/** Where sendfromto() sends to, from where, and how. */
export interface SendFromToOptions {
  /** Not needed on a connected socket. */
  readonly to?: { readonly address: string; readonly port: number } | undefined;
  /** The source: an address of this host, or what recvfromto() returned as `to`. Default: the kernel chooses. */
  readonly from?: { readonly address: string; readonly localAddress?: string | undefined } | undefined;
  /** Leave through this interface: a name or an index. Default: routing decides. */
  readonly interface?: string | number | undefined;
  /** Throw EAGAIN instead of waiting where the send queue is full. Default false. */
  readonly dontwait?: boolean | undefined;
}

/** What `bind` and `connect` take besides sockaddr structs. */
export interface BindName {
  /** An IP literal. Default: all addresses. */
  readonly address?: string | undefined;
  /** Default 0: any. */
  readonly port?: number | undefined;
}
