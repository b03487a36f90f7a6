/**
 * Waiting for descriptors, as the layers above see it. How a runtime waits is decided in index.ts, before anything is
 * tried, because the wrong way ends the process (koffi's poll panics Bun, uncatchably). Tests hand in their own.
 */
export const READABLE = 1;
export const WRITABLE = 2;
/** The kernel reports a pending error on the descriptor; a receive will return it. */
export const ERROR = 4;

/** Gets a mask of what may be done now. Now and then it is called in vain: the receive then says EAGAIN. */
export type Ready = ((events: number) => void) | Waiter;

/** The same as a method, for those who are many: a closure for each would be an object more. */
export interface Waiter {
  ready(events: number): void;
}

/** Waits for one descriptor. Close it before the descriptor. */
export interface Watcher {
  /** Waits for these events (a mask of READABLE and WRITABLE) from now on; 0 waits for nothing. Level-triggered. */
  start(events: number): void;
  ref(): void;
  unref(): void;
  /** Idempotent. Nothing is called after it, even from inside the callback. Every other method is harmless after it. */
  close(): void;
}

export interface Readiness {
  /**
   * Begins ref'd, and waits for `events` (default 0: stopped; named here they cost no call of their own). `ready` gets a
   * mask of what may be done now; an error comes as ERROR | READABLE, and again until a receive has consumed it. It runs
   * outside of any async context, where ticks may not drain (docs/koffi.md §2.10), so it must call no listener. What it
   * throws is rethrown from a setImmediate, and readiness goes on.
   *
   * In a worker the descriptor is closed for its owner should the worker be terminated: watch it early.
   * @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM where this runtime cannot wait; the kernel's errors (EBADF, EPERM;
   * EEXIST: somebody waits for this descriptor already)
   */
  watch(fd: number, ready: Ready, events?: number): Watcher;
  /**
   * Does something of this environment (thread) wait for the descriptor: a watcher of ours, or a handle of libuv's that
   * is active, such as that of a node:dgram socket which listens? It takes as long as there are handles, and touches
   * nothing. `Syscalls.adopt` asks it first, and returns -EEXIST. Always false for others' handles where libuv's
   * symbols cannot be had (Bun, Deno).
   */
  isWatched(fd: number): boolean;
}
