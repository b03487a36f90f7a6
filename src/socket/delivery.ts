/**
 * Hands over what one socket has received: a datagram at a time, with what Node runs between two events in between, or
 * a batch at a time. Listeners run in the async context in which the socket was made, and never on the stack of whoever
 * received.
 */
import type { AsyncResource } from 'node:async_hooks';
import { setImmediate } from 'node:timers';
import type { ReceivedMessage, RemoteInfo, SocketStats } from '../types';
import { Backlog } from './backlog';
import { Linger } from './linger';
import type { Sticky } from './sticky';
import { runTicks } from './ticks';
import type { Turn } from './turn';

/** The socket, as its deliveries see it. */
export interface Audience {
  message(msg: Buffer, rinfo: RemoteInfo): void;
  /** undefined while nobody listens for whole batches. */
  readonly batches: ((batch: ReceivedMessage[]) => void) | undefined;
  error(error: Error): void;
}

/** Batches in a row before others get their turn (P25). Where each datagram has a turn of its own, they do anyway. */
const ROUNDS = 4;

export class Delivery {
  /** Has what was received not been handed over to its end? More of it has to wait. */
  busy = false;
  readonly #audience: Audience;
  readonly #stats: SocketStats;
  readonly #turn: Turn;
  readonly #resource: AsyncResource;
  readonly #sticky: Sticky | undefined;
  readonly #refill: () => boolean;
  readonly #backlog = new Backlog();
  readonly #linger = new Linger();
  /** stats.datagramsOut when the first batch came. */
  #sentBefore = 0;
  #open = true;

  /** @param refill pushes one more batch, if there is likely to be one; → whether it did */
  constructor(
    audience: Audience,
    stats: SocketStats,
    turn: Turn,
    resource: AsyncResource,
    sticky: Sticky | undefined,
    refill: () => boolean,
  ) {
    this.#audience = audience;
    this.#stats = stats;
    this.#turn = turn;
    this.#resource = resource;
    this.#sticky = sticky;
    this.#refill = refill;
  }

  /** Datagrams that wait. */
  get size(): number {
    return this.#backlog.size;
  }

  push(msg: Buffer, rinfo: RemoteInfo): void {
    this.#backlog.push(msg, rinfo);
  }

  /** Hands over, in the turn that comes, what was pushed. Not while {@link busy}: then it happens anyway. */
  begin(): void {
    this.busy = true;
    this.#sentBefore = this.#stats.datagramsOut;
    this.#linger.came();
    this.#resource.runInAsyncScope(this.#schedule);
  }

  /** Tells of an error, after what came before it. */
  fail(error: Error): void {
    this.#resource.runInAsyncScope(setImmediate, undefined, () => {
      if (this.#open) this.#audience.error(error);
    });
  }

  /** Hands over nothing more. What has not been handed over is counted as discarded. */
  close(): void {
    this.#open = false;
    this.#linger.stop();
  }

  readonly #run = (betweenTwo: () => void): void => {
    let rounds = ROUNDS;
    try {
      do this.#handOver(betweenTwo);
      while (--rounds > 0 && this.#refill());
    } finally {
      // A listener has thrown, and the program goes on: so do the others.
      if (this.#backlog.size > 0) this.#resource.runInAsyncScope(this.#schedule);
      else this.#end();
    }
  };

  /** What was sent meanwhile leaves at the end of it. */
  #handOver(betweenTwo: () => void): void {
    this.#turn.enter(this.#backlog.size);
    try {
      const hand = this.#audience.batches === undefined ? this.#next : this.#all;
      while (this.#backlog.size > 0) {
        hand(); // in a context of its own: promises leave another one behind
        betweenTwo();
      }
    } finally {
      this.#turn.leave();
    }
  }

  /** In the socket's context, which an exception of a listener is told of in. */
  readonly #schedule = (): void => {
    if (runTicks !== undefined) setImmediate(this.#run, runTicks);
    else this.#scheduleEach();
  };

  /** Without {@link runTicks}: a turn for each. */
  #scheduleEach(): void {
    const { size } = this.#backlog;
    this.#turn.enter(size);
    if (this.#audience.batches !== undefined) setImmediate(this.#all);
    else for (let i = size; i > 0; i--) setImmediate(this.#next);
    setImmediate(this.#scheduled);
  }

  readonly #scheduled = (): void => {
    this.#turn.leave();
    if (this.#backlog.size > 0 || this.#refill()) this.#scheduleEach();
    else this.#end();
  };

  #end(): void {
    this.busy = false;
    if (this.#open) this.#linger.ended(this.#stats.datagramsOut > this.#sentBefore);
  }

  readonly #next = (): void => {
    if (this.#backlog.size > 0) this.#resource.runInAsyncScope(this.#oldest);
  };

  readonly #oldest = (): void => this.#backlog.shift(this.#deliver);

  readonly #deliver = (msg: Buffer, rinfo: RemoteInfo): void => {
    if (!this.#open) this.#stats.discarded++;
    else if (this.#sticky === undefined) this.#audience.message(msg, rinfo);
    else this.#sticky.deliver(msg, rinfo, this.#audience.message);
  };

  readonly #all = (): void => {
    const listener = this.#audience.batches;
    if (listener === undefined && this.#open) {
      this.#next(); // nobody listens for batches any more
      return;
    }
    const batch = this.#backlog.drain();
    if (batch.length === 0) return;
    if (listener === undefined || !this.#open) {
      this.#stats.discarded += batch.length;
      return;
    }
    if (this.#sticky !== undefined) for (const { rinfo } of batch) this.#sticky.hear(rinfo);
    this.#resource.runInAsyncScope(listener, undefined, batch);
  };
}
