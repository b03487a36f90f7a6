/**
 * The outgoing half of a batch: datagrams written one after the other into a ring, payloads packed into one arena so
 * that a batch of small ones stays in the CPU's nearest cache. Pure bytes and bookkeeping; the sender makes the calls.
 */
import type { Syscalls } from '../ffi/syscalls';
import type { Departure, IntDeparture, Platform, Source } from '../platform/platform';
import { CMSG_SPACE, writeHeader } from './control';
import { type Endpoint, ipv4WordOf, isIPv4Endpoint } from './endpoint';
import { Ring } from './ring';
import { SOCKADDR_SPACE, type Sockaddrs } from './sockaddr';

/** Datagrams per system call. Linux cuts at 1024 (UIO_MAXIOV). */
export const SEND_SLOTS = 64;
/** Bytes. One datagram of any size fits; so do 64 of Ethernet size. Only what is written to becomes memory. */
export const ARENA = 128 * 1024;
/** Source, TTL and TOS: 40 + 24 + 24 bytes at most. */
const SEND_CONTROL_SPACE = 96;

/** What becomes of one datagram. */
export type Settle = (error: Error | null, bytes: number) => void;

/** What most datagrams do without. */
export interface Extras {
  /** Interface to leave through, 0 for none. */
  readonly ifindex: number;
  /** -1 for the socket's own. */
  readonly ttl: number;
  readonly tos: number;
}

/** The bytes of a datagram, or parts that are gathered into one. */
export type Payload = Uint8Array | readonly Uint8Array[];

/** Bytes. */
export function sizeOf(payload: Payload): number {
  if (!Array.isArray(payload)) return (payload as Uint8Array).length;
  let size = 0;
  for (const part of payload as readonly Uint8Array[]) size += part.length;
  return size;
}

