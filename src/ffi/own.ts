/**
 * Descriptors, by number. A Set grows slow where the same number comes and goes beside many that stay, which is what the
 * kernel does with them: V8 leaves what was deleted in the number's chain until the table is full (100 sockets open: 1.7 µs for
 * an add() and a delete(), 3,000: 5.8).
 */
export class Descriptors {
  readonly #open: boolean[] = [];

  add(fd: number): void {
    this.#open[fd] = true;
  }

  has(fd: number): boolean {
    return this.#open[fd] === true;
  }

  /** → was it one of them? */
  delete(fd: number): boolean {
    const was = this.#open[fd] === true;
    if (was) this.#open[fd] = false;
    return was;
  }

  /** Takes all out. */
  clear(): number[] {
    const all: number[] = [];
    for (const [fd, open] of this.#open.entries()) if (open) all.push(fd);
    this.#open.length = 0;
    return all;
  }
}

/**
 * Descriptors that `Syscalls.socket` has made in this environment, and `Syscalls.close` has not closed: they are open UDP
 * sockets, so whoever waits for them need not ask, and a worker's end closes them (env-cleanup.ts).
 */
export const own = new Descriptors();
