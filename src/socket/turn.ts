/**
 * When senders flush: once per turn of the event loop, whichever sockets were sent on. While datagrams are being
 * delivered (by any socket: a proxy receives on one and sends on another) that is after the last of them, else by
 * nextTick. One per engine.
 */
import type { Engine } from '../datagram/engine';

export interface Flushable {
  flush(): void;
}

export class Turn {
  #dirty: Flushable[] = [];
  #delivering = 0;
  #scheduled = false;
  readonly #tick = () => {
    this.#scheduled = false;
    this.#flush();
  };

  /** `sender` has something to send. Ask only when it had nothing before. */
  add(sender: Flushable): void {
    this.#dirty.push(sender);
    if (this.#delivering > 0 || this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(this.#tick);
  }

  /** A batch begins to be delivered; {@link leave} follows without fail. */
  enter(): void {
    this.#delivering++;
  }

  leave(): void {
    this.#delivering--;
    this.#flush();
  }

  #flush(): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    this.#dirty = [];
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
