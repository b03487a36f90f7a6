/** Keeps the process alive while somebody wants it, as an open descriptor does: nothing in memory would. */
import { clearInterval, setInterval } from '../captured';

/** ms; the longest that a timer takes. */
const LONG = 0x7fffffff;

export class Alive {
  #wanted = 0;
  #timer: NodeJS.Timeout | undefined;

  hold(): void {
    this.#wanted++;
    this.#timer ??= setInterval(() => {}, LONG);
  }

  release(): void {
    if (--this.#wanted > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
