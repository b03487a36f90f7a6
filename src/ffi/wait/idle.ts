/**
 * Gives back what nobody has used for a while. One timer, however often the last user goes: a socket per query would
 * start one each time.
 */
import { clearTimeout, setTimeout } from '../../captured';

/** Milliseconds without a user. */
const IDLE = 1000;

export class Idle {
  #timer: NodeJS.Timeout | undefined;
  /** Since #timer was started. */
  #used = false;
  readonly #inUse: () => boolean;
  readonly #giveBack: () => void;

  constructor(inUse: () => boolean, giveBack: () => void) {
    this.#inUse = inUse;
    this.#giveBack = giveBack;
  }

  /** Somebody has come. */
  use(): void {
    this.#used = true;
  }

  /** The last one has gone. Keeps no process alive. */
  begin(): void {
    if (this.#timer !== undefined) return;
    this.#used = false;
    this.#timer = setTimeout(this.#over, IDLE);
    this.#timer.unref();
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }

  readonly #over = (): void => {
    this.#timer = undefined;
    if (this.#inUse()) return;
    if (this.#used) this.begin();
    else this.#giveBack();
  };
}
