/** Who is told what became of a datagram: a callback of the program, or one sendMany() for many of them. */
import { AsyncResource } from 'node:async_hooks';
import { nextTick } from '../../captured';
import type { Settle } from '../../datagram/send-ring';
import type { SendCallback } from '../../types';

/** Calls back on a tick of its own, in the async context of the call, as dgram's SendWrap does. */
export class Callback extends AsyncResource implements Settle {
  readonly #callback: SendCallback;

  constructor(callback: SendCallback) {
    super('UDPSENDWRAP');
    this.#callback = callback;
  }

  settle(error: Error | null, bytes: number): void {
    nextTick(call, this, this.#callback, error, bytes);
  }

  /** As {@link settle}, with both arguments in any case. */
  report(error: Error | null, sent: number): void {
    nextTick(() =>
      this.runInAsyncScope(this.#callback as (error: Error | null, sent: number) => void, undefined, error, sent),
    );
  }
}

function call(resource: AsyncResource, callback: SendCallback, error: Error | null, bytes: number): void {
  // An error comes alone, as in dgram: programs look at arguments.length.
  if (error === null) resource.runInAsyncScope(callback, undefined, null, bytes);
  else resource.runInAsyncScope(callback as (error: Error) => void, undefined, error);
}

/** Counts what becomes of the datagrams of one sendMany(), and says so when the last one is through. */
export class Tally implements Settle {
  #left: number;
  #sent = 0;
  #first: Error | null = null;
  readonly #done: Callback | undefined;

  constructor(datagrams: number, done: ((error: Error | null, sent: number) => void) | undefined) {
    this.#left = datagrams;
    this.#done = done === undefined ? undefined : new Callback(done);
  }

  settle(error: Error | null): void {
    if (error === null) this.#sent++;
    else this.#first ??= error;
    if (--this.#left === 0) this.#finish();
  }

  /** For all of them together, when none has been tried. */
  settleAll(error: Error | null): void {
    this.#left = 0;
    this.#first = error;
    this.#finish();
  }

  #finish(): void {
    this.#done?.report(this.#first, this.#sent);
  }
}

/** One message that is cut into several datagrams: its callback is called once, with the first error or all bytes. */
export class Parts implements Settle {
  #left: number;
  #bytes = 0;
  #first: Error | null = null;
  readonly #whole: Settle;

  constructor(datagrams: number, whole: Settle) {
    this.#left = datagrams;
    this.#whole = whole;
  }

  settle(error: Error | null, bytes: number, datagrams = 1): void {
    this.#first ??= error;
    this.#bytes += bytes;
    this.#left -= datagrams;
    if (this.#left === 0) this.#whole.settle(this.#first, this.#bytes);
  }
}
