/**
 * Readiness in Node.js: a uv_poll_t for each descriptor, started by us with one registered callback for all handles of
 * the environment, which koffi enters softly: it does nothing where JavaScript may not run any more (koffi's own
 * callback aborts the process then, as napi_throw is fatal while stopping).
 *
 * In the main thread the handles are ours. In a worker koffi's PollHandle owns each, because it closes it when the
 * environment is torn down without running JavaScript. koffi's own callback has to do where libuv's symbols are hidden,
 * and where all callbacks of the process are taken.
 *
 * docs/koffi.md §2 is the specification; "§" below refers to its items.
 */

import { getSystemErrorName } from 'node:util';
import { systemError, unsupportedPlatform } from '../../errors';
import type { Platform } from '../../platform/platform';
import { checkDescriptor, checkReady } from '../check';
import type { Koffi, Pointer } from '../koffi';
import { own } from '../own';
import type { Readiness, Ready, Watcher } from '../readiness';
import { isMainThread } from '../thread';
import { uvErrno } from '../uv-errno';
import { type Ending, onExit } from './at-exit';
import { Idle } from './idle';
import { nobodys } from './nobodys';
import { pin } from './pin';
import { SpareHandles } from './spare';
import { openUv, type Uv } from './uv-calls';
import { KeptWatcher, OwnWatcher, PlainWatcher, Slots, type UvHandles, type UvWatcher } from './uv-watchers';
import { tooLate } from './watcher';

const noop = (): void => {};

export interface UvWaiting extends Readiness {
  /** As watch(), for a descriptor that was made a moment ago and can be waited for: nobody need be asked. */
  watchNew(fd: number, ready: Ready, events: number): Watcher;
  /** Watchers that are open. */
  readonly count: number;
  /** Is one of them for this descriptor? */
  has(fd: number): boolean;
}

type Refusal = (fd: number) => 'EBADF' | 'ENOTSOCK' | undefined;

/** @param refusal errno's name for what is no socket; asked only where libuv cannot be */
export function uvReadiness(koffi: Koffi, platform: Platform, refusal: Refusal, ending: Ending): UvWaiting {
  return new UvReadiness(koffi, platform, refusal, ending);
}

