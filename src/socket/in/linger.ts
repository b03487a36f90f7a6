/**
 * Keeps the event loop awake for a moment after an answer, where the next request comes at once, and comes sooner for it: a
 * client that takes turns is answered twice as fast by who has not fallen asleep. It looks into the socket itself
 * meanwhile, which is cheaper than having the event loop look. (Nothing to do with SO_LINGER.)
 *
 * It learns. It begins after some answers in a row that were followed by a quick request, and compares: where requests come
 * at a rate of their own they come no sooner, and waiting for them would only cost CPU. Each fruitless trial or wait
 * doubles how many quick requests it wants to see first, so what it can waste stays small.
 */
import { setImmediate } from '../../captured';

/** ms. A request this soon after an answer was quick: a client on this host, or on a fast network, that takes turns. */
export const QUICK = 0.08;
/** When what nobody has answered was answered. */
export const NEVER = Number.NEGATIVE_INFINITY;
/** ms that the loop is kept awake at most, for one answer. */
const LONGEST = 0.05;
/** How often it looks in that time at most, and before others have their turn. */
const LOOKS = 200;
const LOOKS_AT_ONCE = 4;
/** Quick requests in a row before it begins, at least and at most. */
const FEW = 8;
const MANY = 4096;
/** Requests after which is seen whether they come sooner, and the part of the former interval that is sooner. */
const TRIAL = 32;
const SOONER = 0.85;

export class Linger {
  /** When the last answer left, in ms; {@link NEVER} where it was none. The loop writes it down. */
  answered = NEVER;
  /** Does it keep the loop awake now? Else it wants to be told of what comes {@link QUICK}ly alone. */
  lingers = false;
  /** Has it been told that something came, and not yet how that ended? */
  told = false;
  /** {@link answered}, as of the last one that it was told of. */
  #seen = NEVER;
  #came = 0;
  #quick = 0;
  #wanted = FEW;
  #looks = 0;
  /** ms between two requests, on average, when the loop slept between them. */
  #asleep = 0;
  /** Sum and number of the intervals since the trial began. */
  #sum = 0;
  #trials = 0;
  readonly #now: () => number;
  readonly #attempt: () => boolean;
  readonly #soon: (look: () => void) => void;

  /**
   * @param now ms
   * @param attempt looks whether there is a request. → was there one, and has it been dealt with?
   * @param soon runs a function after the event loop has polled, without letting it sleep
   */
  constructor(now: () => number, attempt: () => boolean, soon: (look: () => void) => void = setImmediate) {
    this.#now = now;
    this.#attempt = attempt;
    this.#soon = soon;
  }

  /** A batch has come. @param at the time */
  came(at: number): void {
    const interval = at - this.#came;
    this.#came = at;
    this.told = true;
    if (this.lingers) {
      this.lingers = false;
      this.#judge(interval);
      return;
    }
    const quick = at - this.answered < QUICK;
    const isNext = this.answered === this.#seen;
    this.#quick = quick ? (isNext ? this.#quick + 1 : 1) : 0;
    // Of the first quick one nobody knows how long it has been since the one before.
    this.#asleep = this.#quick > 2 ? this.#asleep + (interval - this.#asleep) / 4 : interval;
    this.#trials = 0;
  }

  /** It has been delivered, and what was sent in return has left. @param at the time */
  ended(answered: boolean, at: number): void {
    this.told = false;
    this.answered = answered ? at : NEVER;
    this.#seen = this.answered;
    if (!answered) this.#quick = 0;
    if (!answered || this.#quick < this.#wanted) return;
    this.lingers = true;
    this.#looks = 0;
    this.#soon(this.#look);
  }

  /** Do they come sooner than they did? */
  #judge(interval: number): void {
    if (this.#trials === 0) this.#sum = 0;
    this.#sum += interval;
    if (++this.#trials < TRIAL) return;
    if (this.#trials === TRIAL && this.#sum > this.#asleep * SOONER * TRIAL) this.#giveUp(8);
    else this.#wanted = Math.max(FEW, this.#wanted >>> 1);
  }

  #giveUp(factor: number): void {
    this.lingers = false;
    this.#quick = 0;
    this.#trials = 0;
    this.#wanted = Math.min(MANY, this.#wanted * factor);
  }

  /** The loop does not sleep while there is an immediate, and polls before it runs it. */
  readonly #look = (): void => {
    for (let i = 0; i < LOOKS_AT_ONCE && this.lingers; i++) if (this.#attempt()) return;
    if (!this.lingers) return;
    this.#looks += LOOKS_AT_ONCE;
    if (this.#now() - this.answered < LONGEST && this.#looks < LOOKS) this.#soon(this.#look);
    else this.#giveUp(2);
  };
}
