/**
 * What all watchers do alike, however they wait: which events are wanted, whether the loop is kept alive, what happens
 * after close(). The subclasses in uv.ts, nested.ts and epoll.ts do the waiting.
 */
import { setImmediate } from '../../captured';
import { checkEvents } from '../check';
import type { Ready, Waiter, Watcher } from '../readiness';

export abstract class BaseWatcher implements Watcher {
  readonly fd: number;
  protected readonly owner: Waiter;
  /** What is wanted: a mask of READABLE and WRITABLE. */
  protected events = 0;
  protected refed = true;
  /** false after close(), and once the environment ends. */
  protected live = true;
  #closed = false;

  constructor(fd: number, ready: Ready) {
    this.fd = fd;
    this.owner = typeof ready === 'function' ? { ready } : ready;
  }

  start(events: number): void {
    checkEvents(events);
    if (!this.live || events === this.events) return;
    this.arm(events);
    this.events = events;
    this.changed();
  }

  /** It waits for `events` since its birth: nothing has to be armed. */
  begin(events: number): void {
    this.events = events;
    this.changed();
  }

  ref(): void {
    if (!this.refed) this.#refer(true);
  }

  unref(): void {
    if (this.refed) this.#refer(false);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.retire();
    this.forget();
  }

  /** Ends the waiting without forgetting the descriptor. */
  retire(): void {
    if (!this.live) return;
    this.live = false;
    this.end();
    this.changed();
  }

  /** Where something has stopped the waiting, and nobody would catch an error. */
  protected armAgain(): void {
    try {
      this.arm(this.events);
    } catch (error) {
      setImmediate(rethrow, error);
    }
  }

  /** Waits for `events` from now on. @throws the kernel's errors */
  protected abstract arm(events: number): void;
  /** `events`, `refed` or `live` has changed. */
  protected abstract changed(): void;
  /** Nothing may be reported after it. */
  protected abstract end(): void;
  /** The descriptor is about to be closed. */
  protected abstract forget(): void;

  #refer(refed: boolean): void {
    if (!this.live) return;
    this.refed = refed;
    this.changed();
  }
}

export function rethrow(error: unknown): never {
  throw error;
}

const noop = (): void => {};

/** For sockets that are opened while the environment ends. */
export const tooLate: Watcher = { start: noop, ref: noop, unref: noop, close: noop };

/** Those that are told of many at once. Counts who keeps the loop alive: ref'd ones that wait for something. */
export abstract class CountedWatcher extends BaseWatcher {
  #holds = false;

  /** What the owner throws keeps nothing from those behind it. */
  protected report(events: number): void {
    try {
      this.owner.ready(events);
    } catch (error) {
      setImmediate(rethrow, error);
    }
  }

  protected changed(): void {
    const holds = this.refed && this.events !== 0 && this.live;
    if (holds === this.#holds) return;
    this.#holds = holds;
    this.count(holds ? 1 : -1);
  }

  protected abstract count(change: 1 | -1): void;
}
