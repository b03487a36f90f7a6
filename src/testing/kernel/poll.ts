/** Readiness of descriptors in memory, level-triggered: looks once per turn of the event loop while anything is ready. */
import { setImmediate } from '../../captured';
import { ERROR, READABLE, type Readiness, type Ready, type Watcher, WRITABLE } from '../../ffi/readiness';
import type { Alive } from '../alive';
import type { Sock } from './sock';

interface Entry {
  readonly ready: (events: number) => void;
  events: number;
  refed: boolean;
}

export class Poll implements Readiness {
  readonly #sockets: ReadonlyMap<number, Sock>;
  readonly #alive: Alive;
  readonly #watched = new Map<number, Entry>();
  #scheduled = false;
  /** Callbacks so far. */
  calls = 0;

  constructor(sockets: ReadonlyMap<number, Sock>, alive: Alive) {
    this.#sockets = sockets;
    this.#alive = alive;
  }

  watch(fd: number, given: Ready, events = 0): Watcher {
    if (this.#watched.has(fd)) throw Object.assign(new Error(`${fd} is watched already`), { code: 'EEXIST' });
    const ready = typeof given === 'function' ? given : (now: number) => given.ready(now);
    const entry: Entry = { ready, events, refed: true };
    this.#watched.set(fd, entry);
    this.#alive.hold();
    if (events !== 0) this.wake();
    return {
      start: (wanted) => {
        entry.events = wanted;
        if (wanted !== 0) this.wake();
      },
      ref: () => this.#refer(fd, entry, true),
      unref: () => this.#refer(fd, entry, false),
      close: () => {
        if (this.#watched.get(fd) !== entry) return;
        this.#refer(fd, entry, false);
        this.#watched.delete(fd);
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
    setImmediate(this.#look);
  }

  /** Nobody waits any more. */
  close(): void {
    for (const [fd, entry] of this.#watched) this.#refer(fd, entry, false);
    this.#watched.clear();
  }

  #refer(fd: number, entry: Entry, refed: boolean): void {
    if (entry.refed === refed || this.#watched.get(fd) !== entry) return;
    entry.refed = refed;
    if (refed) this.#alive.hold();
    else this.#alive.release();
  }

  readonly #look = (): void => {
    this.#scheduled = false;
    for (const [fd, entry] of [...this.#watched]) {
      const sock = this.#sockets.get(fd);
      if (sock === undefined || this.#watched.get(fd) !== entry) continue;
      const failed = sock.error !== 0 || sock.complaints.length > 0;
      const now = (sock.readable ? READABLE : 0) | WRITABLE;
      const events = (now & entry.events) | (failed && (entry.events & READABLE) !== 0 ? ERROR : 0);
      if (events === 0) continue;
      this.calls++;
      this.wake();
      try {
        entry.ready(events);
      } catch (error) {
        setImmediate(() => {
          throw error;
        });
      }
    }
  };
}
