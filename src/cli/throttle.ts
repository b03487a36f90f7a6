/**
 * At most so many lines a second, however many datagrams come: a flood must neither melt the terminal nor cost the
 * time that answers need. What is left out is counted, and said once a second.
 */
import { count } from './units';

const SECOND = 1000;

export class Throttle {
  readonly #print: (line: string) => void;
  readonly #ready: () => boolean;
  readonly #limit: number;
  #printed = 0;
  #skipped = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param ready may something be printed now, or does the output wait for its reader? */
  constructor(print: (line: string) => void, ready: () => boolean = () => true, limit = 50) {
    this.#print = print;
    this.#ready = ready;
    this.#limit = limit;
  }

  /** `line` is made only if it is printed. */
  add(line: () => string): void {
    this.#timer ??= setTimeout(this.#next, SECOND).unref();
    if (this.#printed >= this.#limit || !this.#ready()) {
      this.#skipped++;
      return;
    }
    this.#printed++;
    this.#print(line());
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
    this.#print(`… and ${count(this.#skipped)} more`);
    this.#skipped = 0;
  };
}
