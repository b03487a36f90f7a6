/**
 * What has been received and not delivered yet, of all sockets of a host: of each socket oldest first, and the sockets in
 * turn, so that one which is flooded keeps no other waiting. Places are used again: keeping a datagram allocates nothing,
 * and none of them holds on to what has been delivered.
 */
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';

const SMALLEST = 64;
const NONE = -1;

/** A message and its rinfo, or an error. */
export interface Entry {
  readonly msg: Buffer | undefined;
  readonly about: RemoteInfo | Error;
}

export class Inbox {
  /** Three arrays in step. An error instead of a rinfo has no message. */
  #messages: (Buffer | undefined)[] = new Array(SMALLEST).fill(undefined);
  #about: (RemoteInfo | Error | undefined)[] = new Array(SMALLEST).fill(undefined);
  /** The place of the next entry of the same socket; of a free place, the next free one. */
  #next = chained(new Int32Array(SMALLEST), 0);
  #free = 0;
  /** A ring of the sockets that have entries, in turn. */
  #turns: (Core | undefined)[] = new Array(SMALLEST).fill(undefined);
  #front = 0;
  #sockets = 0;
  size = 0;
  /** Of all messages. */
  bytes = 0;

  /** The socket whose turn it is. */
  get core(): Core | undefined {
    return this.#turns[this.#front];
  }

  /** The message of its oldest entry; undefined where it is an error. */
  get msg(): Buffer | undefined {
    const core = this.#turns[this.#front];
    return core === undefined ? undefined : this.#messages[core.oldest];
  }

  get about(): RemoteInfo | Error {
    return this.#about[(this.#turns[this.#front] as Core).oldest] as RemoteInfo | Error;
  }

  push(core: Core, msg: Buffer, rinfo: RemoteInfo): void {
    this.#add(core, msg, rinfo);
    this.bytes += msg.length;
  }

  /** An error of the socket's receives, which is reported behind what came before it. */
  fail(core: Core, error: Error): void {
    this.#add(core, undefined, error);
  }

  /** Takes out the oldest entry of the socket whose turn it is. There must be one. */
  drop(): void {
    const core = this.#turns[this.#front] as Core;
    const place = core.oldest;
    this.bytes -= this.#messages[place]?.length ?? 0;
    this.#messages[place] = undefined;
    this.#about[place] = undefined;
    core.oldest = this.#next[place];
    this.#next[place] = this.#free;
    this.#free = place;
    this.size--;
    if (core.oldest === NONE) this.#leave();
  }

  /** It is the next socket's turn. */
  rotate(): void {
    if (this.#sockets < 2) return;
    const core = this.#turns[this.#front];
    this.#leave();
    this.#turns[(this.#front + this.#sockets++) & (this.#turns.length - 1)] = core;
  }

  /** Takes out all entries of one socket. */
  take(core: Core): Entry[] {
    const taken: Entry[] = [];
    if (core.oldest === NONE) return taken;
    for (let left = this.#sockets; left > 0 && this.core !== core; left--) this.rotate();
    while (this.size > 0 && this.core === core) {
      taken.push({ msg: this.msg, about: this.about });
      this.drop();
    }
    return taken;
  }

  #leave(): void {
    this.#turns[this.#front] = undefined;
    this.#front = (this.#front + 1) & (this.#turns.length - 1);
    this.#sockets--;
  }

  #add(core: Core, msg: Buffer | undefined, about: RemoteInfo | Error): void {
    if (this.#free === NONE) this.#grow();
    const place = this.#free;
    this.#free = this.#next[place];
    this.#next[place] = NONE;
    this.#messages[place] = msg;
    this.#about[place] = about;
    if (core.oldest === NONE) {
      core.oldest = place;
      this.#turns[(this.#front + this.#sockets++) & (this.#turns.length - 1)] = core;
    } else this.#next[core.newest] = place;
    core.newest = place;
    this.size++;
  }

  #grow(): void {
    const { length } = this.#turns;
    const more = <Thing>() => new Array<Thing | undefined>(length).fill(undefined);
    const next = new Int32Array(2 * length);
    next.set(this.#next);
    this.#next = chained(next, length);
    this.#free = length;
    this.#messages = [...this.#messages, ...more<Buffer>()];
    this.#about = [...this.#about, ...more<RemoteInfo | Error>()];
    this.#turns = [...this.#turns.slice(this.#front), ...this.#turns.slice(0, this.#front), ...more<Core>()];
    this.#front = 0;
  }
}

/** Makes the places from `first` on a chain of free ones. */
function chained(next: Int32Array, first: number): Int32Array {
  for (let place = first; place < next.length; place++) next[place] = place + 1;
  next[next.length - 1] = NONE;
  return next;
}
