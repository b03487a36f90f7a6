/**
 * When senders flush: once per turn of the event loop, whichever sockets were sent on. While datagrams are being
 * delivered (by any socket: a proxy receives on one and sends on another) that is after the last of them, else by
 * nextTick. One per engine.
 *
 * What a large batch is answered with leaves once before its end, as soon as it is half as much as the batch: the peer
 * works on that while we work on the rest. With all answers at the end, whoever keeps a number of requests on the way and
 * we would take turns at doing nothing.
 */
import type { Engine } from '../datagram/engine';

/** Datagrams of a batch from which on half a batch is worth a system call. */
const LARGE = 8;

export interface Flushable {
  /** Is it on the list? */
  due: boolean;
  /** Datagrams that wait. */
  readonly waiting: number;
  flush(): void;
}

export class Turn {
  #dirty: Flushable[] = [];
  #delivering = 0;
  /** So many answers are not kept waiting for the rest of the batch; 0: all are, from now on. */
  #half = 0;
  #scheduled = false;
  readonly #tick = () => {
    this.#scheduled = false;
    this.#flush();
  };

  /** `sender` has one more to send. */
  added(sender: Flushable): void {
    if (!sender.due) this.#add(sender);
    else if (sender.waiting === this.#half) {
      this.#half = 0;
      sender.flush();
    }
  }

  /** A batch begins to be delivered; {@link leave} follows without fail. */
  enter(datagrams: number): void {
    this.#delivering++;
    if (datagrams >= LARGE) this.#half = (datagrams + 1) >>> 1;
  }

  leave(): void {
    this.#delivering--;
    this.#half = 0;
    this.#flush();
  }

  #add(sender: Flushable): void {
    sender.due = true;
    this.#dirty.push(sender);
    if (this.#delivering > 0 || this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#tick);
  }

  #flush(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    this.#dirty = [];
    for (const sender of dirty) sender.due = false;
    for (const sender of dirty) sender.flush();
  }
}

const turns = new WeakMap<Engine, Turn>();

export function turnFor(engine: Engine): Turn {
  let turn = turns.get(engine);
  if (turn === undefined) {
    turn = new Turn();
    turns.set(engine, turn);
  }
  return turn;
}
