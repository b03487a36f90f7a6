/**
 * Readiness without libuv, for runtimes on Linux where koffi's poll cannot be used (it panics Bun; Deno's is one-shot and
 * crashes when closed): one Worker per environment is blocked in epoll_wait(2) and says which descriptors are ready.
 * Each is reported once (EPOLLONESHOT) and armed again by us when what it brought has been dealt with, so that a
 * descriptor that stays readable costs one message per turn, and one that is closed costs none.
 */
import type { Worker } from 'node:worker_threads';
import { setImmediate } from '../../captured';
import { unsupportedPlatform } from '../../errors';
import type { Platform } from '../../platform/platform';
import { checkDescriptor, checkReady } from '../check';
import { type EnvCleanup, envCleanup } from '../env-cleanup';
import { type Koffi, machineOf } from '../koffi';
import { ERROR, type Readiness, type Ready, type Watcher } from '../readiness';
import { isMainThread } from '../thread';
import { onExit } from './at-exit';
import { EPOLL_CTL_ADD, EPOLL_CTL_MOD, Epoll, interest, reported } from './epoll-calls';
import { type Orders, program } from './epoll-thread';
import { addonPath } from './pin';
import { CountedWatcher, rethrow, tooLate } from './watcher';

/** @throws the kernel's errors */
export function epollReadiness(koffi: Koffi, platform: Platform): Readiness {
  return new EpollReadiness(koffi, platform);
}

class EpollReadiness implements Readiness {
  readonly #epoll: Epoll;
  readonly #orders: Omit<Orders, 'by'>;
  readonly #by: () => Orders['by'];
  /** In a worker, which may be terminated. */
  readonly #cleanup: EnvCleanup | undefined;
  /** By token: a descriptor's number may be another's by the time that the thread's message arrives. */
  readonly #watchers = new Map<number, EpollWatcher>();
  /** Watchers that keep the process alive. */
  #holding = 0;
  #worker: Worker | undefined;
  #broken: Error | undefined;
  #token = 0;
  /** Reported, and to be armed again when this turn's datagrams have been handed over. */
  #reported: EpollWatcher[] = [];
  #exited = false;

  constructor(koffi: Koffi, platform: Platform) {
    this.#epoll = new Epoll(koffi, platform);
    const { epfd, eventSize, dataOffset, pipe } = this.#epoll;
    const { env, loop } = koffi.node ?? {};
    const machine = loop === undefined ? undefined : machineOf(platform); // node:ffi's, or koffi's thread
    this.#by = () => (machine === undefined ? { addon: addonPath(koffi) } : { machine });
    this.#orders = { epfd, eventSize, dataOffset, pipe, EINTR: platform.errno.EINTR! };
    if (!isMainThread() && env !== undefined) this.#cleanup = envCleanup(koffi, koffi.load(null));
  }

  watch(fd: number, ready: Ready, events = 0): Watcher {
    checkDescriptor(fd);
    checkReady(ready);
    if (this.#exited) return tooLate;
    if (this.#broken !== undefined) throw this.#broken;
    const watcher = new EpollWatcher(fd, ready, this, this.#nextToken());
    this.arm(EPOLL_CTL_ADD, watcher, events);
    this.#worker ??= this.#start();
    this.#watchers.set(watcher.token, watcher);
    this.#cleanup?.closeAtEnd(fd);
    watcher.begin(events);
    return watcher;
  }

  /** The set has no list of descriptors, and is asked by adoptions alone. */
  isWatched(fd: number): boolean {
    for (const watcher of this.#watchers.values()) if (watcher.fd === fd) return true;
    return false;
  }

  /** For EpollWatcher. @throws the kernel's errors */
  arm(op: number, watcher: EpollWatcher, events: number): void {
    if (!this.#exited) this.#epoll.arm(op, watcher.fd, watcher.token, interest(events));
  }

  /** For EpollWatcher. */
  remove(fd: number): void {
    if (!this.#exited) this.#epoll.remove(fd);
  }

  /** For EpollWatcher. */
  forget(watcher: EpollWatcher): void {
    this.#watchers.delete(watcher.token);
    this.#cleanup?.keepAtEnd(watcher.fd); // before its owner closes it, or another's would be closed
  }

  /** For EpollWatcher: the process lives as long as somebody waits. */
  count(change: 1 | -1): void {
    this.#holding += change;
    if (this.#holding === 0) this.#worker?.unref();
    else if (this.#holding === 1) this.#worker?.ref();
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
    const workerData: Orders = { ...this.#orders, by: this.#by() };
    const worker: Worker = new Worker(program, { eval: true, workerData, execArgv: [] });
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
    setImmediate(rethrow, error);
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
    for (const watcher of reported) watcher.armIfSpent();
  };
}

class EpollWatcher extends CountedWatcher {
  readonly token: number;
  readonly #readiness: EpollReadiness;
  /** Reported and not armed again: the kernel says nothing until then. */
  #spent = false;

  constructor(fd: number, ready: Ready, readiness: EpollReadiness, token: number) {
    super(fd, ready);
    this.#readiness = readiness;
    this.token = token;
  }

  /** @returns whether to arm it again later */
  fired(epollEvents: number): boolean {
    if (!this.live) return false;
    this.#spent = true;
    const events = reported(epollEvents);
    const failed = (events & ERROR) !== 0 && this.events !== 0;
    const wanted = failed ? events : events & this.events; // which may have changed since the thread was told
    if (wanted !== 0) this.report(wanted);
    return true;
  }

  armIfSpent(): void {
    if (!this.live || !this.#spent) return;
    this.#spent = false;
    // Nothing is wanted: left disarmed, as EPOLL_CTL_MOD would ask for errors at least.
    if (this.events !== 0) this.armAgain();
  }

  protected arm(events: number): void {
    if (!this.#spent) this.#readiness.arm(EPOLL_CTL_MOD, this, events);
  }

  protected end(): void {
    this.#readiness.remove(this.fd);
  }

  protected forget(): void {
    this.#readiness.forget(this);
  }

  protected count(change: 1 | -1): void {
    this.#readiness.count(change);
  }
}
