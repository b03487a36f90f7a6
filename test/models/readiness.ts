/** Level-triggered readiness of a kernel model: looks once per turn of the event loop while anything is ready. */
import { setImmediate } from 'node:timers';
import { ERROR, READABLE, type Readiness, type Ready, type Watcher, WRITABLE } from '../../src/ffi/readiness';
import type { Sock } from './sock';

export class Poll implements Readiness {
  readonly #sockOf: (fd: number) => Sock | undefined;
  readonly #watched = new Map<number, { ready: (events: number) => void; events: number }>();
  #scheduled = false;
  /** Callbacks so far. */
  calls = 0;

  constructor(sockOf: (fd: number) => Sock | undefined) {
    this.#sockOf = sockOf;
  }

  watch(fd: number, given: Ready, events = 0): Watcher {
    const ready = typeof given === 'function' ? given : (now: number) => given.ready(now);
    if (this.#watched.has(fd)) throw new Error(`descriptor ${fd} is watched already`);
    const entry = { ready, events };
    this.#watched.set(fd, entry);
    if (events !== 0) this.wake();
    return {
      start: (events) => {
        entry.events = events;
        this.wake();
      },
      ref: () => {},
      unref: () => {},
      close: () => {
        if (this.#watched.get(fd) === entry) this.#watched.delete(fd);
      },
    };
  }

  isWatched(fd: number): boolean {
    return this.#watched.has(fd);
  }

  /** Something may have become ready. */
  wake(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#look());
  }

  #look(): void {
    this.#scheduled = false;
    for (const [fd, entry] of [...this.#watched]) {
      const sock = this.#sockOf(fd);
      if (sock === undefined || this.#watched.get(fd) !== entry) continue;
      const now =
        (sock.readable ? READABLE : 0) |
        (sock.full ? 0 : WRITABLE) |
        (sock.error === undefined && sock.errors.length === 0 ? 0 : ERROR | READABLE);
      const events = now & (entry.events | (now & ERROR && entry.events & READABLE ? ERROR : 0));
      if (events === 0) continue;
      this.calls++;
      this.wake();
      entry.ready(events);
    }
  }
}
