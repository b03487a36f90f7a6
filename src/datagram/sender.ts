/**
 * Sends what one descriptor has to send: datagrams collect in a ring and leave with one system call. Handles partial
 * sends, a full queue and errors; emits nothing.
 */
import { sourceUnreachable, systemError } from '../errors';
import type { SocketStats } from '../types';
import type { Endpoint } from './endpoint';
import type { Engine } from './engine';
import type { Extras } from './envelopes';
import { errnoName, failure, uvErrno } from './failure';
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

/** How long to wait where a full queue never becomes writable, in ms, and how often before giving up (P35). */
const BACK_OFF = [1, 2, 4, 8, 16, 16, 16, 16];

/** What a run may be refused for that its datagrams alone are not: path MTU, kernel, driver (P39). */
const RUN_REFUSED = ['EMSGSIZE', 'EINVAL', 'EIO'];
/** Peers remembered to whom runs did not go through. */
const MAX_UNSEGMENTABLE = 256;
/** Rings that a blocked descriptor fills; what comes then waits without one. */
const MAX_RINGS = 4;
/** Places of datagrams that have moved up, in the list of those that wait, before it is made shorter. */
const MANY_SENT = 1024;
/** ms that a queue which has become writable is emptied for, before the event loop gets its turn. */
const BUDGET = 1;
/** How often one datagram is tried again behind errors of others: its own may look like theirs. */
const MAX_EXPLAINED = 8;
/** Bytes from which on a copy costs more than a system call of its own. */
const LARGE = 24 * 1024;

/** What the sender wants of the socket that owns it. */
export interface Outlet {
  readonly stats: SocketStats;
  /** Wait until the descriptor is writable, then call resume(). */
  awaitWritable(): void;
  /** Call resume() after `ms`. */
  retryAfter(ms: number): void;
  /** `source`, which nobody had asked for by name, is no address of this host. The datagram goes without it. */
  sourceGone(source: Endpoint, remote: Endpoint | undefined, port: number): void;
  /** Was the error of an earlier datagram's, and has been reported as such? Then this one is tried again. */
  explained(name: string): boolean;
  /** The kernel has refused a datagram. */
  failed(name: string, remote: Endpoint | undefined, port: number): void;
  /** `source` is no address of an interface. May it be sent from all the same? Tried again then. */
  answersFrom(source: Endpoint): boolean;
  /** A queue that was not empty is. */
  drained(): void;
}

/** A datagram that waits behind full rings. */
interface Waiting {
  readonly bytes: Uint8Array;
  readonly remote: Endpoint;
  readonly port: number;
  readonly source: Endpoint | undefined;
  readonly extras: Extras | undefined;
  readonly settle: Settle | undefined;
  readonly lenient: boolean;
}

/** One per socket that has sent something; idle, it holds no ring. */
export class Sender {
  /** Is it on the list of those that are flushed at the end of the turn? */
  due = false;
  readonly #engine: Engine;
  readonly #outlet: Outlet;
  #fd: number;
  /** Oldest first; the last one takes what comes. */
  readonly #rings: SendRing[] = [];
  /** What came while there were {@link MAX_RINGS}, oldest first, from #first on. */
  #waiting: Waiting[] | undefined;
  #first = 0;
  /** May equal datagrams to one peer go as one message? */
  readonly #segments: boolean;
  /** Not to these: the path, a driver or the kernel refuses it (P39). */
  #unsegmentable: Set<Endpoint> | undefined;
  #blocked = false;
  #tries = 0;
  /** Errors in a row that were those of earlier datagrams. */
  #explained = 0;
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
    for (let i = this.#first; i < this.#behind; i++) {
      const waiting = this.#waiting![i];
      if (waiting.port === 0) this.#waiting![i] = { ...waiting, port };
    }
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const ring of this.#rings) bytes += ring.pendingBytes;
    for (let i = this.#first; i < this.#behind; i++) bytes += this.#waiting![i].bytes.length;
    return bytes;
  }

  /** Datagrams that the kernel has not taken yet. */
  get pending(): number {
    let datagrams = this.#behind - this.#first;
    for (const ring of this.#rings) datagrams += ring.pending;
    return datagrams;
  }

  /** Of these, what goes with the last ring: asked for each datagram, so it does not count. */
  get waiting(): number {
    const { length } = this.#rings;
    return length === 0 ? 0 : this.#rings[length - 1].pending;
  }

  get idle(): boolean {
    return this.#rings.length === 0;
  }

  get #behind(): number {
    return this.#waiting === undefined ? 0 : this.#waiting.length;
  }

