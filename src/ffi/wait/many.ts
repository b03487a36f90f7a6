/**
 * Readiness in Node's main thread on Linux. The first sockets have a handle of libuv's each: the shortest way to one of them.
 * Those beyond share a set (nested.ts): where many have something to say at once, one callback through koffi serves them all. Of
 * 1,000 sockets that are heard in turn, 64 requests in flight, each request costs 0.7 µs less (of 9.7); with one in flight
 * 0.9 more (of 38).
 */
import { own } from '../own';
import type { Readiness, Ready, Watcher } from '../readiness';
import { uvErrno } from '../uv-errno';
import type { NestedWaiting } from './nested';
import { type UvWaiting, uvError } from './uv';

/** Sockets with a handle of their own. */
const FEW = 32;

/** @param openSet is called when there are more than a few */
export function manyReadiness(uv: UvWaiting, openSet: () => NestedWaiting): Readiness {
  return new ManyReadiness(uv, openSet);
}

class ManyReadiness implements Readiness {
  readonly #uv: UvWaiting;
  readonly #openSet: () => NestedWaiting;
  #set: NestedWaiting | undefined;

  constructor(uv: UvWaiting, openSet: () => NestedWaiting) {
    this.#uv = uv;
    this.#openSet = openSet;
  }

  watch(fd: number, ready: Ready, events = 0): Watcher {
    if (this.#set?.has(fd) === true) throw uvError(uvErrno('EEXIST', -1), 'uv_poll_init');
    // A descriptor that is not our own somebody else may wait for, which libuv finds out.
    if (this.#uv.count < FEW || !own.has(fd) || this.#uv.has(fd)) return this.#uv.watch(fd, ready, events);
    this.#set ??= this.#openSet();
    return this.#set.watch(fd, ready, events);
  }

  isWatched(fd: number): boolean {
    return this.#set?.has(fd) === true || this.#uv.isWatched(fd);
  }
}
