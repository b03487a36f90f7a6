/**
 * The outgoing half of a batch: datagrams written one after the other into a ring, payloads packed into one arena so
 * that a batch of small ones stays in the CPU's nearest cache. Pure bytes and bookkeeping; the sender makes the calls.
 *
 * A slot holds one message to the kernel. It is one datagram, or a run of equal ones to one peer, which the kernel cuts
 * apart again (UDP_SEGMENT): their payloads stand one behind the other in the arena anyway.
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
/** Source, TTL, TOS and segment size: 40 + 24 + 24 + 24 bytes at most. */
const SEND_CONTROL_SPACE = 128;
/** UDP_MAX_SEGMENTS of <linux/udp.h> before 6.9, which made it 128. */
const MAX_SEGMENTS = 64;
/** Bytes of one message to the kernel: what IPv4 lets a datagram have. */
const MAX_RUN = 65507;

/** What becomes of one datagram. `error` is null, and `bytes` given, when the kernel has taken it. */
export interface Settle {
  (error: Error | null, bytes: number): void;
  /** May it be called from inside a flush? A program's own callbacks each get a tick of their own. */
  readonly atOnce?: true;
}

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

/** What set() will copy, whatever a subclass of a program says its `length` is: pointers are computed from it. */
const lengthOf = Function.prototype.call.bind(
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')?.get as () => number,
) as (bytes: Uint8Array) => number;

/** Bytes. */
export function sizeOf(payload: Payload): number {
  if (!Array.isArray(payload)) return lengthOf(payload as Uint8Array);
  let size = 0;
  for (const part of payload as readonly Uint8Array[]) size += lengthOf(part);
  return size;
}