  /**
   * Takes a datagram. Its bytes are copied, or sent, before this returns.
   * @param port 0 on a connected socket, `remote` is its peer then
   * @param lenient leave without `source` rather than fail because of it
   */
  push(
    payload: Payload,
    remote: Endpoint,
    port: number,
    source: Endpoint | undefined,
    extras: Extras | undefined,
    settle: Settle | undefined,
    lenient = false,
  ): void {
    const size = sizeOf(payload);
    if (size > ARENA || this.#closed) {
      // User code (look-up, block list) closed the socket meanwhile: the descriptor's number may be another's by now.
      const name = this.#closed ? 'ECANCELED' : 'EMSGSIZE';
      this.#fail(settle, systemError(name, uvErrno(name, 0), 'send', place(remote, port, source)));
      return;
    }
    if (size >= LARGE && !Array.isArray(payload) && this.#isFree()) {
      this.#sendLarge(payload as Uint8Array, size, remote, port, source, extras, settle, lenient, size);
      return;
    }
    const ring = this.#ringFor(size);
    const joins = this.#segments && !this.#unsegmentable?.has(remote);
    if (ring !== undefined) ring.write(payload, size, remote, port, source, extras, settle, lenient, joins);
    else {
      this.#waiting ??= [];
      this.#waiting.push({ bytes: copied(payload), remote, port, source, extras, settle, lenient });
    }
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
  ): void {
    const size = sizeOf(bytes);
    if (size <= segment) {
      this.push(bytes, remote, port, source, extras, settle, lenient); // one datagram, which may be empty
      return;
    }
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

  /** May datagrams to `remote` be joined, for the kernel to cut apart again? */
  #joins(remote: Endpoint): boolean {
    return this.#segments && !this.#unsegmentable?.has(remote);
  }

