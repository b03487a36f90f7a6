/** The watchers of uv.ts, by whose handle and whose callback serves them: libuv says that a descriptor is ready → its owner. */
import { setImmediate } from '../../captured';
import type { Pointer, PollCallback, PollEvents, PollHandle } from '../koffi';
import { ERROR, READABLE, type Ready, WRITABLE } from '../readiness';
import { BaseWatcher, rethrow } from './watcher';

/** What a watcher does with libuv's handles. */
export interface UvHandles {
  /** Waits for `events` from now on. @throws libuv's errors */
  arm(handle: Pointer, events: number): void;
  /** Does it keep the loop alive while it waits? */
  keep(handle: Pointer, refed: boolean): void;
  /** Ends the waiting of a handle of ours. @param active does it wait? */
  giveBack(fd: number, handle: Pointer, active: boolean): void;
  /** The descriptor is its owner's again. */
  forget(watcher: UvWatcher): void;
}

/** A handle that calls us, and who waits by it: one of ours serves several sockets, one after the other. */
export interface Slot {
  readonly handle: Pointer;
  watcher: UvWatcher | undefined;
}

/** The handles that our callback serves, by their address; one that is spare has nobody who waits. */
export class Slots {
  readonly #slots = new Map<Pointer, Slot>();

  /** The uv_poll_cb. */
  readonly fired = (handle: Pointer, status: number, events: number): void => {
    this.#slots.get(handle)?.watcher?.fired(status, events);
  };

  of(handle: Pointer): Slot {
    let slot = this.#slots.get(handle);
    if (slot === undefined) {
      slot = { handle, watcher: undefined };
      this.#slots.set(handle, slot);
    }
    return slot;
  }

  delete(handle: Pointer): void {
    this.#slots.delete(handle);
  }

  clear(): void {
    this.#slots.clear();
  }
}

export abstract class UvWatcher extends BaseWatcher {
  protected readonly handles: UvHandles;
  /** undefined where koffi's own callback serves it. */
  readonly slot: Slot | undefined;

  constructor(fd: number, ready: Ready, handles: UvHandles, slot: Slot | undefined) {
    super(fd, ready);
    this.handles = handles;
    this.slot = slot;
  }

  /** C has called: what is thrown here would be thrown again by whoever calls C next (docs/koffi.md §2.9). */
  fired(status: number, events: number): void {
    if (!this.live) return;
    try {
      this.owner.ready(status < 0 ? ERROR | READABLE : events & (READABLE | WRITABLE));
    } catch (error) {
      setImmediate(rethrow, error);
    }
    // libuv stops a handle on EPOLLERR and calls it UV_EBADF (uv__poll_io); the receive has consumed the error (§8)
    if (status < 0 && this.live) this.armAgain();
  }

  protected forget(): void {
    this.handles.forget(this);
  }
}

/** By a handle that is ours, with our callback. */
export class OwnWatcher extends UvWatcher {
  #kept = true;

  protected arm(events: number): void {
    this.handles.arm(this.slot!.handle, events);
  }

  protected changed(): void {
    if (this.live && this.refed !== this.#kept) this.#keep(this.refed);
  }

  protected end(): void {
    if (!this.#kept) this.#keep(true); // as whoever has it next expects it
    this.handles.giveBack(this.fd, this.slot!.handle, this.events !== 0);
  }

  #keep(refed: boolean): void {
    this.#kept = refed;
    this.handles.keep(this.slot!.handle, refed);
  }
}

/** The same by a handle that koffi closes when the environment is torn down. */
export class KeptWatcher extends OwnWatcher {
  readonly #poll: PollHandle;

  constructor(fd: number, ready: Ready, handles: UvHandles, slot: Slot, poll: PollHandle) {
    super(fd, ready, handles, slot);
    this.#poll = poll;
  }

  protected override end(): void {
    this.#poll.close();
  }
}

/** By koffi's handle and koffi's callback. Its methods are a SIGSEGV after close() (§6). */
export class PlainWatcher extends UvWatcher {
  readonly #poll: PollHandle;

  constructor(fd: number, ready: Ready, handles: UvHandles, poll: PollHandle) {
    super(fd, ready, handles, undefined);
    this.#poll = poll;
  }

  readonly #fired: PollCallback = (status: number, { readable, writable }: PollEvents) => {
    this.fired(status, (readable ? READABLE : 0) | (writable ? WRITABLE : 0));
  };

  protected arm(events: number): void {
    if (events === 0) this.#poll.stop();
    else {
      const [readable, writable] = [(events & READABLE) !== 0, (events & WRITABLE) !== 0];
      this.#poll.start({ readable, writable }, this.#fired);
    }
  }

  protected changed(): void {
    if (!this.live) return;
    if (this.refed) this.#poll.ref();
    else this.#poll.unref();
  }

  protected end(): void {
    this.#poll.close();
  }
}