export class SendRing {
  /** Slots written. */
  count = 0;
  /** Of these, how many the kernel has taken or refused. */
  settled = 0;
  /** Datagrams not settled yet, and their bytes. */
  pending = 0;
  pendingBytes = 0;
  /** Does any datagram of this batch want to hear of its fate? */
  watched = false;
  /** Is this ring the second try, one by one, of a run that was refused? To whom. */
  retryOf: Endpoint | undefined;
  /** Of slots. */
  readonly remotes: (Endpoint | undefined)[] = [];
  readonly sources: (Endpoint | undefined)[] = [];
  readonly ports = new Uint16Array(SEND_SLOTS);
  /** Datagrams in a slot, and their bytes together. */
  readonly runs = new Uint16Array(SEND_SLOTS);
  readonly sizes = new Uint32Array(SEND_SLOTS);
  /** Of datagrams; a slot's begin at `firsts`. */
  readonly settles: (Settle | undefined)[] = [];
  readonly firsts = new Uint32Array(SEND_SLOTS);
  readonly #extras: (Extras | undefined)[] = [];
  readonly #lenient = new Uint8Array(SEND_SLOTS);
  /** Bytes of each datagram in a slot but the last, which may be shorter and ends the run. */
  readonly #segments = new Uint32Array(SEND_SLOTS);
  readonly #offsets = new Uint32Array(SEND_SLOTS);
  #datagrams = 0;
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
      this.#extras.push(undefined);
    }
  }

  /** The array that sendmmsg takes. */
  get messages(): Buffer {
    return this.#ring.messages;
  }

  hasRoom(bytes: number): boolean {
    return this.count < SEND_SLOTS && this.#used + bytes <= ARENA;
  }

  /**
   * Copies one datagram in. The caller has checked that there is room.
   * @param port 0 on a connected socket: `remote` is its peer then, and is not named
   * @param source undefined: the kernel chooses
   * @param lenient may {@link dropSource} be called?
   * @param join may it become part of a run?
   * @throws TypeError for bytes that have been detached; the ring is then as it was
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
    join = false,
  ): void {
    this.#copy(payload); // which may throw: nothing has been counted yet
    if (join && this.#joins(size, remote, port, source, extras, lenient)) this.#append(size);
    else this.#begin(size, remote, port, source, extras, lenient);
    if (settle !== undefined) {
      this.settles[this.#datagrams] = settle;
      this.watched = true;
    }
    this.#datagrams++;
    this.#used += size;
    this.pending++;
    this.pendingBytes += size;
  }

  /** Bytes of message `slot` as a send buffer counts them, with its control messages. */
  weightOf(slot: number): number {
    const { messageWords, layout } = this.#ring;
    return this.sizes[slot] + messageWords[(slot * layout.size + layout.controllen) >>> 2];
  }

  /** May the datagram in `slot` leave without the source it was given? */
  isLenient(slot: number): boolean {
    return this.#lenient[slot] === 1;
  }

  /** Lets the kernel choose the source of a datagram that is not settled yet. */
  dropSource(slot: number): void {
    this.sources[slot] = undefined;
    this.#lenient[slot] = 0;
    this.#writeControl(slot, this.remotes[slot] as Endpoint, undefined, this.#extras[slot]);
  }

  /** Bytes of the datagram at `index` in the run of `slot`. */
  sizeOf(slot: number, index: number): number {
    const last = index === this.runs[slot] - 1;
    return last ? this.sizes[slot] - index * this.#segments[slot] : this.#segments[slot];
  }

  /** Writes the datagrams of `slot` into an empty ring, one by one. @param from leaves the first ones out */
  split(slot: number, into: SendRing, from: number): void {
    const { payload: arena } = this.#ring;
    for (let index = from; index < this.runs[slot]; index++) {
      const size = this.sizeOf(slot, index);
      const start = this.#offsets[slot] + index * this.#segments[slot];
      const settle = this.settles[this.firsts[slot] + index];
      const bytes = arena.subarray(start, start + size);
      const remote = this.remotes[slot] as Endpoint;
      into.write(
        bytes,
        size,
        remote,
        this.ports[slot],
        this.sources[slot],
        this.#extras[slot],
        settle,
        this.isLenient(slot),
      );
    }
  }

  /** Makes it as new, but for the memory it has. */
  clear(): void {
    // Nothing that a caller gave may be kept alive by a ring at rest.
    for (let slot = 0; slot < this.count; slot++) {
      this.remotes[slot] = undefined;
      this.sources[slot] = undefined;
      this.#extras[slot] = undefined;
    }
    if (this.watched) this.settles.length = 0;
    this.retryOf = undefined;
    this.count = 0;
    this.settled = 0;
    this.pending = 0;
    this.pendingBytes = 0;
    this.watched = false;
    this.#datagrams = 0;
    this.#used = 0;
  }

  #begin(
    size: number,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
    lenient: boolean,
  ): void {
    const slot = this.count;
    const offset = this.#used;
    this.#ring.pointAtPayload(slot, offset, size);
    this.#writeName(slot, remote, port);
    this.#writeControl(slot, remote, source, extras);
    this.remotes[slot] = remote;
    this.sources[slot] = source;
    this.#extras[slot] = extras;
    this.#lenient[slot] = lenient ? 1 : 0;
    this.ports[slot] = port;
    this.runs[slot] = 1;
    this.sizes[slot] = size;
    this.firsts[slot] = this.#datagrams;
    this.#segments[slot] = size;
    this.#offsets[slot] = offset;
    this.count++;
  }

  /** Can this datagram be one more of the run in the last slot? */
  #joins(
    size: number,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
    lenient: boolean,
  ): boolean {
    const last = this.count - 1;
    if (last < this.settled || size === 0 || this.remotes[last] !== remote || this.ports[last] !== port) return false;
    if (this.sources[last] !== source || this.#extras[last] !== extras || this.isLenient(last) !== lenient)
      return false;
    const segment = this.#segments[last];
    const run = this.runs[last];
    const total = this.sizes[last];
    return size <= segment && total === run * segment && run < MAX_SEGMENTS && total + size <= MAX_RUN;
  }

  #append(size: number): void {
    const slot = this.count - 1;
    if (this.runs[slot]++ === 1) this.#writeSegment(slot);
    this.sizes[slot] += size;
    this.#ring.pointAtPayload(slot, this.#offsets[slot], this.sizes[slot]);
  }

  /** To where nothing is yet. */
  #copy(payload: Payload): void {
    const { payload: arena } = this.#ring;
    if (!Array.isArray(payload)) {
      arena.set(payload as Uint8Array, this.#used);
      return;
    }
    let at = this.#used;
    for (const part of payload as readonly Uint8Array[]) {
      arena.set(part, at);
      at += lengthOf(part);
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

  /** Adds the size to cut at, behind whatever control messages there are. */
  #writeSegment(slot: number): void {
    const { segment, cmsg } = this.#platform;
    if (segment === undefined) throw new Error('unreachable: no runs without segmentation');
    const { control, controlSpace, layout, messageWords } = this.#ring;
    const controllen = (slot * layout.size + layout.controllen) >>> 2;
    const payload = writeHeader(cmsg, control, slot * controlSpace + messageWords[controllen], segment);
    control.words[payload >>> 2] = 0;
    const size = this.#segments[slot];
    control.bytes[payload] = layout.littleEndian ? size : size >>> 8;
    control.bytes[payload + 1] = layout.littleEndian ? size >>> 8 : size;
    messageWords[controllen] += CMSG_SPACE(cmsg, segment.size);
    if (this.#withoutControl[slot] === 1) this.#ring.pointAtControl(slot);
    this.#withoutControl[slot] = 0;
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
