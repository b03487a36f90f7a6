/** Counts what becomes of the datagrams of one sendMany(), and says so when the last one is through. */
import type { Settle } from '../datagram/send-ring';

export class Tally {
  #left: number;
  #sent = 0;
  #first: Error | null = null;
  readonly #done: ((error: Error | null, sent: number) => void) | undefined;

  constructor(datagrams: number, done: ((error: Error | null, sent: number) => void) | undefined) {
    this.#left = datagrams;
    this.#done = done;
  }

  /** For each datagram. It only counts, so it need not wait for a tick of its own. */
  readonly settle: Settle = Object.assign(
    (error: Error | null) => {
      if (error === null) this.#sent++;
      else this.#first ??= error;
      if (--this.#left === 0) this.#finish();
    },
    { atOnce: true as const },
  );

  /** For all of them together, on a tick of its own, when none has been tried. */
  readonly settleAll = (error: Error | null): void => this.#done?.(error, 0);

  #finish(): void {
    if (this.#done !== undefined) process.nextTick(this.#done, this.#first, this.#sent);
  }
}
