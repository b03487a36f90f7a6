/**
 * What an OS lets a socket be beyond what all of them do: types only, as platform.ts, which re-exports them. Each is data
 * for setsockopt, or the reason why this OS cannot, in words for `capabilities()` and for errors.
 */
import type { ControlView, IntDeparture, MessageLayout, Request, SocketKind } from './platform';

/** Why an OS cannot: the end of a sentence that begins with what cannot be done. */
export interface Because {
  readonly because: string;
}

/** What to ask for on each kind of socket, in this order. Empty: such sockets do not need it, or cannot. */
export type Asked = Readonly<Record<SocketKind, readonly Request[]>>;

/** One socket option. */
export interface Option {
  readonly level: number;
  readonly name: number;
}

/** Something that is switched on. */
export interface Setting {
  readonly ask: Asked;
  /** The privilege without which the kernel says EPERM (or EACCES), by the OS's name for it. */
  readonly needs?: string;
}

/** An option that takes an interface: its name with a NUL, its index, or its index in network byte order. */
export interface DeviceOption extends Option {
  readonly takes: 'name' | 'index' | 'networkIndex';
}

export interface DeviceSetting {
  readonly ask: Readonly<Record<SocketKind, readonly DeviceOption[]>>;
  /** false: only what is sent is bound to the interface; what comes in by others has to be left out by us. */
  readonly hears: boolean;
}

/** Where getsockopt(2) tells the path MTU of a connected socket: an int at `at` in `size` bytes. */
export interface MtuOption extends Option {
  readonly size: number;
  readonly at: number;
}

export type MtuDiscovery = 'do' | 'dont' | 'want' | 'probe';

/** When a datagram is to leave. */
export interface TxTime {
  /** Takes a struct sock_txtime: one of `clocks`, `flags`. */
  readonly option: Option;
  readonly clocks: { readonly monotonic: number; readonly realtime: number; readonly tai: number };
  readonly flags: { readonly deadline: number; readonly reportErrors: number };
  /** Nanoseconds by that clock, a 64-bit integer. */
  readonly departure: { readonly level: number; readonly type: number; readonly size: 8 };
  /** Clocks other than the monotonic one want it. */
  readonly needs: string;
}

/** A number that firewalls and routing rules see. */
export interface Mark {
  readonly option: Option;
  readonly departure?: IntDeparture;
  readonly needs?: string;
}

/** Classic BPF: `attach` takes a struct sock_fprog, `detach` any int. */
export interface Filter {
  readonly attach: Option;
  readonly detach: Option;
}

/** What one record of the error queue said. Overwritten for each; addresses as in Arrived. */
export interface ArrivedError {
  /** A positive errno; 0: the record told of no error. */
  errno: number;
  /** SO_EE_ORIGIN_*, then ICMP's type and code. */
  origin: number;
  type: number;
  code: number;
  /** The MTU with EMSGSIZE; else what the origin has it for. */
  info: number;
  data: number;
  /** The host that complained. 0: not told. */
  offenderFamily: 0 | 4 | 6;
  offender0: number;
  offender1: number;
  offender2: number;
  offender3: number;
}

/** A control message of the error queue. */
export interface ErrorArrival {
  readonly level: number;
  readonly type: number;
  readonly size: number;
  read(control: ControlView, at: number, error: ArrivedError): void;
}

/** Records that recvmsg(2) brings with `flag`: the name is the peer's, the payload what was sent to it. */
export interface ErrorQueue {
  readonly flag: number;
  readonly arrivals: readonly ErrorArrival[];
  readonly origins: {
    readonly local: number;
    readonly icmp: number;
    readonly icmp6: number;
    readonly txtime: number;
  };
}

/** What a full receive queue does beside losing datagrams: the next recvmsg(2) is `errno`, once. */
export interface Overflow extends Setting {
  readonly errno: string;
}

/** All of it, OS by OS: tsc names the OS that has forgotten one. */
export interface Settings {
  /** Only one interface is heard and sent through. */
  readonly bindToDevice: DeviceSetting | Because;
  /** Addresses that are not (yet) this host's may be bound and sent from. */
  readonly freebind: Setting | Because;
  /** The same, for datagrams that a firewall has diverted. */
  readonly transparent: Setting | Because;
  /** Groups that other sockets of this host have joined are not heard. */
  readonly onlyOwnGroups: Setting | Because;
  /** Fragmentation, per wish; a kind of socket that cannot has no requests. */
  readonly mtuDiscover: Readonly<Record<MtuDiscovery, Setting | Because>>;
  readonly pathMtu: { readonly 4?: MtuOption; readonly 6?: MtuOption } | Because;
  readonly txTime: TxTime | Because;
  readonly mark: Mark | Because;
  readonly filter: Filter | Because;
  /** Which socket of a `reusePort` group gets a datagram: an option that takes a struct sock_fprog. */
  readonly steer: Option | Because;
  /** Groups are heard without what one source sends to them: IP_BLOCK_SOURCE, MCAST_BLOCK_SOURCE. */
  readonly blockSource:
    | { readonly ip: number; readonly ipUndo: number; readonly any: number; readonly anyUndo: number }
    | Because;
  /** Datagrams that were refused, and ICMP's answers to what was sent. */
  readonly errorQueue: ErrorQueue | Because;
  readonly overflow: Overflow | Because;
}

/**
 * What an OS has by its documentation, on some of its releases only: to be tried on a socket before it is relied on, by
 * setsockopt with the same level and number where there is such an option, else by the first datagram.
 */
export interface Tried {
  /** One payload cut into datagrams of this many bytes, a native int of `size` bytes. */
  readonly segment?: { readonly level: number; readonly type: number; readonly size: 4 };
  readonly ttl?: { readonly udp4?: IntDeparture; readonly udp6?: IntDeparture };
  readonly tos?: { readonly udp4?: IntDeparture; readonly udp6?: IntDeparture };
  /** The two ECN bits alone, where `tos` is refused. */
  readonly ecn?: { readonly udp4?: IntDeparture; readonly udp6?: IntDeparture };
  readonly recvECN?: Asked;
}

/**
 * A private call that receives many datagrams, as recvmmsg does, and is not relied on before it has been compared with
 * recvmsg on this machine.
 */
export interface PrivateBatch {
  readonly symbol: string;
  /** The array that the call takes; `len` is the field in which it tells the bytes received. */
  readonly message: MessageLayout;
  /** Flags that the call takes; others are EINVAL. msg_flags must be 0 in each message. */
  readonly flags: number;
}

export function missing(offer: object): offer is Because {
  return 'because' in offer;
}