  /** Sends what waits. → does nothing wait any more? */
  #isFree(): boolean {
    this.flush();
    return this.#rings.length === 0 && !this.#flushing && !this.#closed;
  }

  /**
   * Hands to the kernel what it will take. Call it at the end of a turn, and at close.
   * @param until ms, on the engine's clock: what is left then waits for the event loop
   */
  flush(until?: number): void {
    if (this.#flushing || this.#blocked) return;
    this.#flushing = true;
    try {
      while (this.#rings.length > 0 && !this.#blocked) {
        if (until !== undefined && this.#engine.now() > until) {
          this.#yield();
          return;
        }
        const ring = this.#rings[0];
        // A run that is retried apart puts a ring before this one.
        if (!this.#drain(ring) || this.#rings[0] !== ring) continue;
        if (this.#rings.length === 1) this.#rings.pop();
        else this.#rings.shift(); // which costs more
        this.#engine.rings.give(ring);
        if (this.#waiting !== undefined) this.#refill();
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
    const errno = uvErrno('ECANCELED', 0);
    for (let ring = this.#rings.shift(); ring !== undefined; ring = this.#rings.shift()) {
      while (ring.settled < ring.count) this.#settleError(ring, 'ECANCELED', errno);
      this.#engine.rings.give(ring);
    }
    const waiting = this.#waiting?.slice(this.#first) ?? [];
    this.#waiting = undefined;
    this.#first = 0;
    for (const { settle, remote, port, source } of waiting) {
      this.#fail(settle, systemError('ECANCELED', errno, 'send', place(remote, port, source)));
    }
  }

  /** The ring that takes the next `size` bytes; undefined where it has to wait without one. */
  #ringFor(size: number): SendRing | undefined {
    if (this.#waiting !== undefined) return undefined;
    if (this.#rings.length > 0) {
      if (this.#rings[this.#rings.length - 1].hasRoom(size)) return this.#rings[this.#rings.length - 1];
      this.flush();
      if (this.#rings.at(-1)?.hasRoom(size)) return this.#rings.at(-1);
      if (this.#rings.length >= MAX_RINGS) return undefined;
    }
    const next = this.#engine.rings.take(this);
    this.#rings.push(next);
    return next;
  }

  /** A ring has become free: what waits without one moves up. */
  #refill(): void {
    const waiting = this.#waiting as Waiting[];
    const ring = this.#engine.rings.take(this);
    this.#rings.push(ring);
    while (this.#first < waiting.length && ring.hasRoom(waiting[this.#first].bytes.length)) {
      const { bytes, remote, port, source, extras, settle, lenient } = waiting[this.#first];
      waiting[this.#first++] = undefined as never;
      ring.write(bytes, bytes.length, remote, port, source, extras, settle, lenient, this.#joins(remote));
    }
    if (this.#first === waiting.length) this.#waiting = undefined;
    else if (this.#first < MANY_SENT || this.#first * 2 < waiting.length) return;
    else waiting.splice(0, this.#first); // a queue that is never empty must not grow for ever
    this.#first = 0;
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
    const ring = this.#engine.rings.take(this);
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

  /** → has the whole ring been settled? Otherwise it is blocked, or another one goes first. */
  #drain(ring: SendRing): boolean {
    const { platform, syscalls } = this.#engine.host;
    while (ring.settled < ring.count) {
      const left = ring.count - ring.settled;
      const sent = syscalls.sendmmsg(this.#fd, ring.messages, ring.settled, left, platform.constants.MSG_DONTWAIT);
      this.#outlet.stats.systemCallsOut++;
      if (sent > 0) this.#settleSent(ring, sent);
      else if (!this.#settleFailure(ring, sent)) return false;
    }
    return true;
  }

  #settleSent(ring: SendRing, sent: number): void {
    this.#tries = 0;
    this.#explained = 0;
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
    if (ring.retryOf !== undefined) this.#avoidRuns(ring);
  }

  /** One by one it went: then it was the run that was refused. */
  #avoidRuns(ring: SendRing): void {
    this.#unsegmentable ??= new Set();
    if (this.#unsegmentable.size >= MAX_UNSEGMENTABLE) this.#unsegmentable.clear();
    this.#unsegmentable.add(ring.retryOf as Endpoint);
    ring.retryOf = undefined;
  }

  /** The first message not settled yet was refused. → go on with the next one? */
  #settleFailure(ring: SendRing, result: number): boolean {
    const { platform } = this.#engine.host;
    const name = result === 0 ? 'EAGAIN' : errnoName(platform, result); // none was taken, without an error
    if (name === 'EAGAIN' && !this.#neverFits(ring)) {
      this.#block();
      this.#outlet.awaitWritable();
      return false;
    }
    if (platform.quirks.backOff.includes(name) && this.#tries < BACK_OFF.length) {
      this.#block();
      this.#outlet.retryAfter(BACK_OFF[this.#tries++]);
      return false;
    }
    this.#tries = 0;
    if (this.#explained < MAX_EXPLAINED && this.#outlet.explained(name)) {
      this.#explained++;
      return true; // and again
    }
    this.#explained = 0;
    if (ring.runs[ring.settled] > 1) {
      this.#sendApart(ring, name, result);
      return false;
    }
    ring.retryOf = undefined;
    if (name === 'EAGAIN') this.#settleError(ring, 'EMSGSIZE', uvErrno('EMSGSIZE', result));
    else this.#settleRefused(ring, name, result);
    return true;
  }

  /** Others have their turn as well. */
  #yield(): void {
    this.#blocked = true;
    this.#outlet.awaitWritable();
  }

  #block(): void {
    this.#outlet.stats.wouldBlock++;
    this.#blocked = true;
  }

  /**
   * macOS: what fits SO_SNDBUF without its control messages and not with them has a writable descriptor and EWOULDBLOCK
   * for ever (P34). Only after the user has made the buffer smaller than Channel makes it.
   */
  #neverFits(ring: SendRing): boolean {
    const { platform, syscalls } = this.#engine.host;
    if (platform.quirks.minSendBuffer === 0) return false;
    const value = Buffer.from(new ArrayBuffer(4));
    const { SOL_SOCKET, SO_SNDBUF } = platform.constants;
    if (syscalls.getsockopt(this.#fd, SOL_SOCKET, SO_SNDBUF, value) < 0) return false;
    return ring.weightOf(ring.settled) > new Int32Array(value.buffer)[0];
  }

  /**
   * Each datagram of a run that was refused gets a try and an answer of its own, before what follows. Where the error is
   * not about the run (a connected peer that refused an earlier datagram), it is the first one's, as it would be alone.
   */
  #sendApart(ring: SendRing, name: string, result: number): void {
    const { platform } = this.#engine.host;
    const suspect = RUN_REFUSED.includes(name) || platform.quirks.sourceGone.includes(name);
    ring.keep(); // the bytes of the caller, which are written again one by one
    const slot = ring.settled++;
    ring.pending -= ring.runs[slot];
    ring.pendingBytes -= ring.sizes[slot];
    if (!suspect) this.#failOne(ring, slot, 0, name, failure(platform, result, 'send').errno);
    const apart = this.#engine.rings.take(this);
    ring.split(slot, apart, suspect ? 0 : 1);
    if (suspect) apart.retryOf = ring.remotes[slot];
    this.#rings.unshift(apart);
  }

  #settleRefused(ring: SendRing, name: string, result: number): void {
    const { platform } = this.#engine.host;
    const slot = ring.settled;
    const source = ring.sources[slot];
    // Each OS says in its own way that the source has vanished (P7); some say the same of a missing route.
    const suspect = source !== undefined && platform.quirks.sourceGone.includes(name);
    const gone = suspect && !this.#engine.isLocal(source);
    if (gone && this.#outlet.answersFrom(source)) return; // and again
    const scoped = source !== undefined && platform.quirks.sourceUnroutable?.includes(name) === true;
    if ((suspect || scoped) && ring.isLenient(slot)) {
      if (gone) this.#outlet.sourceGone(source, ring.remotes[slot], ring.ports[slot]);
      ring.dropSource(slot); // and again
    } else if (scoped) this.#settleScoped(ring, source);
    else if (gone) this.#settleError(ring, 'EADDRNOTAVAIL', uvErrno('EADDRNOTAVAIL', result));
    else this.#settleError(ring, name, failure(platform, result, 'send').errno);
  }

  /** The source is this host's, but the interface that has it has no route to the peer. */
  #settleScoped(ring: SendRing, source: Endpoint): void {
    const slot = ring.settled++;
    ring.pending -= ring.runs[slot];
    ring.pendingBytes -= ring.sizes[slot];
    const remote = ring.remotes[slot]?.text ?? '';
    for (let index = 0; index < ring.runs[slot]; index++) {
      this.#fail(ring.settles[ring.firsts[slot] + index], sourceUnreachable(source.text, remote));
    }
  }

  #settleError(ring: SendRing, name: string, errno: number): void {
    const slot = ring.settled++;
    ring.pending -= ring.runs[slot];
    ring.pendingBytes -= ring.sizes[slot];
    for (let index = 0; index < ring.runs[slot]; index++) this.#failOne(ring, slot, index, name, errno);
  }

  /** Counts what {@link sendSync} was refused for good. → its error */
  refused(name: string, result: number, remote: Endpoint, port: number, source: Endpoint | undefined): Error {
    this.#outlet.stats.sendErrors++;
    this.#outlet.failed(name, remote, port);
    const error = systemError(name, uvErrno(name, result), 'send', place(remote, port, source));
    if (name === 'EMSGSIZE') this.#addMtu(error, remote);
    return error;
  }

  #failOne(ring: SendRing, slot: number, index: number, name: string, errno: number): void {
    const { stats } = this.#outlet;
    this.#outlet.failed(name, ring.remotes[slot], ring.ports[slot]);
    const settle = ring.settles[ring.firsts[slot] + index];
    if (settle === undefined) {
      stats.sendErrors++; // nobody wants to see an error object
      return;
    }
    const remote = ring.remotes[slot];
    const error = systemError(name, errno, 'send', place(remote, ring.ports[slot], ring.sources[slot]));
    if (name === 'EMSGSIZE' && remote !== undefined) this.#addMtu(error, remote);
    this.#fail(settle, error);
  }

  /** What would fit, where the kernel tells. Not enumerable: programs compare and print errors as dgram makes them. */
  #addMtu(error: Error, remote: Endpoint): void {
    const mtu = this.#engine.pathMtu(remote);
    if (mtu > 0) Object.defineProperty(error, 'mtu', { value: mtu, writable: true, configurable: true });
  }

  /** Without a callback a send error is dropped, as dgram does; it is counted. */
  #fail(settle: Settle | undefined, error: Error): void {
    this.#outlet.stats.sendErrors++;
    settle?.settle(error, 0);
  }
}

/** A connected peer is not named, as in dgram. */
function place(remote: Endpoint | undefined, port: number, source: Endpoint | undefined) {
  return { address: port === 0 ? undefined : remote?.text, port, localAddress: source?.text };
}
