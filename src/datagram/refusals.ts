/**
 * What becomes of datagrams that the kernel refuses, of one sender: wait, try again (without the source, behind the error of
 * an earlier datagram, a run apart), or settled with an error. Made with the first refusal: most senders have none.
 */
import { sourceUnreachable, systemError } from '../errors';
import type { SocketStats } from '../types';
import type { Endpoint } from './endpoint';
import type { Engine } from './engine';
import { errnoName, failure, uvErrno } from './failure';
import type { SendRing, Settle } from './send-ring';

/** How long to wait where a full queue never becomes writable, in ms, and how often before giving up (P35). */
const BACK_OFF = [1, 2, 4, 8, 16, 16, 16, 16];
/** What a run may be refused for that its datagrams alone are not: path MTU, kernel, driver (P39). */
const RUN_REFUSED = ['EMSGSIZE', 'EINVAL', 'EIO'];
/** Peers remembered to whom runs did not go through. */
const MAX_UNSEGMENTABLE = 256;
/** How often one datagram is tried again behind errors of others: its own may look like theirs. */
const MAX_EXPLAINED = 8;

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

/** The queue is full: the descriptor becomes writable when there is room. */
export const BLOCKED = 0;
/** The queue is full, and nobody says when there is room: after {@link Refusals.delay}. */
export const LATER = 1;
/** The next one is tried, or this one again. */
export const GOES_ON = 2;
/** The run is to be sent datagram by datagram. */
export const APART = 3;
export type Verdict = typeof BLOCKED | typeof LATER | typeof GOES_ON | typeof APART;

export class Refusals {
  /** ms */
  delay = 0;
  readonly #engine: Engine;
  readonly #outlet: Outlet;
  /** Not to these: the path, a driver or the kernel refuses runs (P39). By their text: endpoints are made anew. */
  #unsegmentable: Set<string> | undefined;
  #tries = 0;
  /** Errors in a row that were those of earlier datagrams. */
  #explained = 0;

  constructor(engine: Engine, outlet: Outlet) {
    this.#engine = engine;
    this.#outlet = outlet;
  }

  /** May datagrams to `remote` be joined, for the kernel to cut apart again? */
  takesRuns(remote: Endpoint): boolean {
    return this.#unsegmentable === undefined || !this.#unsegmentable.has(remote.text);
  }

