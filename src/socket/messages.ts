/**
 * Messages to be read one after the other, by `for await`. They are heard from the moment it is made, not of its first next():
 * an answer may come before the loop that waits for it has begun. What waits unread is bounded by whoever made it.
 */
import type { MessageBuffer, RemoteInfo } from '../types';
import type { Core } from './core';
import { publishDropped } from './diagnostics';

/** Messages that a loop may leave unread, unless it says so itself. */
export const HIGH_WATER_MARK = 1024;

export type Received = [msg: MessageBuffer, rinfo: RemoteInfo];
type Result = IteratorResult<Received, undefined>;

export interface Reader {
  /** Messages that wait unread at most; what comes then is dropped, and counted. */
  readonly highWaterMark: number;
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Nobody reads any more: whoever read was told of the end, or has left. */
  left?(): void;
}

export class Messages implements AsyncGenerator<Received, undefined, undefined> {
  readonly #core: Core;
  readonly #reader: Reader;
  readonly #waiting: Received[] = [];
  /** Those who wait for a message. */
  readonly #asked: { resolve(result: Result): void; reject(reason: unknown): void }[] = [];
  #ended = false;
  /** What it ended with, until somebody has been told. */
  #failure: { readonly reason: unknown } | undefined;
  #left = false;

  /** @throws the reason of a signal that has been aborted */
  constructor(core: Core, reader: Reader) {
    this.#core = core;
    this.#reader = reader;
    reader.signal?.throwIfAborted();
    this.#ended = core.closed; // no 'close' would come any more
    if (this.#ended) return;
    core.socket.on('message', this.#message).on('close', this.#closed).on('error', this.#failed);
    reader.signal?.addEventListener('abort', this.#aborted, { once: true });
  }

  next(): Promise<Result> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    const failure = this.#failure;
    this.#failure = undefined;
    if (this.#ended) {
      this.#leave();
      return failure === undefined ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(failure.reason);
    }
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve, reject });
    });
  }

  return(): Promise<Result> {
    this.#waiting.length = 0;
    this.#failure = undefined;
    this.#end();
    this.#leave();
    return Promise.resolve({ value: undefined, done: true });
  }

  async throw(error: unknown): Promise<Result> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  readonly #message = (...received: Received): void => {
    const asked = this.#asked.shift();
    if (asked !== undefined) asked.resolve({ value: received, done: false });
    else if (this.#waiting.length < this.#reader.highWaterMark) this.#waiting.push(received);
    else {
      this.#core.stats.unread++;
      publishDropped(this.#core.socket, 'unread', received[1]);
    }
  };

  readonly #closed = (): void => this.#end();

  readonly #failed = (error: unknown): void => this.#end({ reason: error });

  readonly #aborted = (): void => this.#end({ reason: this.#reader.signal?.reason });

  #end(failure?: { readonly reason: unknown }): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#core.socket.off('message', this.#message).off('close', this.#closed).off('error', this.#failed);
    this.#reader.signal?.removeEventListener('abort', this.#aborted);
    this.#failure = failure;
    // Who waits has read all there was; the first one is told why it ends, as in a generator.
    for (const { resolve, reject } of this.#asked.splice(0)) {
      this.#leave();
      const told = this.#failure;
      this.#failure = undefined;
      if (told === undefined) resolve({ value: undefined, done: true });
      else reject(told.reason);
    }
  }

  #leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#reader.left?.();
  }
}
