/** Datagrams that wait behind full rings, each with bytes of its own. Oldest first. */
import type { Endpoint } from './endpoint';
import type { Extras } from './envelopes';
import type { Settle } from './send-ring';

export interface Waiting {
  readonly bytes: Uint8Array;
  readonly remote: Endpoint;
  readonly port: number;
  readonly source: Endpoint | undefined;
  readonly extras: Extras | undefined;
  readonly settle: Settle | undefined;
  readonly lenient: boolean;
}

/** Places of those that have moved up, at the front of the list, before it is made shorter: it may never be empty. */
const MANY = 1024;

export class Backlog {
  readonly #waiting: (Waiting | undefined)[] = [];
  #first = 0;

  get size(): number {
    return this.#waiting.length - this.#first;
  }

  get bytes(): number {
    let bytes = 0;
    for (const waiting of this) bytes += waiting.bytes.length;
    return bytes;
  }

  /** The oldest; undefined where none waits. */
  get oldest(): Waiting | undefined {
    return this.#waiting[this.#first];
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting);
  }

  /** Takes out the oldest. */
  drop(): void {
    this.#waiting[this.#first++] = undefined;
    if (this.#first < MANY || this.#first * 2 < this.#waiting.length) return;
    this.#waiting.splice(0, this.#first);
    this.#first = 0;
  }

  /** Names the peer of a socket that was connected. @param port of it */
  nameRemote(port: number): void {
    for (let i = this.#first; i < this.#waiting.length; i++) {
      const waiting = this.#waiting[i] as Waiting;
      if (waiting.port === 0) this.#waiting[i] = { ...waiting, port };
    }
  }

  *[Symbol.iterator](): Generator<Waiting> {
    for (let i = this.#first; i < this.#waiting.length; i++) yield this.#waiting[i] as Waiting;
  }
}