  /** The kernel has taken some of `ring`. */
  over(ring: SendRing): void {
    this.#tries = 0;
    this.#explained = 0;
    if (ring.retryOf === undefined) return;
    // One by one it went: then it was the run that was refused.
    this.#unsegmentable ??= new Set();
    if (this.#unsegmentable.size >= MAX_UNSEGMENTABLE) this.#unsegmentable.clear();
    this.#unsegmentable.add(ring.retryOf.text);
    ring.retryOf = undefined;
  }

  /** The first message of `ring` that is not settled yet was refused. @param result what sendmmsg returned */
  judge(ring: SendRing, fd: number, result: number): Verdict {
    const { platform } = this.#engine.host;
    const name = result === 0 ? 'EAGAIN' : errnoName(platform, result); // none was taken, without an error
    if (name === 'EAGAIN' && !this.#neverFits(ring, fd)) return BLOCKED;
    if (platform.quirks.backOff.includes(name) && this.#tries < BACK_OFF.length) {
      this.delay = BACK_OFF[this.#tries++];
      return LATER;
    }
    this.#tries = 0;
    if (this.#explained < MAX_EXPLAINED && this.#outlet.explained(name)) {
      this.#explained++;
      return GOES_ON;
    }
    this.#explained = 0;
    if (ring.runs[ring.settled] > 1) return APART;
    ring.retryOf = undefined;
    if (name === 'EAGAIN') this.settle(ring, 'EMSGSIZE', uvErrno('EMSGSIZE', result));
    else this.#settleRefused(ring, name, result);
    return GOES_ON;
  }

  /**
   * Takes the refused run out of `ring`, and writes its datagrams into `into`: each gets a try and an answer of its own.
   * Where the error is not about the run (a connected peer that refused an earlier datagram), it is the first one's, as it
   * would be alone.
   */
  sendApart(ring: SendRing, into: SendRing, result: number): void {
    const { platform } = this.#engine.host;
    const name = errnoName(platform, result);
    const suspect = RUN_REFUSED.includes(name) || platform.quirks.sourceGone.includes(name);
    ring.keep(); // the bytes of the caller, which are written again one by one
    const slot = ring.settled;
    ring.settleNext();
    if (!suspect) this.#failOne(ring, slot, 0, name, failure(platform, result, 'send').errno);
    ring.split(slot, into, suspect ? 0 : 1);
    if (suspect) into.retryOf = ring.remotes[slot];
  }

  /** Every datagram of the first message that is not settled yet has failed. */
  settle(ring: SendRing, name: string, errno: number): void {
    const slot = ring.settled;
    ring.settleNext();
    for (let index = 0; index < ring.runs[slot]; index++) this.#failOne(ring, slot, index, name, errno);
  }

  /** Without a callback a send error is dropped, as dgram does; it is counted. */
  fail(settle: Settle | undefined, error: Error): void {
    this.#outlet.stats.sendErrors++;
    settle?.settle(error, 0);
  }

  /** Counts what one datagram alone was refused for, for good. → its error */
  errorOf(name: string, result: number, remote: Endpoint, port: number, source: Endpoint | undefined): Error {
    this.#outlet.stats.sendErrors++;
    this.#outlet.failed(name, remote, port);
    const error = systemError(name, uvErrno(name, result), 'send', place(remote, port, source));
    if (name === 'EMSGSIZE') this.#addMtu(error, remote);
    return error;
  }

  /**
   * macOS: what fits SO_SNDBUF without its control messages and not with them has a writable descriptor and EWOULDBLOCK
   * for ever (P34). Only after the user has made the buffer smaller than Channel makes it.
   */
  #neverFits(ring: SendRing, fd: number): boolean {
    const { platform, syscalls } = this.#engine.host;
    if (platform.quirks.minSendBuffer === 0) return false;
    const value = Buffer.from(new ArrayBuffer(4));
    const { SOL_SOCKET, SO_SNDBUF } = platform.constants;
    if (syscalls.getsockopt(fd, SOL_SOCKET, SO_SNDBUF, value) < 0) return false;
    return ring.weightOf(ring.settled) > new Int32Array(value.buffer)[0];
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
    else if (gone) this.settle(ring, 'EADDRNOTAVAIL', uvErrno('EADDRNOTAVAIL', result));
    else this.settle(ring, name, failure(platform, result, 'send').errno);
  }

  /** The source is this host's, but the interface that has it has no route to the peer. */
  #settleScoped(ring: SendRing, source: Endpoint): void {
    const slot = ring.settled;
    ring.settleNext();
    const remote = ring.remotes[slot]?.text ?? '';
    for (let index = 0; index < ring.runs[slot]; index++) {
      this.fail(ring.settles[ring.firsts[slot] + index], sourceUnreachable(source.text, remote));
    }
  }

  #failOne(ring: SendRing, slot: number, index: number, name: string, errno: number): void {
    this.#outlet.failed(name, ring.remotes[slot], ring.ports[slot]);
    const settle = ring.settles[ring.firsts[slot] + index];
    if (settle === undefined) {
      this.#outlet.stats.sendErrors++; // nobody wants to see an error object
      return;
    }
    const remote = ring.remotes[slot];
    const error = systemError(name, errno, 'send', place(remote, ring.ports[slot], ring.sources[slot]));
    if (name === 'EMSGSIZE' && remote !== undefined) this.#addMtu(error, remote);
    this.fail(settle, error);
  }

  /** What would fit, where the kernel tells. Not enumerable: programs compare and print errors as dgram makes them. */
  #addMtu(error: Error, remote: Endpoint): void {
    const mtu = this.#engine.pathMtu(remote);
    if (mtu > 0) Object.defineProperty(error, 'mtu', { value: mtu, writable: true, configurable: true });
  }
}

/** A connected peer is not named, as in dgram. */
export function place(remote: Endpoint | undefined, port: number, source: Endpoint | undefined) {
  return { address: port === 0 ? undefined : remote?.text, port, localAddress: source?.text };
}
