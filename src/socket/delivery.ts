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

export class Delivery {
  /** Has a batch not been handed over to its end? The next one has to wait. */
  busy = false;
  readonly #audience: Audience;
  readonly #stats: SocketStats;
  readonly #turn: Turn;
  readonly #resource: AsyncResource;
  readonly #sticky: Sticky | undefined;
  readonly #backlog = new Backlog();
  readonly #linger = new Linger();
  /** stats.datagramsOut when the batch came. */
  #sentBefore = 0;
  #open = true;

  constructor(audience: Audience, stats: SocketStats, turn: Turn, resource: AsyncResource, sticky: Sticky | undefined) {
    this.#audience = audience;
    this.#stats = stats;
    this.#turn = turn;
    this.#resource = resource;
    this.#sticky = sticky;
  }

  /** Datagrams that wait. */
  get size(): number {
    return this.#backlog.size;
  }

  push(msg: Buffer, rinfo: RemoteInfo): void {
    this.#backlog.push(msg, rinfo);
  }

  /** Hands over, from the next turn on, what was pushed. @param count datagrams since the last call */
  begin(count: number): void {
    this.busy = true;
    this.#sentBefore = this.#stats.datagramsOut;
    this.#linger.came();
    this.#turn.enter(count);
    const inBatches = this.#audience.batches !== undefined;
    if (runTicks !== undefined && !inBatches) {
      setImmediate(this.#each, runTicks);
      return;
    }
    if (inBatches) setImmediate(this.#all);
    else for (let i = count; i > 0; i--) setImmediate(this.#next);
    setImmediate(this.#end);
  }

  /** Tells of an error, after what came before it. */
  fail(error: Error): void {
    setImmediate(() => {
      if (this.#open) this.#resource.runInAsyncScope(this.#audience.error, undefined, error);
    });
  }

  /** Hands over nothing more. What has not been handed over is counted as discarded. */
  close(): void {
    this.#open = false;
    this.#linger.stop();
  }

  readonly #each = (betweenTwo: () => void): void => {
    try {
      while (this.#backlog.size > 0) {
        this.#next(); // in a context of its own: promises leave another one behind
        betweenTwo();
      }
    } finally {
      // A listener has thrown, and the program goes on: so do the others.
      if (this.#backlog.size > 0) setImmediate(this.#each, betweenTwo);
      else this.#end();
    }
  };

  readonly #next = (): void => {
    if (this.#backlog.size > 0) this.#resource.runInAsyncScope(this.#oldest); // else a batch has taken it along
  };

  readonly #oldest = (): void => this.#backlog.shift(this.#deliver);

  readonly #deliver = (msg: Buffer, rinfo: RemoteInfo): void => {
    if (!this.#open) this.#stats.discarded++;
    else if (this.#sticky === undefined) this.#audience.message(msg, rinfo);
    else this.#sticky.deliver(msg, rinfo, this.#audience.message);
  };

  readonly #all = (): void => {
    const listener = this.#audience.batches;
    const { size } = this.#backlog;
    if (size === 0) return;
    if (this.#open && listener === undefined) {
      this.begin(size); // nobody listens for batches any more
      return;
    }
    const batch = this.#backlog.drain();
    if (!this.#open || listener === undefined) {
      this.#stats.discarded += size;
      return;
    }
    if (this.#sticky !== undefined) for (const { rinfo } of batch) this.#sticky.hear(rinfo);
    this.#resource.runInAsyncScope(listener, undefined, batch);
  };

  readonly #end = (): void => {
    this.#turn.leave();
    if (this.#backlog.size > 0) return; // pause() took more meanwhile, and has its own turns for it
    this.busy = false;
    if (this.#open) this.#linger.ended(this.#stats.datagramsOut > this.#sentBefore);
  };
}
