/**
 * What has been received and not delivered yet, of all sockets of a host: of each socket oldest first, and the sockets in
 * turn, so that one which is flooded keeps no other waiting. Entries are used again: keeping a datagram allocates nothing,
 * and none of them holds on to what has been delivered.
 */
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';

/** Sockets in turn, at first. */
const SMALLEST = 64;

/** A message and its rinfo, or an error, which has no message. */
export interface Entry {
  msg: Buffer | undefined;
  about: RemoteInfo | Error | undefined;
  /** The next one of the same socket; of a free entry, the next free one. */
  next: Entry | undefined;
}

export class Inbox {
  #free: Entry | undefined;
  /** A ring of the sockets that have entries, in turn. Its length is a power of two. */
  #turns: (Core | undefined)[] = new Array(SMALLEST).fill(undefined);
  #front = 0;
  #sockets = 0;
  /** The socket whose turn it is. */
  core: Core | undefined;
  size = 0;
  /** Of all messages. */
  bytes = 0;

  /** Keeps a message, or an error of the socket's receives, which is reported behind what came before it. */
  push(core: Core, msg: Buffer | undefined, about: RemoteInfo | Error): void {
    const entry = this.#free ?? { msg: undefined, about: undefined, next: undefined };
    this.#free = entry.next;
    entry.next = undefined;
    entry.msg = msg;
    entry.about = about;
    if (core.newest !== undefined) core.newest.next = entry;
    else {
      core.oldest = entry;
      if (this.#sockets === this.#turns.length) this.#grow();
      this.#turns[(this.#front + this.#sockets++) & (this.#turns.length - 1)] = core;
      this.core = this.#turns[this.#front];
    }
    core.newest = entry;
    this.size++;
    if (msg !== undefined) this.bytes += msg.length;
  }

  /** Takes out the oldest entry of the socket whose turn it is. There must be one. */
  drop(): void {
    const core = this.core as Core;
    const entry = core.oldest as Entry;
    if (entry.msg !== undefined) this.bytes -= entry.msg.length;
    core.oldest = entry.next;
    entry.msg = undefined;
    entry.about = undefined;
    entry.next = this.#free;
    this.#free = entry;
    this.size--;
    if (core.oldest !== undefined) return;
    core.newest = undefined;
    this.#turns[this.#front] = undefined;
    this.#front = (this.#front + 1) & (this.#turns.length - 1);
    this.core = this.#turns[this.#front];
    this.#sockets--;
  }

  /** It is the next socket's turn. */
  rotate(): void {
    if (this.#sockets < 2) return;
    const { core } = this;
    this.#turns[this.#front] = undefined;
    this.#front = (this.#front + 1) & (this.#turns.length - 1);
    this.core = this.#turns[this.#front];
    this.#turns[(this.#front + this.#sockets - 1) & (this.#turns.length - 1)] = core;
  }

  /** Takes out all entries of one socket. */
  take(core: Core): Entry[] {
    const taken: Entry[] = [];
    if (core.oldest === undefined) return taken;
    for (let left = this.#sockets; left > 0 && this.core !== core; left--) this.rotate();
    while (core.oldest !== undefined) {
      taken.push({ ...core.oldest });
      this.drop();
    }
    return taken;
  }

  #grow(): void {
    const { length } = this.#turns;
    const inOrder = [...this.#turns.slice(this.#front), ...this.#turns.slice(0, this.#front)];
    this.#turns = [...inOrder, ...new Array(length).fill(undefined)];
    this.#front = 0;
  }
}
