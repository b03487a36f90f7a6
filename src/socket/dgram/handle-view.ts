/** The little of dgram's UDP handle that programs use, by `socket[state symbol].handle` or `socket._handle`. */
import type { Core } from '../core';

export class HandleView {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  get fd(): number {
    return this.#core.closed ? -1 : this.#core.channel.fd;
  }

  getAsyncId(): number {
    return this.#core.resource.asyncId();
  }

  hasRef(): boolean {
    return this.#core.refed;
  }

  ref(): void {
    this.#core.setRef(true);
  }

  unref(): void {
    this.#core.setRef(false);
  }
}
