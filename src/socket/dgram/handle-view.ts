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

/** From the function that reads `handle` upwards. */
const FRAMES = 3;

/**
 * Is child.send() asking, for a socket that it is to hand over? It takes a handle of libuv, and what is none aborts the process.
 * Only the stack tells it from a program that wants to see the descriptor.
 */
export function isSentToChild(): boolean {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.prepareStackTrace = (_, sites) => sites.map((site) => site.getFileName());
    Error.stackTraceLimit = FRAMES;
    const files: unknown = new Error().stack;
    return Array.isArray(files) && files.includes('node:internal/child_process');
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
