/**
 * Readiness in Node.js: libuv's uv_poll_t. koffi's PollHandle owns each handle, because koffi closes it when an
 * environment is torn down without running JavaScript; but its own callback aborts the process when a datagram comes
 * at that moment (napi_throw is fatal while stopping). So the handle is started by us, with one registered callback
 * for all handles of the environment, which koffi enters softly: it does nothing where JavaScript may not run any more.
 *
 * docs/koffi.md §2 is the specification; "§" below refers to its items.
 */
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { getSystemErrorName } from 'node:util';
import { systemError } from '../../errors';
import type { Platform } from '../../platform/platform';
import { checkDescriptor, checkEvents } from '../check';
import type { Koffi, Pointer, PollCallback, PollHandle } from '../koffi';
import { ERROR, READABLE, type Readiness, type Watcher, WRITABLE } from '../readiness';
import { isMainThread } from '../thread';
import { uvErrno } from '../uv-errno';
import { onExit } from './at-exit';
import { pin } from './pin';
import { openUv, type Uv } from './uv-calls';

const noop = (): void => {};

/**
 * Milliseconds without a watcher after which the callback is given back. Not at once: registering is one of the koffi
 * calls that abort if their worker is terminated meanwhile (as are func() and poll(); calls of C functions do not).
 */
const IDLE = 1000;

type Refusal = (fd: number) => 'EBADF' | 'ENOTSOCK' | undefined;

/** @param refusal errno's name for what is no socket; asked only where libuv cannot be */
export function uvReadiness(koffi: Koffi, platform: Platform, refusal: Refusal): Readiness {
  return new UvReadiness(koffi, platform, refusal);
}

class UvReadiness implements Readiness {
  readonly #koffi: Koffi;
  readonly #platform: Platform;
  readonly #refusal: Refusal;
  /** undefined: this executable hides libuv's symbols. koffi's own callback has to do then. */
  readonly #uv: Uv | undefined;
  /** All open watchers, by descriptor. Reached from `process`, so it keeps the PollHandles from the GC (§7). */
  readonly #watchers = new Map<number, UvWatcher>();
  /** Those that #fired serves, by the address of their handle. */
  readonly #byHandle = new Map<Pointer, UvWatcher>();
  /** #fired as C sees it; undefined before the first watcher, and where koffi has no callback left. */
  #callback: Pointer | undefined;
  #leaveExit: (() => void) | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #pinned = isMainThread(); // the main thread never unmaps an addon (§2)
  #exited = false;

  constructor(koffi: Koffi, platform: Platform, refusal: Refusal) {
    this.#koffi = koffi;
    this.#platform = platform;
    this.#refusal = refusal;
    this.#uv = openUv(koffi, platform);
  }

