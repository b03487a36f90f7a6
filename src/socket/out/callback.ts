/** Who is told what became of a datagram: a callback of the program, or one sendMany() for many of them. */
import { AsyncResource } from 'node:async_hooks';
import { nextTick } from '../../captured';
import type { Settle } from '../../datagram/send-ring';
import type { SendCallback } from '../../types';

/**
 * Those who hear of their datagrams while `now` is set are called back on one tick: one for each of them would cost more than
 * the rest of its callback. No code of a program may run meanwhile, whose own ticks come in between.
 */
export const gathering: { now: boolean; callbacks: Callback[] | undefined } = { now: false, callbacks: undefined };

/** Is a look-up calling back? What it settles is no more inside send(). */
export const answering = { now: false };

/**
 * Those who heard of theirs inside send(): dgram calls back a tick after the one on which it sends, behind the program's
 * own next tick, and behind callbacks of what was sent before.
 */
let early: Callback[] | undefined;
/** Callbacks made so far: their order. */
let made = 0;
const MOST = 0x3fffffff;

/** Calls back on a tick, in the async context of the call, as dgram's SendWrap does. */
export class Callback extends AsyncResource implements Settle {
  /** @internal */
  readonly order = made;
  readonly #callback: SendCallback;
  /** Of a connected socket, which sends, with dgram too, inside send(). */
  readonly #direct: boolean;
  #error: Error | null = null;
  #bytes = 0;
  /** Does an error come alone, as in dgram? Programs look at arguments.length. */
  #alone = true;

  constructor(callback: SendCallback, direct: boolean) {
    super('UDPSENDWRAP');
    this.#callback = callback;
    this.#direct = direct;
    made = (made + 1) & MOST;
  }

  settle(error: Error | null, bytes: number): void {
    this.#error = error;
    this.#bytes = bytes;
    if (gathering.callbacks !== undefined) gathering.callbacks.push(this);
    else if (gathering.now) {
      gathering.callbacks = early === undefined ? [this] : [...early, this];
      early = undefined;
      nextTick(callBack, gathering.callbacks);
    } else if (this.#direct || answering.now) nextTick(callBack, [this]);
    else if (early === undefined) {
      early = [this];
      nextTick(callBackEarly);
    } else early.push(this);
  }

  /** As {@link settle}, with both arguments in any case. */
  report(error: Error | null, sent: number): void {
    this.#alone = false;
    this.settle(error, sent);
  }

  call(): void {
    const error = this.#error;
    if (error === null || !this.#alone) this.runInAsyncScope(this.#callback, undefined, error, this.#bytes);
    else this.runInAsyncScope(this.#callback as (error: Error) => void, undefined, error);
  }
}

/** On the next tick, unless the tick on which the rest was sent has taken them along. */
export function callBackEarly(): void {
  if (early === undefined) return;
  nextTick(callBack, early);
  early = undefined;
}

/** One that throws must not cost the others their call: they have a tick of their own then, as all had. */
function callBack(all: Callback[]): void {
  let done = 0;
  if (all.some((one, i) => i > 0 && one.order < all[i - 1].order)) all.sort((a, b) => a.order - b.order);
  try {
    while (done < all.length) all[done++].call();
  } finally {
    if (done < all.length) nextTick(callBack, all.slice(done));
  }
}

/** Counts what becomes of the datagrams of one sendMany(), and says so when the last one is through. */
export class Tally implements Settle {
  #left: number;
  #sent = 0;
  #first: Error | null = null;
  readonly #done: Callback | undefined;

  constructor(datagrams: number, done: ((error: Error | null, sent: number) => void) | undefined) {
    this.#left = datagrams;
    this.#done = done === undefined ? undefined : new Callback(done, false);
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
