/**
 * Keeps the event loop awake for a moment after an answer, where the next request is likely to come at once. To fall
 * asleep and be woken costs the kernel some 10 µs of CPU and the peer some 20 µs of its time, more than looking a few
 * times. It learns: it begins after some answers in a row that were followed by a quick request, and each fruitless wait
 * doubles how many of them it wants, so what it can waste stays small. (Nothing to do with SO_LINGER.)
 */
import { setImmediate } from '../../captured';

/** ms. A request this soon after an answer was quick: a client on this host, or on a fast network, that takes turns. */
const QUICK = 0.05;
/** ms that the loop is kept awake at most, for one answer. */
const LONGEST = 0.03;
/** How often it looks in that time at most. */
const LOOKS = 50;
/** Quick requests in a row before it begins, at least and at most. */
const FEW = 8;
const MANY = 4096;

export class Linger {
  #lingers = false;
  #answered = false;
  #ended = 0;
  #quick = 0;
  #wanted = FEW;
  #looks = 0;
  readonly #now: () => number;
  readonly #soon: (look: () => void) => void;

  /** @param now ms @param soon runs a function after the event loop has polled, without letting it sleep */
  constructor(now: () => number, soon: (look: () => void) => void = setImmediate) {
    this.#now = now;
    this.#soon = soon;
  }

  /** A batch has come. @param at the time */
  came(at: number): void {
    if (this.#lingers) {
      this.#lingers = false;
      this.#wanted = Math.max(FEW, this.#wanted >>> 1);
    } else if (this.#answered) {
      this.#quick = at - this.#ended < QUICK ? this.#quick + 1 : 0;
    }
  }

  /** It has been delivered, and what was sent in return has left. @param at the time */
  ended(answered: boolean, at: number): void {
    this.#answered = answered;
    if (!answered) {
      this.#quick = 0;
      return;
    }
    this.#ended = at;
    if (this.#quick < this.#wanted) return;
    this.#lingers = true;
    this.#looks = 0;
    this.#soon(this.#look);
  }

  /** Nothing comes any more. */
  stop(): void {
    this.#lingers = false;
  }

  /** The loop does not sleep while there is an immediate, and polls before it runs it. */
  readonly #look = (): void => {
    if (!this.#lingers) return;
    if (this.#now() - this.#ended < LONGEST && this.#looks++ < LOOKS) {
      this.#soon(this.#look);
      return;
    }
    this.#lingers = false;
    this.#quick = 0;
    this.#wanted = Math.min(MANY, this.#wanted * 2);
  };
}
