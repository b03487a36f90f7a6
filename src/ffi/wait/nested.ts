/**
 * Readiness in Node's worker threads on Linux: one descriptor that libuv watches, an epoll set with all sockets in it.
 * koffi's poll() aborts the process when its worker is terminated during the call; calls of C functions do not. So it is
 * called once, for the set, and opening a socket is one epoll_ctl(2) (docs/koffi.md §2.1, "nested").
 */
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from 'node:timers';
import type { Platform } from '../../platform/platform';
import { checkDescriptor, checkEvents } from '../check';
import { type EnvCleanup, envCleanup } from '../env-cleanup';
import type { Koffi } from '../koffi';
import { ERROR, READABLE, type Readiness, type Watcher, WRITABLE } from '../readiness';
import { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EpollSet, interest } from './epoll-calls';

/** Milliseconds without a watcher after which the set is closed. */
const IDLE = 1000;
/** The longest that timers can wait, in ms. */
const LONGEST = 2 ** 31 - 1;
const noop = (): void => {};

/** @param inner watches the set */
export function nestedReadiness(koffi: Koffi, platform: Platform, inner: Readiness): Readiness {
  return new NestedReadiness(koffi, platform, inner);
}

class NestedReadiness implements Readiness {
  readonly #koffi: Koffi;
  readonly #platform: Platform;
  readonly #inner: Readiness;
  readonly #cleanup: EnvCleanup;
  /** By token: a descriptor's number may be another's by the time that its event is read. */
  readonly #watchers = new Map<number, NestedWatcher>();
  #set: { readonly epoll: EpollSet; readonly watcher: Watcher } | undefined;
  #token = 0;
  #idleTimer: NodeJS.Timeout | undefined;
  /** Watchers that keep the loop alive. */
  #holding = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(koffi: Koffi, platform: Platform, inner: Readiness) {
    this.#koffi = koffi;
    this.#platform = platform;
    this.#inner = inner;
    this.#cleanup = envCleanup(koffi, koffi.load(null));
  }

  watch(fd: number, ready: (events: number) => void): Watcher {
    checkDescriptor(fd);
    if (typeof ready !== 'function') throw new TypeError('ready must be a function');
    clearTimeout(this.#idleTimer);
    this.#set ??= this.#open();
    const { epoll } = this.#set;
    do this.#token = this.#token === 0xffff_ffff ? 0 : this.#token + 1;
    while (this.#watchers.has(this.#token));
    const token = this.#token;
    epoll.control(EPOLL_CTL_ADD, fd, token, 0);
    let inSet = true;
    const watcher = new NestedWatcher(
      ready,
      (events) => {
        // Errors are reported also to those who wait for nothing, and again and again.
        if (events === 0) epoll.remove(fd);
        else epoll.control(inSet ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, token, events);
        inSet = events !== 0;
      },
      (change) => this.#count(change),
      () => {
        epoll.remove(fd);
        this.#watchers.delete(token);
        this.#cleanup.keepAtEnd(fd); // before its owner closes it, or another's would be closed
        if (this.#watchers.size === 0) this.#idle();
      },
    );
    this.#watchers.set(token, watcher);
    this.#cleanup.closeAtEnd(fd);
    return watcher;
  }

  #open() {
    const epoll = new EpollSet(this.#koffi, this.#platform);
    const watcher = this.#inner.watch(epoll.epfd, this.#fired);
    watcher.unref();
    watcher.start(READABLE);
    return { epoll, watcher };
  }

  /** Leaves nothing behind, in case this copy of the module has been discarded. */
  #idle(): void {
    this.#idleTimer = setTimeout(() => {
      this.#set?.watcher.close();
      this.#set?.epoll.close();
      this.#set = undefined;
    }, IDLE);
    this.#idleTimer.unref();
  }

  /** The loop lives as long as somebody waits. By a timer: koffi's ref() and unref() may abort like its poll(). */
  #count(change: 1 | -1): void {
    this.#holding += change;
    if (this.#holding > 0) this.#timer ??= setInterval(noop, LONGEST);
    else if (this.#timer !== undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  readonly #fired = (): void => {
    const ready = this.#set?.epoll.take() ?? [];
    for (let i = 0; i < ready.length; i += 2) this.#watchers.get(ready[i])?.fired(ready[i + 1]);
  };
}

class NestedWatcher implements Watcher {
  #open = true;
  #refed = true;
  #events = 0;
  readonly #ready: (events: number) => void;
  readonly #arm: (events: number) => void;
  readonly #count: (change: 1 | -1) => void;
  #holds = false;
  readonly #forget: () => void;

  constructor(
    ready: (events: number) => void,
    arm: (events: number) => void,
    count: (change: 1 | -1) => void,
    forget: () => void,
  ) {
    this.#ready = ready;
    this.#arm = arm;
    this.#count = count;
    this.#forget = forget;
  }

  /** Keeps the loop alive, or not, as its state says. */
  #hold(): void {
    const holds = this.#open && this.#refed && this.#events !== 0;
    if (holds === this.#holds) return;
    this.#holds = holds;
    this.#count(holds ? 1 : -1);
  }

  start(events: number): void {
    checkEvents(events);
    if (!this.#open || events === this.#events) return;
    this.#events = events;
    this.#arm(interest(events));
    this.#hold();
  }

  ref(): void {
    this.#refed = true;
    this.#hold();
  }

  unref(): void {
    this.#refed = false;
    this.#hold();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#hold();
    this.#forget();
  }

  fired(epollEvents: number): void {
    if (!this.#open) return;
    if (this.#events === 0) {
      this.#arm(0);
      return;
    }
    const failed = (epollEvents & (EPOLLERR | EPOLLHUP)) !== 0;
    const events = failed
      ? ERROR | READABLE
      : ((epollEvents & EPOLLIN) !== 0 ? READABLE : 0) | ((epollEvents & EPOLLOUT) !== 0 ? WRITABLE : 0);
    try {
      this.#ready(events);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  }
}
