/** What a network in memory is made of, as programs see it. */

/** What happens on the way from one host to another. A host's own addresses are reached at once, without any of it. */
export interface LinkSettings {
  /** How many of the datagrams are lost, 0…1. Default 0. */
  loss?: number | undefined;
  /** How long each is on the way, in ms. Default 0: it is there when `send()` has called back. */
  delay?: number | undefined;
  /** Up to so many ms more, by chance. They still arrive in the order in which they left. Default 0. */
  jitter?: number | undefined;
  /**
   * How many, 0…1, are overtaken by the next one on the same way, or come 10 ms late where none follows. Default 0.
   */
  reorder?: number | undefined;
  /** How many, 0…1, arrive twice. Default 0. */
  duplicate?: number | undefined;
}

/**
 * One address, several, or those of several interfaces by name. IPv4 or IPv6, with the bits of the network behind a slash
 * where they are not 24 and 64: `'10.0.0.1'`, `['10.0.0.1/16', '2001:db8::1']`, `{ eth0: '10.0.0.1', eth1: '10.1.0.1' }`.
 */
export type HostAddresses = string | readonly string[] | Readonly<Record<string, string | readonly string[]>>;

/** What {@link createNetwork} takes. */
export interface NetworkOptions<Name extends string = string> extends LinkSettings {
  /** Addresses by the name of the host. Names can be sent to as well as addresses. */
  hosts: Readonly<Record<Name, HostAddresses>>;
  /** An integer. The same program on the same seed loses the same datagrams. Default 1. */
  seed?: number | undefined;
  /**
   * `'timers'` (default): delays are `setTimeout()`s, which a test runner's fake timers drive. `'manual'`: nothing arrives
   * before `advance()` or `settle()`; the order of all that happens then depends on the seed alone.
   */
  clock?: 'timers' | 'manual' | undefined;
  /** Datagrams that `log` holds at most, the oldest go. Default 10,000. */
  log?: number | undefined;
  /** Is asked about each datagram that leaves a host: `true` loses it, before chance has a say. */
  lose?: ((packet: Packet) => boolean) | undefined;
}

/**
 * What has become of a datagram: still `'travelling'`; `'delivered'` to a socket's queue; `'lost'` by chance or by `lose()`;
 * `'partitioned'`; `'no-host'`: nobody has the address; `'refused'`: the host has no such port, and said so (ICMP);
 * `'dropped'`: the socket's queue was full; `'unheard'`: a group or broadcast that no socket of the host listens to.
 */
export type PacketFate =
  | 'travelling'
  | 'delivered'
  | 'lost'
  | 'partitioned'
  | 'no-host'
  | 'refused'
  | 'dropped'
  | 'unheard';

/** One end of a datagram. */
export interface PacketEnd {
  /** Text, without a zone. */
  readonly address: string;
  /** Its port. */
  readonly port: number;
}

/** A datagram between two hosts; one to a group or broadcast address is one to each of the hosts on the link. */
export interface Packet {
  /** 1 for the first one of the network. */
  readonly number: number;
  /** When it was sent: ms since the network was made. */
  readonly at: number;
  /** The host that it comes from. */
  readonly from: string;
  /** The host that it goes to; undefined where none has the address. */
  readonly to: string | undefined;
  /** Address and port that it comes from, as its header has them. */
  readonly source: PacketEnd;
  /** Address and port that it goes to. */
  readonly destination: PacketEnd;
  /** Its bytes. */
  readonly msg: Buffer;
  /** Time to live, or hop limit. */
  readonly ttl: number;
  /** TOS, or traffic class. */
  readonly tos: number;
  /** So many arrive: 2 where it was duplicated, 0 where it was lost. */
  readonly copies: number;
  /** Was it held back, so that the next one overtakes it? */
  readonly reordered: boolean;
  /** What has become of it by now. */
  readonly fate: PacketFate;
}

/** Datagrams between hosts, counted since the network was made. */
export interface NetworkStats {
  /** Left a host for another one. */
  sent: number;
  /** Are still on the way, copies included. */
  travelling: number;
  /** Reached a socket's queue, copies included. */
  delivered: number;
  /** Lost by chance, or by `lose()`. */
  lost: number;
  /** Sent into a partition. */
  partitioned: number;
  /** Went to addresses that no host has. */
  noHost: number;
  /** Came for a port that no socket has. */
  refused: number;
  /** Came for a socket whose queue was full. */
  dropped: number;
  /** To a group or broadcast address, and not heard by the host that it came to. */
  unheard: number;
  /** Arrive twice. */
  duplicated: number;
  /** Held back, so that the next one overtakes. */
  reordered: number;
}
