/**
 * Sends what one descriptor has to send: datagrams collect in a ring during a turn of the event loop and leave with one
 * system call. Knows partial results, a full queue, and what an error means; knows no events.
 */
import { systemError } from '../errors';
import type { Syscalls } from '../ffi/syscalls';
import type { Platform } from '../platform/platform';
import type { SocketStats } from '../types';
import type { Endpoint } from './endpoint';
import type { Extras } from './envelopes';
import { errnoName, failure, uvErrno } from './failure';
import type { RingPool } from './ring-pool';
import { ARENA, type Payload, type SendRing, type Settle, sizeOf } from './send-ring';

/** How long to wait where a full queue never becomes writable, in ms, and how often before giving up (P35). */
const BACK_OFF = [1, 2, 4, 8, 16, 16, 16, 16];

/** What a run may be refused for that its datagrams alone are not: path MTU, kernel, driver (P39). */
const RUN_REFUSED = ['EMSGSIZE', 'EINVAL', 'EIO'];
/** Peers remembered to whom runs did not go through. */
const MAX_UNSEGMENTABLE = 256;

/** What the sender wants of the socket that owns it. */
export interface Outlet {
  /** Wait until the descriptor is writable, then call flush(). */
  awaitWritable(): void;
  /** Call flush() after `ms`. */
  retryAfter(ms: number): void;
  /** Is `source` an address of this host? Asked only after an error. */
  isLocal(source: Endpoint): boolean;
  /** `source`, which nobody had asked for by name, is no address of this host. The datagram goes without it. */
  sourceGone(source: Endpoint, remote: Endpoint | undefined, port: number): void;
}

export class Sender {
  /** For whoever says when to flush: has it been told that something waits? */
  due = false;
  readonly #platform: Platform;
  readonly #syscalls: Syscalls;
  readonly #pool: RingPool;
  readonly #outlet: Outlet;
  readonly #stats: SocketStats;
  #fd: number;
  /** Oldest first; the last one takes what comes. */
  readonly #rings: SendRing[] = [];
  /** May equal datagrams to one peer go as one message? */
  readonly #segments: boolean;
  /** Not to these: the path, a driver or the kernel refuses it (P39). */
  readonly #unsegmentable = new Set<Endpoint>();
  #blocked = false;
  #tries = 0;
  #flushing = false;
  #closed = false;

  constructor(
    platform: Platform,
    syscalls: Syscalls,
    pool: RingPool,
    fd: number,
    stats: SocketStats,
    outlet: Outlet,
    segments = false,
  ) {
    this.#platform = platform;
    this.#syscalls = syscalls;
    this.#pool = pool;
    this.#fd = fd;
    this.#stats = stats;
    this.#outlet = outlet;
    this.#segments = segments && platform.segment !== undefined;
  }

  /** What waits, and what comes, goes through another descriptor. */
  moveTo(fd: number): void {
    this.#fd = fd;
  }