  watch(fd: number, ready: (events: number) => void): Watcher {
    checkDescriptor(fd);
    if (typeof ready !== 'function') throw new TypeError('ready must be a function');
    // Too late for callbacks, but a program may still open a socket in its 'exit' listener, to send.
    if (this.#exited) return { start: noop, ref: noop, unref: noop, close: noop };
    this.#checkPollable(fd);
    if (this.#watchers.size === 0) this.#open();
    const handle = this.#koffi.node.poll(fd, {}, noop);
    const address = this.#callback === undefined ? undefined : this.#uv?.find(fd);
    const trampoline = this.#callback;
    const arm =
      this.#uv === undefined || address === undefined || trampoline === undefined
        ? plainArm(handle, (status, events) => watcher.fired(status, events))
        : trampolineArm(this.#uv, address, trampoline);
    const watcher = new UvWatcher(handle, arm, ready, () => this.#closed(fd, address));
    this.#watchers.set(fd, watcher);
    if (address !== undefined) this.#byHandle.set(address, watcher);
    if (!isMainThread()) this.#uv?.cleanup.closeAtEnd(fd);
    return watcher;
  }

  /** koffi aborts the process for a descriptor that libuv refuses (§4), so libuv is asked before koffi is. */
  #checkPollable(fd: number): void {
    if (this.#watchers.has(fd)) throw uvError(uvErrno('EEXIST', -1), 'uv_poll_init');
    if (this.#uv !== undefined) {
      const refused = this.#uv.probe(fd);
      if (refused < 0) throw uvError(refused, 'uv_poll_init');
      return;
    }
    const refused = this.#refusal(fd);
    if (refused !== undefined) throw uvError(uvErrno(refused, -1), 'uv_poll_init');
  }

  /** Before the first watcher, and the first after none. */
  #open(): void {
    clearTimeout(this.#idleTimer);
    this.#leaveExit ??= onExit(() => this.#exit());
    if (this.#uv === undefined || this.#callback !== undefined) return;
    try {
      this.#callback = this.#koffi.register(this.#fired, this.#uv.uv_poll_cb);
    } catch {
      return; // all 8192 callbacks of the process are taken: each terminated worker leaks one (§1)
    }
    if (!this.#pinned) pin(this.#koffi, this.#uv.library, this.#platform.name, this.#callback);
    this.#pinned = true;
  }

  /** Leaves nothing behind, in case this copy of the module has been discarded (jest.resetModules). */
  #release(): void {
    this.#leaveExit?.();
    this.#leaveExit = undefined;
    if (this.#callback !== undefined) this.#koffi.unregister(this.#callback);
    this.#callback = undefined;
  }

  #closed(fd: number, address: Pointer | undefined): void {
    if (!isMainThread()) this.#uv?.cleanup.keepAtEnd(fd); // before its owner closes it, or another's would be closed
    if (address !== undefined) this.#byHandle.delete(address);
    this.#watchers.delete(fd);
    if (this.#watchers.size > 0 || this.#exited) return;
    this.#idleTimer = setTimeout(() => this.#release(), IDLE);
    this.#idleTimer.unref();
  }

  /** Callbacks end here. The descriptors stay: other 'exit' listeners may send, and closeAtEnd holds. */
  #exit(): void {
    this.#exited = true;
    for (const watcher of this.#watchers.values()) watcher.retire();
    this.#byHandle.clear();
    this.#release(); // not earlier: libuv entering a callback that koffi has let go of ends the process
  }

  readonly #fired = (address: Pointer, status: number, events: number): void => {
    this.#byHandle.get(address)?.fired(status, events);
  };
}

/** Makes a handle wait for a mask of events from now on. */
type Arm = (events: number) => void;

function trampolineArm(uv: Uv, handle: Pointer, callback: Pointer): Arm {
  return (events) => {
    const failed = uv.start(handle, events, callback);
    if (failed < 0) throw uvError(failed, 'uv_poll_start');
  };
}

function plainArm(handle: PollHandle, fired: (status: number, events: number) => void): Arm {
  const callback: PollCallback = (status, { readable, writable }) =>
    fired(status, (readable ? READABLE : 0) | (writable ? WRITABLE : 0));
  return (events) => {
    if (events === 0) handle.stop();
    else handle.start({ readable: (events & READABLE) !== 0, writable: (events & WRITABLE) !== 0 }, callback);
  };
}

class UvWatcher implements Watcher {
  /** undefined once closed: koffi's methods are a SIGSEGV then (§6). */
  #handle: PollHandle | undefined;
  #closed = false;
  #events = 0;
  readonly #arm: Arm;
  readonly #ready: (events: number) => void;
  readonly #forget: () => void;

  constructor(handle: PollHandle, arm: Arm, ready: (events: number) => void, forget: () => void) {
    this.#handle = handle;
    this.#arm = arm;
    this.#ready = ready;
    this.#forget = forget;
  }

  start(events: number): void {
    checkEvents(events);
    if (this.#handle === undefined || events === this.#events) return;
    this.#arm(events);
    this.#events = events;
  }

  ref(): void {
    this.#handle?.ref();
  }

  unref(): void {
    this.#handle?.unref();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.retire();
    this.#forget();
  }

  /** Ends the waiting without forgetting the descriptor. */
  retire(): void {
    this.#handle?.close();
    this.#handle = undefined;
  }

  fired(status: number, events: number): void {
    if (this.#handle === undefined) return;
    try {
      this.#ready(status < 0 ? ERROR | READABLE : events & (READABLE | WRITABLE));
      // libuv stops a handle on EPOLLERR and calls it UV_EBADF (uv__poll_io); the receive has consumed the error (§8)
      if (status < 0 && this.#handle !== undefined) this.#arm(this.#events);
    } catch (error) {
      // Left to koffi it would stay pending, and be thrown by the next FFI call of whomever (§9).
      setImmediate(() => {
        throw error;
      });
    }
  }
}

/** libuv's errors are negative errno values on Unix, and numbers of its own on Windows. */
function uvError(errno: number, syscall: string): Error {
  return systemError(getSystemErrorName(errno), errno, syscall);
}
