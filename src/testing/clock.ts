/**
 * When what is on its way arrives. Timers are looked up when they are wanted: fake ones (jest, sinon, vitest, node:test)
 * drive the network then. A manual clock goes on when it is told to, and is the only one whose order depends on nothing
 * but the seed.
 */

export interface Clock {
  /** ms since the network was made. */
  now(): number;
  /** Calls `action` after `ms`. */
  after(ms: number, action: () => void): void;
  /** When the next one is due, undefined where there is none or only time itself can tell. */
  readonly next: number | undefined;
  /** Forgets all of it. */
  clear(): void;
}

export class TimerClock implements Clock {
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  readonly #start = performance.now();
  readonly next = undefined;

  now(): number {
    return performance.now() - this.#start;
  }

  after(ms: number, action: () => void): void {
    const timer = globalThis.setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
    timer.unref?.(); // sockets keep the process alive, not what is on its way to them; some fakes have no unref()
  }

  clear(): void {
    for (const timer of this.#timers) globalThis.clearTimeout(timer);
    this.#timers.clear();
  }
}

interface Due {
  readonly at: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  #now = 0;
  /** By time; what is due at the same moment, in the order in which it was asked for. */
  #due: Due[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): void {
    const at = this.#now + ms;
    let place = this.#due.length;
    while (place > 0 && this.#due[place - 1].at > at) place--;
    this.#due.splice(place, 0, { at, action });
  }

  get next(): number | undefined {
    return this.#due[0]?.at;
  }

  /** Sets the clock, and does what is due then. */
  set(now: number): void {
    this.#now = Math.max(this.#now, now);
    while (this.#due.length > 0 && this.#due[0].at <= this.#now) this.#due.shift()?.action();
  }

  clear(): void {
    this.#due = [];
  }
}
