/**
 * At most so many entries a second, however many datagrams come: a flood must neither melt the terminal nor cost the
 * time that answers need. What is left out is counted, and said once a second.
 */
import { count } from './units';

const SECOND = 1000;

export interface ThrottleOptions {
  /** May something be printed now, or does the output wait for its reader? */
  readonly ready?: () => boolean;
  /** A second. */
  readonly limit?: number;
  /** How it is said that entries were left out. */
  readonly more?: (skipped: number) => string;
}

export class Throttle {
  readonly #print: (line: string) => void;
  readonly #ready: () => boolean;
  readonly #limit: number;
  readonly #more: (skipped: number) => string;
  #printed = 0;
  #skipped = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(print: (line: string) => void, options: ThrottleOptions = {}) {
    const { ready = () => true, limit = 50, more = (skipped) => `… and ${count(skipped)} more` } = options;
    this.#print = print;
    this.#ready = ready;
    this.#limit = limit;
    this.#more = more;
  }

  /** `lines` of one entry are made only if they are printed. */
  add(lines: () => string | readonly string[]): void {
    this.#timer ??= setTimeout(this.#next, SECOND).unref();
    if (this.#printed >= this.#limit || !this.#ready()) {
      this.#skipped++;
      return;
    }
    this.#printed++;
    for (const line of [lines()].flat()) this.#print(line);
  }

  /** Says what was left out, and ends. */
  end(): void {
    clearTimeout(this.#timer);
    this.#next();
  }

  readonly #next = (): void => {
    this.#timer = undefined;
    this.#printed = 0;
    if (this.#skipped === 0 || !this.#ready()) return;
    this.#print(this.#more(this.#skipped));
    this.#skipped = 0;
  };
}