class UvReadiness implements UvWaiting, UvHandles {
  readonly #koffi: Koffi;
  readonly #platform: Platform;
  readonly #refusal: Refusal;
  /** undefined: this executable hides libuv's symbols. */
  readonly #uv: Uv | undefined;
  /** All open watchers, by descriptor. Reached from `process`, so it keeps the PollHandles from the GC (§7). */
  readonly #watchers: (UvWatcher | undefined)[] = [];
  count = 0;
  readonly #slots = new Slots();
  /** Not on Windows, where a handle is for one SOCKET whatever its number; nobody has measured kqueue. */
  readonly #spare: SpareHandles | undefined;
  /** Slots.fired as C sees it; undefined before the first watcher, and where koffi has no callback left. */
  #callback: Pointer | undefined;
  #leaveExit: (() => void) | undefined;
  /**
   * The callback is not given back at once: registering is one of the koffi calls that abort if their worker is terminated
   * meanwhile (as are func() and poll(); calls of C functions do not).
   */
  readonly #idle = new Idle(
    () => this.count > 0,
    () => this.#release(),
  );
  readonly #ending: Ending;
  readonly #main = isMainThread();
  /** Are the handles ours, or koffi's? */
  #opensHandles = false;
  #pinned = this.#main; // the main thread never unmaps an addon (§2)
  #exited = false;

  constructor(koffi: Koffi, platform: Platform, refusal: Refusal, ending: Ending) {
    this.#koffi = koffi;
    this.#platform = platform;
    this.#refusal = refusal;
    this.#ending = ending;
    this.#uv = openUv(koffi, platform);
    if (platform.epoll !== undefined) this.#spare = new SpareHandles();
  }

  watch(fd: number, ready: Ready, events = 0): Watcher {
    checkDescriptor(fd);
    checkReady(ready);
    // Too late for callbacks, but a program may still open a socket in its 'exit' listener, to send.
    if (this.#exited) return tooLate;
    if (this.has(fd)) throw uvError(uvErrno('EEXIST', -1), 'uv_poll_init');
    if (this.#leaveExit === undefined) this.#begin();
    if (!this.#opensHandles) this.#checkPollable(fd);
    return this.#add(fd, ready, events);
  }

  watchNew(fd: number, ready: Ready, events: number): Watcher {
    if (this.#exited) return tooLate;
    if (this.#leaveExit === undefined) this.#begin();
    return this.#add(fd, ready, events);
  }

  #add(fd: number, ready: Ready, events: number): Watcher {
    this.#idle.use();
    const watcher = this.#opensHandles ? this.#ownWatcher(fd, ready) : this.#koffisWatcher(fd, ready);
    this.#watchers[fd] = watcher;
    this.count++;
    if (!this.#main) this.#uv?.cleanup.closeAtEnd(fd);
    try {
      if (events !== 0) watcher.start(events);
    } catch (error) {
      watcher.close();
      throw error;
    }
    return watcher;
  }

  isWatched(fd: number): boolean {
    return this.has(fd) || this.#uv?.isWatched(fd) === true;
  }

  has(fd: number): boolean {
    return this.#watchers[fd] !== undefined;
  }

  forget({ fd, slot }: UvWatcher): void {
    if (!this.#main) this.#uv?.cleanup.keepAtEnd(fd); // before its owner closes it, or another's would be closed
    if (slot !== undefined) slot.watcher = undefined;
    if (slot !== undefined && !this.#opensHandles) this.#slots.delete(slot.handle); // koffi has closed it
    this.#watchers[fd] = undefined;
    this.count--;
    if (this.count === 0 && !this.#exited) this.#idle.begin();
  }

  arm(handle: Pointer, events: number): void {
    const failed = this.#uv!.start(handle, events, this.#callback!);
    if (failed < 0) throw uvError(failed, 'uv_poll_start');
  }

  keep(handle: Pointer, refed: boolean): void {
    if (refed) this.#uv!.ref(handle);
    else this.#uv!.unref(handle);
  }

  giveBack(fd: number, handle: Pointer, active: boolean): void {
    const keeps = !this.#exited && own.has(fd) && this.#spare?.put(fd, handle) === true;
    // While the descriptor is open: both take its number out of the loop's set (§18).
    if (keeps) {
      if (active) this.#uv!.start(handle, 0, this.#callback!);
      return;
    }
    this.#slots.delete(handle);
    this.#uv!.close(handle);
  }

  #ownWatcher(fd: number, ready: Ready): UvWatcher {
    const slot = this.#slots.of(this.#handleFor(fd));
    const watcher = new OwnWatcher(fd, ready, this, slot);
    slot.watcher = watcher;
    return watcher;
  }

  #koffisWatcher(fd: number, ready: Ready): UvWatcher {
    if (this.#koffi.node.poll === undefined)
      throw unsupportedPlatform('recvfromto cannot wait for datagrams: no callback');
    const poll = this.#koffi.node.poll(fd, {}, noop);
    const handle = this.#callback === undefined ? undefined : this.#uv?.find(fd);
    if (handle === undefined) return new PlainWatcher(fd, ready, this, poll);
    const slot = this.#slots.of(handle);
    const watcher = new KeptWatcher(fd, ready, this, slot, poll);
    slot.watcher = watcher;
    return watcher;
  }

  /** One that is spare only for a descriptor of our own: nobody asks whether it is open, and libuv aborts if it is not. */
  #handleFor(fd: number): Pointer {
    const spare = own.has(fd) ? this.#spare?.take(fd) : undefined;
    if (spare !== undefined) return spare;
    const opened = this.#uv!.open(fd);
    if (typeof opened === 'number') throw uvError(opened, 'uv_poll_init');
    return opened.handle;
  }

  /** koffi aborts the process for a descriptor that libuv refuses (§4), so libuv is asked before koffi is. */
  #checkPollable(fd: number): void {
    if (this.#uv === undefined) {
      const refused = this.#refusal(fd);
      if (refused !== undefined) throw uvError(uvErrno(refused, -1), 'uv_poll_init');
      return;
    }
    const opened = this.#uv.open(fd);
    if (typeof opened === 'number') throw uvError(opened, 'uv_poll_init');
    this.#uv.close(opened.handle);
  }

  /** Before the first watcher, and the first after a long time without. */
  #begin(): void {
    this.#leaveExit = onExit(() => this.#exit());
    if (this.#uv === undefined) return;
    try {
      const { uv_poll_cb } = this.#uv;
      this.#callback = nobodys(() => this.#koffi.register(this.#slots.fired, uv_poll_cb));
    } catch {
      return; // all 8192 callbacks of the process are taken: each terminated worker leaks one (§1)
    }
    if (!this.#pinned) pin(this.#koffi, this.#uv.library, this.#platform, this.#callback);
    this.#pinned = true;
    this.#opensHandles = this.#main;
  }

  /** Leaves nothing behind, in case this copy of the module has been discarded (jest.resetModules). */
  #release(): void {
    this.#leaveExit?.();
    this.#leaveExit = undefined;
    if (this.#callback !== undefined) this.#koffi.unregister(this.#callback);
    this.#callback = undefined;
    this.#opensHandles = false;
  }

  /** Callbacks end here. The descriptors stay: other 'exit' listeners may send, and closeAtEnd holds. */
  #exit(): void {
    this.#ending.task?.();
    this.#exited = true;
    this.#idle.cancel();
    for (const watcher of this.#watchers) watcher?.retire();
    this.#slots.clear();
    this.#release(); // not earlier: libuv entering a callback that koffi has let go of ends the process
  }
}

/** libuv's errors are negative errno values on Unix, and numbers of its own on Windows. */
export function uvError(errno: number, syscall: string): Error {
  return systemError(getSystemErrorName(errno), errno, syscall);
}
