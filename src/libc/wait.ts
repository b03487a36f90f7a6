/**
 * Blocking without being deaf. No JavaScript runs while a C call blocks: a worker could not be terminated, and a signal
 * that the program listens to would end nothing. So we wait with poll(2), a moment at a time.
 */
import { constants as os } from 'node:os';
import { steadyClock } from '../captured';
import { failure } from '../datagram/failure';
import { ERROR, type Host } from '../ffi';

/** ms. Between two of these the engine can terminate, pause or profile this thread. */
export const SLICE = 100;
/** ms. How often to look where poll(2) returns at once and a receive finds nothing: an error queue waits to be read. */
const ERROR_PAUSE = 5;

/** Their default is not to end the process, so whoever listens to them does not want to be ended. <signal.h> */
const HARMLESS: readonly string[] = ['SIGCHLD', 'SIGCONT', 'SIGIO', 'SIGPOLL', 'SIGURG', 'SIGWINCH', 'SIGPIPE'];

export class Waiter {
  readonly #host: Host;
  readonly #sleeper = new Int32Array(new SharedArrayBuffer(4));

  constructor(host: Host) {
    this.#host = host;
  }

  /**
   * Repeats `attempt` until it is not -EAGAIN.
   * @param events READABLE or WRITABLE: what to wait for in between
   * @param timeout ms; 0 tries once, undefined waits for ever
   * @returns what `attempt` returned; -EAGAIN when the time is up
   * @throws EINTR after a signal that somebody in this process listens to; EBADF
   */
  until(fd: number, events: number, timeout: number | undefined, syscall: string, attempt: () => number): number {
    const { EAGAIN } = this.#host.platform.errno;
    const now = steadyClock();
    const end = timeout === undefined ? Number.POSITIVE_INFINITY : now() + timeout;
    for (let ready = 0; ; ) {
      const result = attempt();
      if (result !== -EAGAIN || timeout === 0) return result;
      const left = Math.ceil(end - now());
      if (left <= 0) return result;
      if ((ready & ERROR) !== 0) Atomics.wait(this.#sleeper, 0, 0, Math.min(left, ERROR_PAUSE));
      ready = this.#poll(fd, events, Math.min(left, SLICE), syscall);
    }
  }

  #poll(fd: number, events: number, timeout: number, syscall: string): number {
    const { platform, syscalls } = this.#host;
    const ready = syscalls.poll(fd, events, timeout);
    if (ready >= 0) return ready;
    if (ready !== -platform.errno.EINTR || somebodyListens()) throw failure(platform, ready, syscall);
    return 0;
  }
}

/** To a signal that would have ended the process. Its listeners run when the program returns to the event loop. */
export function somebodyListens(): boolean {
  return process
    .eventNames()
    .some((name) => typeof name === 'string' && name in os.signals && !HARMLESS.includes(name));
}
