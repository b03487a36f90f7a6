/**
 * The outgoing half of a batch: datagrams written one after the other into a ring, payloads packed into one arena so
 * that a batch of small ones stays in the CPU's nearest cache. Pure bytes and bookkeeping; the sender makes the calls,
 * envelopes.ts writes what stands around a payload.
 *
 * A slot holds one message to the kernel. It is one datagram, or a run of equal ones to one peer, which the kernel cuts
 * apart again (UDP_SEGMENT): their payloads stand one behind the other in the arena anyway.
 *
 * Over 300 lines: what one slot is stands in a dozen arrays in step, which only this file may touch.
 */
import type { Syscalls } from '../ffi/syscalls';
import type { Platform } from '../platform/platform';
import type { Endpoint } from './endpoint';
import { Envelopes, type Extras, SEND_CONTROL_SPACE } from './envelopes';
import { Ring } from './ring';
import type { Sockaddrs } from './sockaddr';
import { bufferOf, byteOffsetOf, copy, lengthOf } from './typed-arrays';

/** Datagrams per system call. Linux cuts at 1024 (UIO_MAXIOV). */
export const SEND_SLOTS = 64;
/** Bytes. One datagram of any size fits; so do 64 of Ethernet size. Only what is written to becomes memory. */
export const ARENA = 128 * 1024;
/** UDP_MAX_SEGMENTS of <linux/udp.h> before 6.9, which made it 128. */
export const MAX_SEGMENTS = 64;
/** Bytes of one message to the kernel: what IPv4 lets a datagram have. */
export const MAX_RUN = 65507;

/** Who wants to hear what becomes of one datagram. */
export interface Settle {
  /**
   * Called once, from inside a flush: it must not call a program's code.
   * @param error null when the kernel has taken the datagram
   * @param datagrams that left together, and have `bytes` in sum; default 1
   */
  settle(error: Error | null, bytes: number, datagrams?: number): void;
}

/** The bytes of a datagram, or parts that are gathered into one. */
export type Payload = Uint8Array | readonly Uint8Array[];

/** In one piece; a copy only where there are several. It may be of a class of the program's: ask {@link sizeOf}. */
export function gathered(payload: Payload): Uint8Array {
  return Array.isArray(payload) ? copied(payload) : (payload as Uint8Array);
}

export function copied(payload: Payload): Uint8Array {
  const bytes = new Uint8Array(sizeOf(payload));
  let at = 0;
  for (const part of Array.isArray(payload) ? (payload as readonly Uint8Array[]) : [payload as Uint8Array]) {
    bytes.set(part, at);
    at += lengthOf(part);
  }
  return bytes;
}

