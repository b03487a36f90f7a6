/**
 * What waits for 'listening', by dgram's rules: done in order then, forgotten after an error. Whoever called back hears of
 * it in any case, once; dgram tells nobody.
 */
import { type EventEmitter, errorMonitor } from 'node:events';
import { nextTick } from '../../captured';
import type { Settle } from '../../datagram/send-ring';

export class Queue {
  readonly #socket: EventEmitter;
  #actions: (() => void)[] | undefined;
  /** Called, one for each action that asked for it, when nothing of this will be done. */
  #forgotten: (() => void)[] = [];
  /** Who hears of it when nothing of this will be done. */
  #told: Settle[] = [];

  constructor(socket: EventEmitter) {
    this.#socket = socket;
  }

  /** undefined while nothing waits. Programs see it as dgram's own. */
  get actions(): readonly (() => void)[] | undefined {
    return this.#actions;
  }

  push(action: () => void, forgotten?: () => void): void {
    if (this.#actions === undefined) {
      this.#actions = [];
      this.#socket.once(errorMonitor, this.#drop);
      this.#socket.once('listening', this.#run);
    }
    this.#actions.push(action);
    if (forgotten !== undefined) this.#forgotten.push(forgotten);
  }

  /** `settle` hears of the error should what waits be forgotten. */
  tell(settle: Settle): void {
    this.#told.push(settle);
  }

  /**
   * Emits 'listening', or the error that bind() failed with, upon which what waits now is done, or forgotten: also where the
   * program has taken our listeners away (removeAllListeners()), or one of its own throws. It could not be closed any more.
   * @throws what listeners throw
   */
  settle(error?: Error): void {
    const waiting = this.#actions;
    try {
      if (error === undefined) this.#socket.emit('listening');
      else this.#socket.emit('error', error);
    } finally {
      // Listeners may have bound it again, and something else waits.
      if (waiting !== undefined && this.#actions === waiting) {
        if (error === undefined) this.#run();
        else this.#drop(error);
      }
    }
  }

  readonly #run = (): void => {
    this.#socket.removeListener(errorMonitor, this.#drop);
    this.#socket.removeListener('listening', this.#run);
    const actions = this.#actions ?? [];
    this.#actions = undefined;
    this.#forgotten = [];
    this.#told = [];
    for (const action of actions) {
      try {
        action();
      } catch (error) {
        // Whatever waits behind it has nothing to do with it.
        nextTick(() => {
          throw error;
        });
      }
    }
  };

  readonly #drop = (error: Error): void => {
    this.#socket.removeListener('listening', this.#run);
    this.#socket.removeListener(errorMonitor, this.#drop);
    this.#actions = undefined;
    for (const forgotten of this.#forgotten.splice(0)) forgotten();
    for (const settle of this.#told.splice(0)) settle.settle(error, 0);
  };
}
