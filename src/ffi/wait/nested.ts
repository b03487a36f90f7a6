/**
 * Readiness in Node's worker threads on Linux: one descriptor that libuv watches, an epoll set with all sockets in it.
 * koffi's poll() aborts the process when its worker is terminated during the call; calls of C functions do not. So it is
 * called once, for the set, and opening a socket is one epoll_ctl(2) (docs/koffi.md §2.1, "nested"). In the main thread
 * nobody terminates, and the first sockets do without: many.ts.
 */
import type { Platform } from '../../platform/platform';
import { checkDescriptor, checkReady } from '../check';
import { type EnvCleanup, envCleanup } from '../env-cleanup';
import type { Koffi } from '../koffi';
import { READABLE, type Readiness, type Ready, type Watcher } from '../readiness';
import { isMainThread } from '../thread';
import { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EpollSet, interest, reported } from './epoll-calls';
import { Idle } from './idle';
import type { UvWaiting } from './uv';
import { CountedWatcher } from './watcher';

export interface NestedWaiting extends Readiness {
  /** Is this descriptor in the set? */
  has(fd: number): boolean;
}

/** @param inner watches the set */
export function nestedReadiness(koffi: Koffi, platform: Platform, inner: UvWaiting): NestedWaiting {
  return new NestedReadiness(koffi, platform, inner);
}

class NestedReadiness implements NestedWaiting {
  readonly #koffi: Koffi;
  readonly #platform: Platform;
  readonly #inner: UvWaiting;
  /** In a worker, which may be terminated. */
  readonly #cleanup: EnvCleanup | undefined;
  /** By descriptor. */
  readonly #watchers: (NestedWatcher | undefined)[] = [];
  #count = 0;
  #set: { readonly epoll: EpollSet; readonly watcher: Watcher } | undefined;
  /** Tells a descriptor from the one that had its number before: its event may be read too late. */
  #generation = 0;
  /** Leaves nothing behind, in case this copy of the module has been discarded. */
  readonly #idle = new Idle(
    () => this.#count > 0,
    () => this.#close(),
  );
  /** Watchers that keep the loop alive. */
  #holding = 0;

  constructor(koffi: Koffi, platform: Platform, inner: UvWaiting) {
    this.#koffi = koffi;
    this.#platform = platform;
    this.#inner = inner;
    if (!isMainThread()) this.#cleanup = envCleanup(koffi, koffi.load(null));
  }

  watch(fd: number, ready: Ready, events = 0): Watcher {
    checkDescriptor(fd);
    checkReady(ready);
    this.#set ??= this.#open();
    this.#idle.use();
    this.#generation = (this.#generation + 1) >>> 0;
    const watcher = new NestedWatcher(fd, ready, this, this.#generation);
    // Errors are reported also to those who wait for nothing.
    this.#set.epoll.control(EPOLL_CTL_ADD, fd, interest(events), fd, this.#generation);
    this.#watchers[fd] = watcher;
    this.#count++;
    this.#cleanup?.closeAtEnd(fd);
    watcher.begin(events);
    return watcher;
  }

  isWatched(fd: number): boolean {
    return this.has(fd) || this.#inner.isWatched(fd);
  }

  has(fd: number): boolean {
    return this.#watchers[fd] !== undefined;
  }

  /** For NestedWatcher. */
  control(op: number, watcher: NestedWatcher, events: number): void {
    this.#set?.epoll.control(op, watcher.fd, interest(events), watcher.fd, watcher.generation);
  }

  /** For NestedWatcher. */
  remove(fd: number): void {
    this.#set?.epoll.remove(fd);
  }

  /** For NestedWatcher. */
  forget(fd: number): void {
    this.#watchers[fd] = undefined;
    this.#count--;
    this.#cleanup?.keepAtEnd(fd); // before its owner closes it, or another's would be closed
    if (this.#count === 0) this.#idle.begin();
  }

  /** For NestedWatcher: the loop lives as long as somebody waits. */
  count(change: 1 | -1): void {
    this.#holding += change;
    if (this.#holding === 0) this.#set?.watcher.unref();
    else if (this.#holding === 1) this.#set?.watcher.ref();
  }

  #open() {
    const epoll = new EpollSet(this.#koffi, this.#platform);
    const watcher = this.#inner.watchNew(epoll.epfd, this.#fired, READABLE);
    watcher.unref();
    return { epoll, watcher };
  }

  #close(): void {
    this.#set?.watcher.close();
    this.#set?.epoll.close();
    this.#set = undefined;
  }

  readonly #fired = (): void => {
    const epoll = this.#set?.epoll;
    const count = epoll?.take() ?? 0;
    for (let i = 0; i < count; i++) {
      const watcher = this.#watchers[epoll!.tokenAt(i)];
      if (watcher?.generation === epoll!.generationAt(i)) watcher.fired(epoll!.eventsAt(i));
    }
  };
}

class NestedWatcher extends CountedWatcher {
  readonly generation: number;
  readonly #readiness: NestedReadiness;
  #inSet = true;

  constructor(fd: number, ready: Ready, readiness: NestedReadiness, generation: number) {
    super(fd, ready);
    this.#readiness = readiness;
    this.generation = generation;
  }

  fired(epollEvents: number): void {
    if (!this.live) return;
    if (this.events === 0) this.#leave();
    else this.report(reported(epollEvents));
  }

  protected arm(events: number): void {
    // Errors are reported also to those who wait for nothing, and again and again.
    if (events === 0) this.#leave();
    else {
      this.#readiness.control(this.#inSet ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, this, events);
      this.#inSet = true;
    }
  }

  protected end(): void {
    this.#leave();
  }

  protected forget(): void {
    this.#readiness.forget(this.fd);
  }

  protected count(change: 1 | -1): void {
    this.#readiness.count(change);
  }

  #leave(): void {
    if (this.#inSet) this.#readiness.remove(this.fd);
    this.#inSet = false;
  }
}