  /** Bytes that the kernel has not taken yet. */
  get pendingBytes(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.pendingBytes, 0);
  }

  /** Datagrams that the kernel has not taken yet. */
  get pending(): number {
    return this.#rings.reduce((sum, ring) => sum + ring.pending, 0);
  }

  /** Of these, what goes with the last ring: asked for each datagram, so it does not count. */
  get waiting(): number {
    return this.#rings.at(-1)?.pending ?? 0;
  }

  /**
   * Takes a datagram. Its bytes are copied before this returns; `settle` is called later, never from inside.
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
      // Closed by code of the program that was asked on the way here: the descriptor's number may be another's by now.
      const name = this.#closed ? 'ECANCELED' : 'EMSGSIZE';
      this.#fail(settle, systemError(name, uvErrno(name, 0), 'send', place(remote, port, source)));
      return;
    }
    let ring = this.#rings.at(-1);
    if (ring === undefined || !ring.hasRoom(size)) {
      if (ring !== undefined) this.flush();
      ring = this.#rings.at(-1);
      if (ring === undefined || !ring.hasRoom(size)) {
        ring = this.#pool.take(this);
        this.#rings.push(ring);
      }
    }
    const join = this.#segments && !(this.#unsegmentable.size > 0 && this.#unsegmentable.has(remote));
    ring.write(payload, size, remote, port, source, extras, settle, lenient, join);
  }

  /** Hands to the kernel what it will take. Call it at the end of a turn, when writable, and at close. */
  flush(): void {
    if (this.#flushing || this.#blocked) return;
    this.#flushing = true;
    try {
      while (this.#rings.length > 0 && !this.#blocked) {
        const ring = this.#rings[0];
        // A run that is retried apart puts a ring before this one.
        if (this.#drain(ring) && this.#rings[0] === ring) this.#pool.give(this.#rings.shift() as SendRing);
      }
    } finally {
      this.#flushing = false;
    }
  }

  /** The descriptor is writable (or the time is up): what waited may go. */
  resume(): void {
    this.#blocked = false;
    this.flush();
  }

  /** The descriptor goes away: sends what it can without waiting, then fails the rest with ECANCELED, as libuv does. */
  close(): void {
    this.flush();
    this.#closed = true;
    for (let ring = this.#rings.shift(); ring !== undefined; ring = this.#rings.shift()) {
      while (ring.settled < ring.count) this.#settleError(ring, 'ECANCELED', uvErrno('ECANCELED', 0));
      this.#pool.give(ring);
    }
  }

  /** → has the whole ring been settled? Otherwise it is blocked, or another one goes first. */
  #drain(ring: SendRing): boolean {
    while (ring.settled < ring.count) {
      const sent = this.#syscalls.sendmmsg(
        this.#fd,
        ring.messages,
        ring.settled,
        ring.count - ring.settled,
        this.#platform.constants.MSG_DONTWAIT,
      );
      this.#stats.systemCallsOut++;
      if (sent > 0) this.#settleSent(ring, sent);
      else if (!this.#settleFailure(ring, sent)) return false;
    }
    return true;
  }

  #settleSent(ring: SendRing, sent: number): void {
    this.#tries = 0;
    const end = ring.settled + sent;
    let bytes = 0;
    let datagrams = 0;
    for (let slot = ring.settled; slot < end; slot++) {
      bytes += ring.sizes[slot];
      datagrams += ring.runs[slot];
      if (ring.watched) tell(ring, slot);
    }
    ring.settled = end;
    ring.pending -= datagrams;
    ring.pendingBytes -= bytes;
    this.#stats.datagramsOut += datagrams;
    this.#stats.bytesOut += bytes;
    if (ring.retryOf !== undefined) this.#avoidRuns(ring);
  }

  /** One by one it went: then it was the run that was refused. */
  #avoidRuns(ring: SendRing): void {
    if (this.#unsegmentable.size >= MAX_UNSEGMENTABLE) this.#unsegmentable.clear();
    this.#unsegmentable.add(ring.retryOf as Endpoint);
    ring.retryOf = undefined;
  }

  /** The first message not settled yet was refused. → go on with the next one? */
  #settleFailure(ring: SendRing, result: number): boolean {
    const name = errnoName(this.#platform, result);
    if (name === 'EAGAIN' && !this.#neverFits(ring)) {
      this.#stats.wouldBlock++;
      this.#blocked = true;
      this.#outlet.awaitWritable();
      return false;
    }
    if (this.#platform.quirks.backOff.includes(name) && this.#tries < BACK_OFF.length) {
      this.#stats.wouldBlock++;
      this.#blocked = true;
      this.#outlet.retryAfter(BACK_OFF[this.#tries++]);
      return false;
    }
    this.#tries = 0;
    if (ring.runs[ring.settled] > 1) {
      this.#sendApart(ring, name, result);
      return false;
    }
    ring.retryOf = undefined;
    if (name === 'EAGAIN') this.#settleError(ring, 'EMSGSIZE', uvErrno('EMSGSIZE', result));
    else this.#settleRefused(ring, name, result);
    return true;
  }

  /**
   * macOS: what fits SO_SNDBUF without its control messages and not with them has a writable descriptor and EWOULDBLOCK
   * for ever (P34). Only after the user has made the buffer smaller than Channel makes it.
   */
  #neverFits(ring: SendRing): boolean {
    const { constants, quirks } = this.#platform;
    if (quirks.minSendBuffer === 0) return false;
    const value = Buffer.from(new ArrayBuffer(4));
    const { SOL_SOCKET, SO_SNDBUF } = constants;
    if (this.#syscalls.getsockopt(this.#fd, SOL_SOCKET, SO_SNDBUF, value) < 0) return false;
    return ring.weightOf(ring.settled) > new Int32Array(value.buffer)[0];
  }

  /**
   * Each datagram of a run that was refused gets a try and an answer of its own, before what follows. Where the error is
   * not about the run (a connected peer that refused an earlier datagram), it is the first one's, as it would be alone.
   */
  #sendApart(ring: SendRing, name: string, result: number): void {
    const suspect = RUN_REFUSED.includes(name) || this.#platform.quirks.sourceGone.includes(name);
    const slot = ring.settled++;
    ring.pending -= ring.runs[slot];
    ring.pendingBytes -= ring.sizes[slot];
    if (!suspect) this.#failOne(ring, slot, 0, name, failure(this.#platform, result, 'send').errno);
    const apart = this.#pool.take(this);
    ring.split(slot, apart, suspect ? 0 : 1);
    if (suspect) apart.retryOf = ring.remotes[slot];
    this.#rings.unshift(apart);
  }

  #settleRefused(ring: SendRing, name: string, result: number): void {
    const slot = ring.settled;
    const source = ring.sources[slot];
    // Each OS says in its own way that the source has vanished (P7); some say the same of a missing route.
    const suspect = source !== undefined && this.#platform.quirks.sourceGone.includes(name);
    const gone = suspect && !this.#outlet.isLocal(source);
    if (suspect && ring.isLenient(slot)) {
      if (gone) this.#outlet.sourceGone(source, ring.remotes[slot], ring.ports[slot]);
      ring.dropSource(slot); // and again
    } else if (gone) this.#settleError(ring, 'EADDRNOTAVAIL', uvErrno('EADDRNOTAVAIL', result));
    else this.#settleError(ring, name, failure(this.#platform, result, 'send').errno);
  }

  #settleError(ring: SendRing, name: string, errno: number): void {
    const slot = ring.settled++;
    ring.pending -= ring.runs[slot];
    ring.pendingBytes -= ring.sizes[slot];
    for (let index = 0; index < ring.runs[slot]; index++) this.#failOne(ring, slot, index, name, errno);
  }

  #failOne(ring: SendRing, slot: number, index: number, name: string, errno: number): void {
    const settle = ring.settles[ring.firsts[slot] + index];
    if (settle === undefined) {
      this.#stats.sendErrors++; // nobody wants to see an error object
      return;
    }
    const where = place(ring.remotes[slot], ring.ports[slot], ring.sources[slot]);
    this.#fail(settle, systemError(name, errno, 'send', where));
  }

  /** Without a callback a send error is dropped, as dgram does; it is counted. */
  #fail(settle: Settle | undefined, error: Error): void {
    this.#stats.sendErrors++;
    if (settle !== undefined) process.nextTick(settle, error);
  }
}

/** The kernel has taken the datagrams of `slot`. */
function tell(ring: SendRing, slot: number): void {
  for (let index = 0; index < ring.runs[slot]; index++) {
    const settle = ring.settles[ring.firsts[slot] + index];
    if (settle === undefined) continue;
    if (settle.atOnce) settle(null, 0);
    else process.nextTick(settle, null, ring.sizeOf(slot, index));
  }
}

/** A connected peer is not named, as in dgram. */
function place(remote: Endpoint | undefined, port: number, source: Endpoint | undefined) {
  return { address: port === 0 ? undefined : remote?.text, port, localAddress: source?.text };
}
