/**
 * Send rings, lent to senders for the time they have something to send: an idle socket owns none, and a thousand
 * sockets that answer in turn share a few. One pool per host.
 */
import type { Syscalls } from '../ffi/syscalls';
import type { Platform } from '../platform/platform';
import { SendRing } from './send-ring';
import type { Sockaddrs } from './sockaddr';

/** Rings at most before somebody is asked to give one back, if his kernel takes the datagrams. */
const PLENTY = 16;

export interface Borrower {
  flush(): void;
}

export class RingPool {
  readonly #platform: Platform;
  readonly #syscalls: Syscalls;
  readonly #sockaddrs: Sockaddrs;
  readonly #free: SendRing[] = [];
  /** Oldest first. Mostly one, which is given back before the next is lent. */
  readonly #lent: SendRing[] = [];
  readonly #borrowers: Borrower[] = [];
  /**
   * Who has emptied its ring and not given it back: it takes `kept` again, unless somebody else asks before. A server with one
   * socket has one ring, and never calls.
   */
  keeper: Borrower | undefined;
  kept: SendRing | undefined;

  constructor(platform: Platform, syscalls: Syscalls, sockaddrs: Sockaddrs) {
    this.#platform = platform;
    this.#syscalls = syscalls;
    this.#sockaddrs = sockaddrs;
  }

  take(borrower: Borrower): SendRing {
    this.giveKept();
    if (this.#free.length === 0 && this.#lent.length >= PLENTY) this.#recall();
    const ring = this.#free.pop() ?? new SendRing(this.#platform, this.#syscalls, this.#sockaddrs);
    this.#lent.push(ring);
    this.#borrowers.push(borrower);
    return ring;
  }

  give(ring: SendRing): void {
    if (this.#lent[this.#lent.length - 1] === ring) {
      this.#lent.pop();
      this.#borrowers.pop();
    } else if (this.#lent[0] === ring) {
      this.#lent.shift();
      this.#borrowers.shift();
    } else {
      const index = this.#lent.indexOf(ring);
      if (index < 0) return; // given back already
      this.#lent.splice(index, 1);
      this.#borrowers.splice(index, 1);
    }
    ring.clear();
    if (this.#free.length < PLENTY) this.#free.push(ring);
  }

  /** The ring that has been kept is anybody's. */
  giveKept(): void {
    if (this.keeper === undefined) return;
    this.keeper = undefined;
    this.give(this.kept as SendRing);
    this.kept = undefined;
  }

  /** Lets the one who has waited longest send early. */
  #recall(): void {
    const { length } = this.#lent;
    for (let i = 0; i < this.#borrowers.length; i++) {
      this.#borrowers[i].flush();
      this.giveKept();
      if (this.#lent.length < length) return;
    }
  }
}
