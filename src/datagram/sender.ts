/**
 * Sends what one descriptor has to send: datagrams collect in a ring and leave with one system call. Handles partial sends
 * and a full queue; what the kernel refuses is judged in refusals.ts. Emits nothing.
 * Over 300 lines: push, flush and settle share the list of rings, and nothing else would.
 */
import { systemError } from '../errors';
import { Backlog } from './backlog';
import type { Endpoint } from './endpoint';
import type { Engine } from './engine';
import type { Extras } from './envelopes';
import { uvErrno } from './failure';
import { APART, BLOCKED, GOES_ON, type Outlet, place, Refusals } from './refusals';
import { hostSegments } from './segmentation';
import {
  ARENA,
  copied,
  MAX_RUN,
  MAX_SEGMENTS,
  type Payload,
  partOf,
  type SendRing,
  type Settle,
  sizeOf,
} from './send-ring';

/** Rings that a blocked descriptor fills; what comes then waits without one. */
const MAX_RINGS = 4;
/** ms that a queue which has become writable is emptied for, before the event loop gets its turn. */
const BUDGET = 1;
/** Bytes from which on a copy costs more than a system call of its own: these do not wait for more. */
export const LARGE = 24 * 1024;

/** One per socket that has sent something; idle, it holds no ring. */
export class Sender {
  /** Is it on the list of those that are flushed at the end of the turn? */
  due = false;
  readonly #engine: Engine;
  readonly #outlet: Outlet;
  #fd: number;
  /** Oldest first; the last one takes what comes. */
  readonly #rings: SendRing[] = [];
  /** What came while there were {@link MAX_RINGS}. */
  #backlog: Backlog | undefined;
  #refusals: Refusals | undefined;
  /** May equal datagrams to one peer go as one message? */
  readonly #segments: boolean;
  #blocked = false;
  #flushing = false;
  #closed = false;

  constructor(engine: Engine, fd: number, outlet: Outlet, segments = false) {
    this.#engine = engine;
    this.#fd = fd;
    this.#outlet = outlet;
    this.#segments = segments && engine.host.platform.segment !== undefined;
  }

  /** What waits, and what comes, goes through another descriptor. */
  moveTo(fd: number): void {
    this.#fd = fd;
  }