/** `length` bytes of a payload, whatever a subclass says of itself. */
export function partOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  return new Uint8Array(bufferOf(bytes), byteOffsetOf(bytes) + start, length);
}

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
  /** Of slots, and of those written before: what a slot carries again is not written again. */
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
  /** Where the payload of a slot is in the arena; -1: nowhere yet, or not there. */
  readonly #offsets = new Int32Array(SEND_SLOTS).fill(-1);
  /** Slots whose name and control messages are those of `remotes`, `ports`, `sources` and `#extras`. */
  readonly #written = new Uint8Array(SEND_SLOTS);
  /** What the control messages of a slot say that it is to be cut at; 0: at nothing. */
  readonly #cuts = new Uint32Array(SEND_SLOTS);
  #datagrams = 0;
  /** The array that sendmmsg takes. */
  readonly messages: Buffer;
  readonly #ring: Ring;
  readonly #envelopes: Envelopes;
  /** The payloads. */
  readonly #arena: Uint8Array;
  #used = 0;
  readonly #syscalls: Syscalls;
  /** Bytes of the caller that the only message points at, until {@link keep}; `settles` then has one place for all of it. */
  #foreign: Uint8Array | undefined;

  constructor(platform: Platform, syscalls: Syscalls, sockaddrs: Sockaddrs) {
    this.#syscalls = syscalls;
    this.#ring = new Ring(platform, syscalls, SEND_SLOTS, SEND_CONTROL_SPACE, ARENA);
    this.messages = this.#ring.messages;
    this.#envelopes = new Envelopes(platform, sockaddrs, this.#ring);
    this.#arena = new Uint8Array(this.#ring.payload.buffer, this.#ring.payload.byteOffset, ARENA);
    for (let slot = 0; slot < SEND_SLOTS; slot++) {
      this.remotes.push(undefined);
      this.sources.push(undefined);
      this.#extras.push(undefined);
    }
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
    // Which may throw: nothing has been counted yet. Memory that is gone looks empty, and set() would throw.
    if (Array.isArray(payload)) this.#gather(payload);
    else if (size > 0) copy.call(this.#arena, payload as Uint8Array, this.#used);
    if (join && this.count > this.settled && this.#joins(size, remote, port, source, extras, lenient))
      this.#append(size);
    else this.#begin(size, size, remote, port, source, extras, lenient);
    if (settle !== undefined) {
      this.settles[this.#datagrams] = settle;
      this.watched = true;
    }
    this.#datagrams++;
    this.#used += size;
    this.pending++;
    this.pendingBytes += size;
  }

  /**
   * Points the first message at bytes of the caller, which saves a copy. They are sent before the caller goes on, or
   * {@link keep kept}.
   * @param size of `bytes`, whatever they say themselves
   * @param settle hears of all datagrams together, or of each once they have been kept
   * @param segment bytes of each datagram, where the kernel is to cut several out of it
   */
  writeForeign(
    bytes: Uint8Array,
    size: number,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
    settle: Settle | undefined,
    lenient: boolean,
    segment: number,
  ): void {
    const address = this.#syscalls.addressOf(bytes); // which may throw: nothing has been counted yet
    this.#begin(size, segment, remote, port, source, extras, lenient);
    this.#ring.pointAtForeign(0, address, size);
    this.#offsets[0] = -1;
    this.#foreign = bytes;
    const run = segment < size ? Math.ceil(size / segment) : 1;
    this.runs[0] = run;
    if (settle !== undefined) {
      this.settles[0] = settle;
      this.watched = true;
    }
    this.#datagrams += run;
    this.pending += run;
    this.pendingBytes += size;
  }

  /** Copies what {@link writeForeign} has pointed at: it has not been sent yet, and the caller may change it. */
  keep(): void {
    const foreign = this.#foreign;
    if (foreign === undefined) return;
    this.#foreign = undefined;
    if (this.settled > 0) return;
    this.#arena.set(foreign, 0);
    this.#used = lengthOf(foreign);
    this.#ring.pointAtPayload(0, 0, this.#used);
    this.#offsets[0] = 0;
    if (this.watched) for (let index = 1; index < this.runs[0]; index++) this.settles[index] = this.settles[0];
  }

  /** Tells that the kernel has taken the datagrams of `slot`. */
  tell(slot: number): void {
    const run = this.runs[slot];
    const first = this.firsts[slot];
    if (this.#foreign !== undefined) this.settles[first]?.settle(null, this.sizes[slot], run);
    else for (let index = 0; index < run; index++) this.settles[first + index]?.settle(null, this.sizeOf(slot, index));
  }

  /** The first message that is not settled yet is, one way or the other. */
  settleNext(): void {
    const slot = this.settled++;
    this.pending -= this.runs[slot];
    this.pendingBytes -= this.sizes[slot];
  }

  /** Names the peer of a socket that was connected, in what is not settled yet. @param port of it */
  nameRemote(port: number): void {
    for (let slot = this.settled; slot < this.count; slot++) {
      if (this.ports[slot] !== 0) continue;
      this.ports[slot] = port;
      this.#envelopes.writeName(slot, this.remotes[slot] as Endpoint, port);
    }
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
    this.#envelopes.writeControl(slot, this.remotes[slot] as Endpoint, undefined, this.#extras[slot]);
    this.#cuts[slot] = 0;
  }

  /** Bytes of the datagram at `index` in the run of `slot`. */
  sizeOf(slot: number, index: number): number {
    const last = index === this.runs[slot] - 1;
    return last ? this.sizes[slot] - index * this.#segments[slot] : this.#segments[slot];
  }

  /** Writes the datagrams of `slot` into an empty ring, one by one. @param from leaves the first ones out */
  split(slot: number, into: SendRing, from: number): void {
    for (let index = from; index < this.runs[slot]; index++) {
      const size = this.sizeOf(slot, index);
      const start = this.#offsets[slot] + index * this.#segments[slot];
      const settle = this.settles[this.firsts[slot] + index];
      const bytes = this.#arena.subarray(start, start + size);
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
    if (this.watched) this.settles.fill(undefined, 0, this.#foreign === undefined ? this.#datagrams : 1);
    this.#foreign = undefined;
    this.retryOf = undefined;
    this.count = 0;
    this.settled = 0;
    this.pending = 0;
    this.pendingBytes = 0;
    this.watched = false;
    this.#datagrams = 0;
    this.#used = 0;
  }

  /** @param segment bytes of each datagram; as many as `size` where it is one */
  #begin(
    size: number,
    segment: number,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
    lenient: boolean,
  ): void {
    const slot = this.count;
    const offset = this.#used;
    if (this.#offsets[slot] !== offset) {
      this.#ring.pointAtPayload(slot, offset, size);
      this.#offsets[slot] = offset;
    } else if (this.sizes[slot] !== size) this.#ring.resizePayload(slot, size);
    const cut = segment < size ? segment : 0;
    const before = this.#written[slot] === 1 ? this.remotes[slot] : undefined;
    const isNamed = before === remote && this.ports[slot] === port;
    const isSameWay = this.sources[slot] === source && this.#extras[slot] === extras;
    const isCutSo = this.#cuts[slot] === 0 || this.#cuts[slot] === cut;
    // A link-local address names its interface there.
    const isAlike = before !== undefined && before.family === remote.family && before.mapped === remote.mapped;
    const isUnzoned = before === remote || (before?.linkLocal === false && !remote.linkLocal);
    const isControlled = isSameWay && isCutSo && isAlike && isUnzoned;
    this.#written[slot] = 0; // should writing throw
    if (!isNamed) {
      this.#envelopes.writeName(slot, remote, port);
      this.remotes[slot] = remote;
      this.ports[slot] = port;
    }
    if (!isControlled) {
      this.#envelopes.writeControl(slot, remote, source, extras);
      this.sources[slot] = source;
      this.#extras[slot] = extras;
      this.#cuts[slot] = 0;
    }
    this.#written[slot] = 1;
    if (this.#cuts[slot] !== cut) this.#cutAt(slot, cut);
    this.#lenient[slot] = lenient ? 1 : 0;
    this.runs[slot] = 1;
    this.sizes[slot] = size;
    this.firsts[slot] = this.#datagrams;
    this.#segments[slot] = segment;
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
    if (this.runs[slot]++ === 1) this.#cutAt(slot, this.#segments[slot]);
    this.sizes[slot] += size;
    this.#ring.resizePayload(slot, this.sizes[slot]);
  }

  /** Where nothing is cut so far. */
  #cutAt(slot: number, size: number): void {
    this.#envelopes.writeSegment(slot, size);
    this.#cuts[slot] = size;
  }

  /** To where nothing is yet. */
  #gather(payload: readonly Uint8Array[]): void {
    let at = this.#used;
    for (const part of payload) {
      if (lengthOf(part) === 0) continue;
      this.#arena.set(part, at);
      at += lengthOf(part);
    }
  }
}
