/** Errors that ended a batch, which nobody but us knows any more: the next call returns them (recvmmsg(2), BUGS). */
export class LateErrors {
  readonly #errors = new Map<number, number>();

  has(fd: number): boolean {
    return this.#errors.size > 0 && this.#errors.has(fd);
  }

  /** → -errno, once */
  take(fd: number): number | undefined {
    if (this.#errors.size === 0) return undefined;
    const error = this.#errors.get(fd);
    this.#errors.delete(fd);
    return error;
  }

  keep(fd: number, error: number): void {
    this.#errors.set(fd, error);
  }

  forget(fd: number): void {
    if (this.#errors.size > 0) this.#errors.delete(fd);
  }
}