  /** The descriptor is connected no more: what waits says where it goes, or it would go to the next peer. @param port of it */
  leavePeer(port: number): void {
    for (const ring of this.#rings) ring.nameRemote(port);
    this.#backlog?.nameRemote(port);
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    let bytes = this.#backlog?.bytes ?? 0;
    for (const ring of this.#rings) bytes += ring.pendingBytes;
    return bytes;
  }

  /** Datagrams that the kernel has not taken yet. */
  get pending(): number {
    let datagrams = this.#backlog?.size ?? 0;
    for (const ring of this.#rings) datagrams += ring.pending;
    return datagrams;
  }

  /** Of these, what goes with the last ring: asked for each datagram, so it does not count. */
  get waiting(): number {
    const { length } = this.#rings;
    return length === 0 ? 0 : this.#rings[length - 1].pending;
  }

  /** Counts what {@link sendSync} and those who use it were refused for, and settles what failed. */
  get refusals(): Refusals {
    this.#refusals ??= new Refusals(this.#engine, this.#outlet);
    return this.#refusals;
  }

  /**
   * Takes a datagram. Its bytes are copied, or sent, before this returns.
   * @param port 0 on a connected socket, `remote` is its peer then
   * @param lenient leave without `source` rather than fail because of it
   * @returns does anything wait to be flushed?
   */
  push(
    payload: Payload,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
    settle: Settle | undefined,
    lenient = false,
  ): boolean {
    const size = sizeOf(payload);
    if (size > ARENA || this.#closed) {
      // User code (look-up, block list) closed the socket meanwhile: the descriptor's number may be another's by now.
      const name = this.#closed ? 'ECANCELED' : 'EMSGSIZE';
      this.refusals.fail(settle, systemError(name, uvErrno(name, 0), 'send', place(remote, port, source)));
    } else if (size >= LARGE && !Array.isArray(payload) && this.#isFree()) {
      this.#sendLarge(payload as Uint8Array, size, remote, port, source, extras, settle, lenient, size);
    } else {
      const first = this.#rings.length === 0;
      const ring = first ? this.#takeRing() : this.#ringFor(size);
      if (first) this.#rings.push(ring as SendRing);
      const joins = !first && this.#joins(remote);
      if (ring !== undefined) ring.write(payload, size, remote, port, source, extras, settle, lenient, joins);
      else this.#backlog?.push({ bytes: copied(payload), remote, port, source, extras, settle, lenient });
    }
    return this.#rings.length > 0;
  }

  /**
   * Takes what the kernel is to cut into datagrams of `segment` bytes, of which the last may be shorter.
   * @param settle hears of each of them, or of several at once
   */
  pushRun(
    bytes: Uint8Array,
    segment: number,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
    settle: Settle | undefined,
    lenient: boolean,
  ): boolean {
    const size = sizeOf(bytes);
    if (size <= segment) return this.push(bytes, remote, port, source, extras, settle, lenient); // it may be empty
    const most = Math.min(MAX_SEGMENTS, Math.floor(MAX_RUN / segment));
    const whole = most > 1 && this.#joins(remote);
    const step = whole ? most * segment : segment;
    for (let at = 0; at < size; at += step) {
      const length = Math.min(step, size - at);
      const part = length === size ? bytes : partOf(bytes, at, length);
      if (whole && length > segment && this.#isFree()) {
        this.#sendLarge(part, length, remote, port, source, extras, settle, lenient, segment);
      } else
        for (let from = 0; from < length; from += segment) {
          const one = partOf(part, from, Math.min(segment, length - from));
          this.push(one, remote, port, source, extras, settle, lenient);
        }
    }
    return this.#rings.length > 0;
  }

  /**
   * Sends one datagram before it returns, behind what waits. → bytes, or -errno; -EAGAIN where the queue is full
   */
  sendSync(
    payload: Payload,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
  ): number {
    const { platform, syscalls } = this.#engine.host;
    const size = sizeOf(payload);
    if (size > ARENA) return -platform.errno.EMSGSIZE;
    if (!this.#isFree()) return -platform.errno.EAGAIN;
    const { stats } = this.#outlet;
    const ring = this.#engine.rings.take(this);
    try {
      ring.write(payload, size, remote, port, source, extras, undefined);
      const sent = syscalls.sendmmsg(this.#fd, ring.messages, 0, 1, platform.constants.MSG_DONTWAIT);
      stats.systemCallsOut++;
      if (sent <= 0) return sent === 0 ? -platform.errno.EAGAIN : sent;
      stats.datagramsOut++;
      stats.bytesOut += size;
      return size;
    } finally {
      this.#engine.rings.give(ring);
    }
  }

  /** Sends what waits. → does nothing wait any more? */
  #isFree(): boolean {
    if (this.#rings.length > 0) this.flush();
    return this.#rings.length === 0 && !this.#flushing && !this.#closed;
  }

  /**
   * Hands to the kernel what it will take. Call it at the end of a turn, and at close.
   * @param until ms, on the engine's clock: what is left then waits for the event loop
   */
  flush(until?: number): void {
    if (this.#flushing || this.#blocked) return;
    const { host, rings: pool } = this.#engine;
    const { platform, syscalls } = host;
    this.#flushing = true;
    try {
      while (this.#rings.length > 0 && !this.#blocked) {
        // The first one may be another than it was: a run that is retried apart puts a ring before its own.
        const ring = this.#rings[0];
        if (ring.settled === ring.count) {
          if (this.#rings.length === 1) this.#rings.pop();
          else this.#rings.shift(); // which costs more
          if (this.#backlog !== undefined || pool.keeper !== undefined) pool.give(ring);
          else {
            ring.clear();
            pool.keeper = this;
            pool.kept = ring;
          }
          if (this.#backlog !== undefined) this.#refill(this.#backlog);
        } else if (until !== undefined && this.#engine.now() > until) {
          this.#blocked = true; // others have their turn as well
          this.#outlet.awaitWritable();
        } else {
          const left = ring.count - ring.settled;
          const sent = syscalls.sendmmsg(this.#fd, ring.messages, ring.settled, left, platform.constants.MSG_DONTWAIT);
          this.#outlet.stats.systemCallsOut++;
          if (sent > 0) this.#settleSent(ring, sent);
          else this.#settleRefused(ring, sent);
        }
      }
    } finally {
      this.#flushing = false;
    }
  }

  /** The descriptor is writable (or the time is up): what waited may go. */
  resume(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.flush(this.#engine.now() + BUDGET);
    if (!this.#blocked) this.#outlet.drained();
  }

  /** The descriptor goes away: sends what it can without waiting, then fails the rest with ECANCELED, as libuv does. */
  close(): void {
    this.#blocked = false; // there may be room by now, and nobody will say so any more
    this.flush();
    this.#closed = true;
    if (this.#engine.rings.keeper === this) this.#engine.rings.giveKept();
    if (this.#rings.length === 0 && this.#backlog === undefined) return;
    const errno = uvErrno('ECANCELED', 0);
    for (let ring = this.#rings.shift(); ring !== undefined; ring = this.#rings.shift()) {
      while (ring.settled < ring.count) this.refusals.settle(ring, 'ECANCELED', errno);
      this.#engine.rings.give(ring);
    }
    const backlog = this.#backlog ?? [];
    this.#backlog = undefined;
    for (const { settle, remote, port, source } of backlog) {
      this.refusals.fail(settle, systemError('ECANCELED', errno, 'send', place(remote, port, source)));
    }
  }

  /** Mostly the one that it had before. */
  #takeRing(): SendRing {
    const pool = this.#engine.rings;
    if (pool.keeper !== this) return pool.take(this);
    pool.keeper = undefined;
    return pool.kept as SendRing;
  }

  /** The ring that takes the next `size` bytes, where there is one already; undefined where they have to wait without. */
  #ringFor(size: number): SendRing | undefined {
    if (this.#backlog !== undefined) return undefined;
    if (this.#rings[this.#rings.length - 1].hasRoom(size)) return this.#rings[this.#rings.length - 1];
    this.flush();
    if (this.#rings.at(-1)?.hasRoom(size)) return this.#rings.at(-1);
    if (this.#rings.length >= MAX_RINGS) {
      this.#backlog = new Backlog();
      return undefined;
    }
    const next = this.#engine.rings.take(this);
    this.#rings.push(next);
    return next;
  }

  /** May datagrams to `remote` be joined, for the kernel to cut apart again? Only then is the kernel's release asked for. */
  #joins(remote: Endpoint): boolean {
    return this.#segments && hostSegments() && this.#refusals?.takesRuns(remote) !== false;
  }

  /** A ring has become free: what waits without one moves up. */
  #refill(backlog: Backlog): void {
    const ring = this.#engine.rings.take(this);
    this.#rings.push(ring);
    for (let next = backlog.oldest; next !== undefined && ring.hasRoom(next.bytes.length); next = backlog.oldest) {
      const { bytes, remote, port, source, extras, settle, lenient } = next;
      backlog.drop();
      const joins = this.#joins(remote);
      ring.write(bytes, bytes.length, remote, port, source, extras, settle, lenient, joins);
    }
    if (backlog.size === 0) this.#backlog = undefined;
  }

  /** From the caller's own bytes, at once: nothing waits before it. */
  #sendLarge(
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
    const ring = this.#takeRing();
    try {
      ring.writeForeign(bytes, size, remote, port, source, extras, settle, lenient, segment);
    } catch (error) {
      this.#engine.rings.give(ring);
      throw error;
    }
    this.#rings.push(ring);
    try {
      this.flush();
    } finally {
      if (this.#rings[0] === ring) ring.keep(); // also where waiting for the kernel was refused
    }
  }

  #settleSent(ring: SendRing, sent: number): void {
    const end = ring.settled + sent;
    let bytes = 0;
    let datagrams = 0;
    for (let slot = ring.settled; slot < end; slot++) {
      bytes += ring.sizes[slot];
      datagrams += ring.runs[slot];
      if (ring.watched) ring.tell(slot);
    }
    ring.settled = end;
    ring.pending -= datagrams;
    ring.pendingBytes -= bytes;
    this.#outlet.stats.datagramsOut += datagrams;
    this.#outlet.stats.bytesOut += bytes;
    if (this.#refusals !== undefined) this.#refusals.over(ring);
  }

  #settleRefused(ring: SendRing, result: number): void {
    const verdict = this.refusals.judge(ring, this.#fd, result);
    if (verdict === APART) {
      const apart = this.#engine.rings.take(this);
      this.#rings.unshift(apart); // before what follows
      this.refusals.sendApart(ring, apart, result);
    } else if (verdict !== GOES_ON) {
      this.#outlet.stats.wouldBlock++;
      this.#blocked = true; // before anybody is asked, who may refuse
      if (verdict === BLOCKED) this.#outlet.awaitWritable();
      else this.#outlet.retryAfter(this.refusals.delay);
    }
  }
}