export class SendRing {
  /** Datagrams written. */
  count = 0;
  /** Of these, how many the kernel has taken or refused. */
  settled = 0;
  /** Bytes of the datagrams not settled yet. */
  pendingBytes = 0;
  /** Does any datagram of this batch want to hear of its fate? */
  watched = false;
  readonly remotes: (Endpoint | undefined)[] = [];
  readonly sources: (Endpoint | undefined)[] = [];
  readonly settles: (Settle | undefined)[] = [];
  /** May the datagram leave from another address too, if it cannot from this one? What else it asks for. */
  readonly lenient: (Extras | true | undefined)[] = [];
  readonly ports = new Uint16Array(SEND_SLOTS);
  readonly sizes = new Uint32Array(SEND_SLOTS);
  readonly #platform: Platform;
  readonly #sockaddrs: Sockaddrs;
  readonly #ring: Ring;
  readonly #source: { -readonly [K in keyof Source]: Source[K] } = {
    word0: 0,
    word1: 0,
    word2: 0,
    word3: 0,
    ifindex: 0,
  };
  /** Slots whose control and name pointers stand, respectively, at NULL. */
  readonly #withoutControl = new Uint8Array(SEND_SLOTS);
  readonly #withoutName = new Uint8Array(SEND_SLOTS);
  #used = 0;

  constructor(platform: Platform, syscalls: Syscalls, sockaddrs: Sockaddrs) {
    this.#platform = platform;
    this.#sockaddrs = sockaddrs;
    this.#ring = new Ring(platform, syscalls, SEND_SLOTS, SEND_CONTROL_SPACE, ARENA);
    for (let slot = 0; slot < SEND_SLOTS; slot++) {
      this.remotes.push(undefined);
      this.sources.push(undefined);
      this.settles.push(undefined);
      this.lenient.push(undefined);
    }
  }

  /** The array that sendmmsg takes. */
  get messages(): Buffer {
    return this.#ring.messages;
  }

  get pending(): number {
    return this.count - this.settled;
  }

  hasRoom(bytes: number): boolean {
    return this.count < SEND_SLOTS && this.#used + bytes <= ARENA;
  }

  /**
   * Copies one datagram in. The caller has checked that there is room.
   * @param port 0 on a connected socket: `remote` is its peer then, and is not named
   * @param source undefined: the kernel chooses
   * @param lenient may {@link dropSource} be called?
   */
  write(
    payload: Payload,
    size: number,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
    settle: Settle | undefined,
    lenient = false,
  ): void {
    const slot = this.count++;
    const offset = this.#used;
    this.#copy(payload);
    this.#ring.pointAtPayload(slot, offset, size);
    this.#writeName(slot, remote, port);
    this.#writeControl(slot, remote, source, extras);
    this.remotes[slot] = remote;
    this.sources[slot] = source;
    this.settles[slot] = settle;
    this.lenient[slot] = lenient ? (extras ?? true) : undefined;
    this.ports[slot] = port;
    this.sizes[slot] = size;
    this.pendingBytes += size;
    if (settle !== undefined) this.watched = true;
  }

  /** Lets the kernel choose the source of a datagram that is not settled yet. */
  dropSource(slot: number): void {
    const extras = this.lenient[slot];
    this.sources[slot] = undefined;
    this.lenient[slot] = undefined;
    this.#writeControl(slot, this.remotes[slot] as Endpoint, undefined, extras === true ? undefined : extras);
  }

  /** Makes it as new, but for the memory it has. */
  clear(): void {
    // Nothing that a caller gave may be kept alive by a ring at rest.
    for (let slot = 0; slot < this.count; slot++) {
      this.remotes[slot] = undefined;
      this.sources[slot] = undefined;
      this.settles[slot] = undefined;
      this.lenient[slot] = undefined;
    }
    this.count = 0;
    this.settled = 0;
    this.pendingBytes = 0;
    this.watched = false;
    this.#used = 0;
  }

  #copy(payload: Payload): void {
    const { payload: arena } = this.#ring;
    if (!Array.isArray(payload)) {
      arena.set(payload as Uint8Array, this.#used);
      this.#used += (payload as Uint8Array).length;
      return;
    }
    for (const part of payload as readonly Uint8Array[]) {
      arena.set(part, this.#used);
      this.#used += part.length;
    }
  }

  #writeName(slot: number, remote: Endpoint, port: number): void {
    const ring = this.#ring;
    const namelen = (slot * ring.layout.size + ring.layout.namelen) >>> 2;
    if (port === 0) {
      if (this.#withoutName[slot] === 0) ring.pointAtNoName(slot);
      this.#withoutName[slot] = 1;
      ring.messageWords[namelen] = 0;
      return;
    }
    if (this.#withoutName[slot] === 1) ring.pointAtName(slot);
    this.#withoutName[slot] = 0;
    ring.messageWords[namelen] = this.#sockaddrs.write(ring.names, ring.nameWords, slot * SOCKADDR_SPACE, remote, port);
  }

  #writeControl(slot: number, remote: Endpoint, source: Endpoint | undefined, extras: Extras | undefined): void {
    const ring = this.#ring;
    const start = slot * ring.controlSpace;
    let at = start;
    const ifindex = extras === undefined ? 0 : extras.ifindex;
    if (source !== undefined || ifindex !== 0) at = this.#writeSource(at, remote, source, ifindex);
    if (extras !== undefined) at = this.#writeExtras(at, remote, extras);
    const length = at - start;
    if (length === 0 && this.#withoutControl[slot] === 0) ring.pointAtNoControl(slot);
    if (length !== 0 && this.#withoutControl[slot] === 1) ring.pointAtControl(slot);
    this.#withoutControl[slot] = length === 0 ? 1 : 0;
    const message = slot * ring.layout.size;
    ring.messageWords[(message + ring.layout.controllen) >>> 2] = length;
    ring.messageWords[(message + ring.layout.flags) >>> 2] = 0; // FreeBSD refuses what a receive left there (P24)
  }

  /** → offset behind the message */
  #writeSource(at: number, remote: Endpoint, source: Endpoint | undefined, ifindex: number): number {
    const { departures, constants } = this.#platform;
    const departure = departures[remote.family === 4 ? 'udp4' : remote.mapped ? 'mapped' : 'udp6'];
    // An index alone is no use where it cannot be carried, and on Windows it makes the source 0.0.0.0.
    if (departure === undefined || (source === undefined && !departure.ifindexAlone)) return at;
    const plain = this.#source;
    // An IPPROTO_IP message takes the plain IPv4 address, whatever the socket; an IPPROTO_IPV6 one all 16 bytes.
    const ipv4 = departure.level === constants.IPPROTO_IP && source !== undefined ? ipv4WordOf(source) : undefined;
    plain.word0 = ipv4 ?? source?.word0 ?? 0;
    plain.word1 = ipv4 === undefined ? (source?.word1 ?? 0) : 0;
    plain.word2 = ipv4 === undefined ? (source?.word2 ?? 0) : 0;
    plain.word3 = ipv4 === undefined ? (source?.word3 ?? 0) : 0;
    plain.ifindex = departure.carriesIfindex ? ifindex || this.#linkOf(remote, source) : 0;
    return this.#writeMessage(at, departure, plain);
  }

  /** Link-local addresses mean something on one link only. */
  #linkOf(remote: Endpoint, source: Endpoint | undefined): number {
    if (source?.linkLocal && source.scope !== 0) return source.scope;
    return remote.linkLocal ? remote.scope : 0;
  }

  #writeMessage(at: number, departure: Departure, source: Source): number {
    const payload = writeHeader(this.#platform.cmsg, this.#ring.control, at, departure);
    departure.write(this.#ring.control, payload, source);
    return at + CMSG_SPACE(this.#platform.cmsg, departure.size);
  }

  #writeExtras(at: number, remote: Endpoint, extras: Extras): number {
    const { ttl, tos } = this.#platform;
    // A mapped peer is IPv4 on the wire and heeds IPv4's messages alone (P14).
    const kind = isIPv4Endpoint(remote) ? 'udp4' : 'udp6';
    let next = at;
    if (extras.ttl >= 0) next = this.#writeInt(next, ttl[kind], extras.ttl);
    if (extras.tos >= 0) next = this.#writeInt(next, tos[kind], extras.tos);
    return next;
  }

  #writeInt(at: number, message: IntDeparture | undefined, value: number): number {
    if (message === undefined) return at;
    const { control } = this.#ring;
    const payload = writeHeader(this.#platform.cmsg, control, at, message);
    control.words[payload >>> 2] = 0;
    if (message.size === 4) control.words[payload >>> 2] = value;
    else control.bytes[payload] = value;
    return at + CMSG_SPACE(this.#platform.cmsg, message.size);
  }
}
