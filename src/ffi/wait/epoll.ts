/**
 * Readiness without libuv, for runtimes on Linux where koffi's poll cannot be used (it panics Bun; Deno's is one-shot and
 * crashes when closed): one Worker per environment is blocked in epoll_wait(2) and says which descriptors are ready.
 * Each is reported once (EPOLLONESHOT) and armed again by us when what it brought has been dealt with, so that a
 * descriptor that stays readable costs one message per turn, and one that is closed costs none.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers';
import type { Worker } from 'node:worker_threads';
import { unsupportedPlatform } from '../../errors';
import type { Platform } from '../../platform/platform';
import { checkDescriptor, checkEvents } from '../check';
import { type EnvCleanup, envCleanup } from '../env-cleanup';
import type { Koffi } from '../koffi';
import { ERROR, READABLE, type Readiness, type Watcher, WRITABLE } from '../readiness';
import { isMainThread } from '../thread';
import { onExit } from './at-exit';
import { EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, Epoll, interest } from './epoll-calls';
import type { Orders } from './epoll-worker.cjs';

const noop = (): void => {};

const THREAD = join(__dirname, 'epoll-worker.cjs');

/** @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM where a bundler has left the thread behind; the kernel's errors */
export function epollReadiness(koffi: Koffi, platform: Platform): Readiness {
  if (!existsSync(THREAD))
    throw unsupportedPlatform(`recvfromto needs ${THREAD}: keep it out of the bundle (external)`);
  return new EpollReadiness(koffi, platform);
}

class EpollReadiness implements Readiness {
  readonly #epoll: Epoll;
  readonly #orders: Orders;
  /** In a worker, which may be terminated. */
  readonly #cleanup: EnvCleanup | undefined;
  /** By token: a descriptor's number may be another's by the time that the thread's message arrives. */
  readonly #watchers = new Map<number, EpollWatcher>();
  readonly #hold: Hold;
  #worker: Worker | undefined;
  #broken: Error | undefined;
  #token = 0;
  /** Reported, and to be armed again when this turn's datagrams have been handed over. */
  #reported: EpollWatcher[] = [];
  #exited = false;

  constructor(koffi: Koffi, platform: Platform) {
    this.#epoll = new Epoll(koffi, platform);
    const { epfd, eventSize, dataOffset, pipe } = this.#epoll;
    this.#orders = { epfd, eventSize, dataOffset, pipe, EINTR: platform.errno.EINTR! };
    if (!isMainThread()) this.#cleanup = envCleanup(koffi, koffi.load(null));
    this.#hold = new Hold((held) => (held ? this.#worker?.ref() : this.#worker?.unref()));
  }

