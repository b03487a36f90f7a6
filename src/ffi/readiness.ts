/** Waiting for descriptors. (Interface; filled in by the ffi work.) */
export const READABLE = 1;
export const WRITABLE = 2;
/** The kernel reports a pending error on the descriptor; a receive will return it. */
export const ERROR = 4;

/** Waits for one descriptor. Close it before the descriptor. */
export interface Watcher {
  /** Waits for these events (a mask of READABLE and WRITABLE) from now on; 0 waits for nothing. Level-triggered. */
  start(events: number): void;
  ref(): void;
  unref(): void;
  /** Idempotent. Nothing is called after it, even from inside the callback. */
  close(): void;
}

export interface Readiness {
  /** @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM where this runtime cannot wait. Begins stopped and ref'd. */
  watch(fd: number, ready: (events: number) => void): Watcher;
}