  watch(fd: number, ready: (events: number) => void): Watcher {
    checkDescriptor(fd);
    if (typeof ready !== 'function') throw new TypeError('ready must be a function');
    if (this.#exited) return { start: noop, ref: noop, unref: noop, close: noop };
    if (this.#broken !== undefined) throw this.#broken;
    const token = this.#nextToken();
    this.#epoll.arm(EPOLL_CTL_ADD, fd, token, 0);
    this.#worker ??= this.#start();
    const arm = (events: number) => {
      if (!this.#exited) this.#epoll.arm(EPOLL_CTL_MOD, fd, token, events);
    };
    const watcher = new EpollWatcher(ready, this.#hold, arm, () => {
      if (!this.#exited) this.#epoll.remove(fd);
      this.#watchers.delete(token);
      this.#cleanup?.keepAtEnd(fd); // before its owner closes it, or another's would be closed
    });
    this.#watchers.set(token, watcher);
    this.#cleanup?.closeAtEnd(fd);
    return watcher;
  }

  /** Never 0, which is the thread's, and none that is in use. */
  #nextToken(): number {
    do this.#token = this.#token === 0xffff_ffff ? 1 : this.#token + 1;
    while (this.#watchers.has(this.#token));
    return this.#token;
  }

  #start(): Worker {
    // No flags: --require and its kin would load the user's modules, and us, in the thread too.
    const { Worker } = require('node:worker_threads') as typeof import('node:worker_threads');
    const worker: Worker = new Worker(THREAD, { workerData: this.#orders, execArgv: [] });
    worker.on('message', this.#fired);
    worker.on('error', (error) => this.#fail(error));
    worker.unref();
    this.#cleanup?.closeAtEnd(this.#epoll.hangUp);
    onExit(() => this.#exit());
    return worker;
  }

  /** Deaf sockets would be worse than an uncaught exception. */
  #fail(cause: unknown): void {
    if (this.#exited) return;
    const text = `recvfromto's thread that waits for datagrams has failed: ${(cause as Error)?.message ?? cause}`;
    const error = Object.assign(unsupportedPlatform(text), { cause });
    this.#broken = error;
    this.#worker?.unref();
    setImmediate(() => {
      throw error;
    });
  }

  /** Nothing is reported any more, and the set may be gone. The descriptors stay: 'exit' listeners may send, and closeAtEnd holds. */
  #exit(): void {
    this.#exited = true;
    this.#watchers.clear();
    if (this.#cleanup === undefined) this.#epoll.end();
  }

  readonly #fired = (ready: number[]): void => {
    for (let i = 0; i < ready.length; i += 2) {
      const watcher = this.#watchers.get(ready[i]);
      if (watcher === undefined || !watcher.fired(ready[i + 1])) continue;
      if (this.#reported.length === 0) setImmediate(this.#armAgain);
      this.#reported.push(watcher);
    }
  };

  /** Behind the immediates that `ready` has queued: until they have run, a socket has no use for more. */
  readonly #armAgain = (): void => {
    const reported = this.#reported;
    this.#reported = [];
    for (const watcher of reported) watcher.armAgain();
  };
}

/** Keeps the process alive while there is a reason to. */
class Hold {
  #reasons = 0;
  readonly #changed: (held: boolean) => void;

  constructor(changed: (held: boolean) => void) {
    this.#changed = changed;
  }

  add(): void {
    if (++this.#reasons === 1) this.#changed(true);
  }

  remove(): void {
    if (--this.#reasons === 0) this.#changed(false);
  }
}

class EpollWatcher implements Watcher {
  readonly #ready: (events: number) => void;
  readonly #hold: Hold;
  readonly #arm: (events: number) => void;
  #forget: (() => void) | undefined;
  #events = 0;
  #refed = true;
  #holds = false;
  /** Reported and not armed again: the kernel says nothing until then. */
  #spent = false;

  constructor(ready: (events: number) => void, hold: Hold, arm: (events: number) => void, forget: () => void) {
    this.#ready = ready;
    this.#hold = hold;
    this.#arm = arm;
    this.#forget = forget;
  }

  start(events: number): void {
    checkEvents(events);
    if (this.#forget === undefined || events === this.#events) return;
    this.#events = events;
    if (!this.#spent) this.#arm(interest(events));
    this.#holdOrNot();
  }

  ref(): void {
    this.#refed = true;
    this.#holdOrNot();
  }

  unref(): void {
    this.#refed = false;
    this.#holdOrNot();
  }

  close(): void {
    const forget = this.#forget;
    if (forget === undefined) return;
    this.#forget = undefined;
    forget();
    this.#holdOrNot();
  }

  /** @returns whether to arm it again later */
  fired(reported: number): boolean {
    if (this.#forget === undefined) return false;
    this.#spent = true;
    let events = 0;
    if ((reported & EPOLLIN) !== 0) events |= READABLE;
    if ((reported & EPOLLOUT) !== 0) events |= WRITABLE;
    events &= this.#events; // which may have changed since the thread was told
    if ((reported & (EPOLLERR | EPOLLHUP)) !== 0 && this.#events !== 0) events |= ERROR | READABLE;
    if (events === 0) return true;
    try {
      this.#ready(events);
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
    return true;
  }

  armAgain(): void {
    if (this.#forget === undefined || !this.#spent) return;
    this.#spent = false;
    // Nothing is wanted: left disarmed, as EPOLL_CTL_MOD would ask for errors at least.
    if (this.#events !== 0) this.#arm(interest(this.#events));
  }

  #holdOrNot(): void {
    const holds = this.#refed && this.#events !== 0 && this.#forget !== undefined;
    if (holds === this.#holds) return;
    this.#holds = holds;
    if (holds) this.#hold.add();
    else this.#hold.remove();
  }
}
