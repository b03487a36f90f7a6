/**
 * The way of a datagram through the event loop, for all sockets of one engine: a descriptor is readable → receive
 * batches → deliver, a message at a time, under a time budget → flush what was answered. Listeners run in an immediate,
 * never inside the poll callback (docs/koffi.md), with what Node runs between two events in between.
 *
 * Nothing depends on a callback being run: what is readable stays readable for the kernel (level-triggered), so a run that
 * was lost is scheduled again by the next poll.
 *
 * Over 300 lines: in two files, in and out called each other back and forth within one turn.
 */
import { nextTick, setImmediate } from '../captured';
import type { Engine } from '../datagram/engine';
import type { Extras } from '../datagram/envelopes';
import type { RemoteInfo } from '../types';
import type { Core } from './core';
import { Inbox } from './in/inbox';
import { Linger, NEVER, QUICK } from './in/linger';
import { deliver, deliverOldest, LOOK_AROUND, lost, receive, receiveBatch, SPARSE } from './in/receive';
import { runTicks } from './in/ticks';
import { gathering } from './out/callback';

/** ms of listeners' work after which the event loop gets its turn: timers, HTTP and other sockets work as well (P25). */
const BUDGET = 1;
/** ms of listeners' work after which the kernel's queues are emptied again: the default one holds some 250 datagrams. */
const SLICE = 0.1;
/** ms that a message costs from which on its answer does not wait for the next one: a call for each costs nothing beside that. */
const SLOW = 0.5;
/** Messages that are delivered in any case, and between two looks at the clock. */
const LEAST = 8;
const UNTIMED = 4;
/** Messages of one socket before it is another one's turn. */
const QUANTUM = 8;
/** ms of work that is taken from the kernel at most. A server that is behind leaves the rest where it is dropped. */
const HELD = 10;
/** Datagrams, and their bytes, that wait here at most, for all sockets together. */
const MAX_HELD = 1024;
/** So many in any case: on a busy machine a message may seem slow because others were running. */
const LEAST_HELD = 64;
const MAX_BYTES = 4 << 20;
/** A receive that brings so many is followed by another one without waiting for the kernel's word. */
const MANY = 8;
/** Datagrams, and errors, that are taken at most from a descriptor that is about to be closed: a flood may go on. */
const LAST_DATAGRAMS = 65536;
const LAST_ERRORS = 16;
/** Messages of a turn where each needs an immediate of its own. */
const UNTICKED = 64;
/** Datagrams of a turn from which on half of the answers are worth a system call. */
const LARGE = 8;

/** An immediate runs before the next poll. After so many polls the one that was scheduled will not come any more. */
const PATIENCE = 16;

/** Interfaces remembered: containers come and go, and each has an index of its own. */
const MAX_INTERFACES = 256;

/** A sender, as the end of the turn sees it. */
export interface Flushable {
  /** Is it on the list? */
  due: boolean;
  /** Datagrams that wait. */
  readonly waiting: number;
  flush(): void;
}

export class Loop {
  readonly engine: Engine;
  readonly #inbox = new Inbox();
  readonly #linger: Linger;
  /** Sockets that have something to be received, in turn. */
  #readable: Core[] = [];
  /** Sockets whose full send queue has room again. */
  #writable: Core[] = [];
  /** In whose async context the next run is scheduled; undefined while none is. */
  #scheduled: Core | undefined;
  #running = false;
  /** Where the last message came from. */
  #last: Core | undefined;
  /** How often a socket was reported readable again although a run is scheduled. */
  #missed = 0;
  /** ms that a message cost of late. */
  #cost = 0;
  #sent = 0;
  #dirty: Flushable[] = [];
  /** Of these, the one that was given something last. */
  #latest: Flushable | undefined;
  #ticking = false;
  /** Ticks in a row that had one datagram to send. */
  #ones = 0;
  /** So many answers of one sender are not kept waiting for the rest of the turn; 0: all are. */
  #half = 0;
  readonly #interfaces = new Map<number, Extras>();
  #rehearsal: NodeJS.Immediate | undefined;

  constructor(engine: Engine) {
    this.engine = engine;
    this.#linger = new Linger(engine.now, () => this.#lookAgain());
    // A listener may end the process: what those before it have answered leaves, as with dgram.
    const { ending } = engine.host;
    if (ending !== undefined) ending.task = () => this.flush();
  }

  // ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Called inside the poll callback: no listener may run here. */
  readable(core: Core): void {
    if (!core.readable) {
      core.readable = true;
      this.#readable.push(core);
    } else if (!this.#running && ++this.#missed > PATIENCE) this.#scheduled = undefined;
    this.#schedule(core);
  }

  /** As {@link readable}: the descriptor takes datagrams again. */
  writable(core: Core): void {
    if (!this.#writable.includes(core)) this.#writable.push(core);
    this.#schedule(core);
  }

  /**
   * `core` has a receiver that has read nothing yet: it is the first socket of this thread. Its first datagram would wait for
   * V8, which compiles what it runs for the first time (3 ms), and most of a burst that comes then would be lost. So the way in
   * and out is gone once without a datagram, unless there is one by then, or nobody listens: who only sends needs none of it.
   */
  rehearse(core: Core): void {
    this.#rehearsal ??= setImmediate(() => {
      this.#rehearsal = undefined;
      // Closed meanwhile: the next one's business.
      if (!core.reads || this.#scheduled !== undefined || this.#running || !hasListener(core)) return;
      this.#turn(true);
      rehearse(core);
    });
    if (!core.refed) this.letGo();
  }

  /** A socket is not to keep the process any more: nor is its rehearsal. */
  letGo(): void {
    this.#rehearsal?.unref();
  }

  /** Takes all that a descriptor holds, which is about to be closed: nobody would know of it. */
  takeAll(core: Core): void {
    const enough = core.stats.datagramsIn + LAST_DATAGRAMS;
    const { EAGAIN } = this.engine.host.platform.errno;
    for (let errors = 0; errors < LAST_ERRORS && core.stats.datagramsIn < enough; ) {
      const received = receiveBatch(core, this.#inbox, core.batch);
      if (received === -EAGAIN) break; // fewer than asked for may mean an error behind them
      if (received < 0) errors++;
    }
    if (this.#inbox.size > 0) this.#schedule(core);
  }

  /** Delivers what a socket held back while it was paused, before what has come since. */
  deliverHeld(core: Core): void {
    core.held = [...core.held, ...this.#inbox.take(core)];
    for (const { msg, about } of core.held) this.#inbox.push(core, msg, about as RemoteInfo | Error);
    core.held = [];
    this.#schedule(core);
  }

  /** Emits an event of `core` in its turn, behind what is delivered now. */
  report(core: Core, event: string, error: Error): void {
    core.resource.runInAsyncScope(setImmediate, undefined, () => {
      if (!core.closed) core.socket.emit(event, error);
    });
  }

  /** In the socket's async context, in which an exception of a listener is reported. */
  #schedule(core: Core): void {
    if (this.#running || this.#scheduled !== undefined) return;
    this.#scheduled = core;
    core.resource.runInAsyncScope(setImmediate, undefined, this.#turn);
  }

  /** Where the last message came from is asked again, without the kernel's word. → has something come? */
  #lookAgain(): boolean {
    const core = this.#last;
    if (this.#running || core === undefined || !core.reads || core.batch === 1) return false;
    if (receiveBatch(core, this.#inbox, core.batch, true) <= 0) {
      if (this.#inbox.size > 0) this.#schedule(core); // an error, which the kernel will not tell again
      return false;
    }
    this.#turn(true);
    return true;
  }

  /** @param looked is this in nobody's async context? */
  readonly #turn = (looked = false): void => {
    const context = looked ? null : this.#scheduled;
    if (!looked) this.#scheduled = undefined;
    const { names, now } = this.engine;
    const started = now();
    this.#missed = 0;
    this.#running = true;
    if (this.#linger.lingers || started - this.#linger.answered < QUICK) this.#linger.came(started);
    names.time = started;
    if (started >= names.interfaces.due) names.refresh(started);
    let done = 0;
    let later = false;
    try {
      if (this.#writable.length > 0) this.#resume();
      const only = this.#readable.length === 1 && this.#inbox.size === 0 ? this.#readable[0] : undefined;
      if (only !== undefined && only.expected === 1 && only.passesOn && !only.batches)
        done = this.#passOn(only, context);
      else this.#receive(true);
      later = runTicks === undefined && this.#inbox.size > 0;
      if (later) this.#deliverEach(started);
      else if (this.#inbox.size > 0) done += this.#deliver(started, context);
    } finally {
      if (!later) this.#end(started, done);
    }
  };

  /** One datagram of the only socket that has something goes straight to its listener. → messages delivered */
  #passOn(core: Core, context: Core | undefined | null): number {
    this.#readable.pop();
    core.readable = false;
    if (!core.reads || receive(core, this.#inbox, 1) <= 0) return 0;
    const { receiver, settings } = core;
    let msg: Buffer;
    let rinfo: RemoteInfo;
    try {
      rinfo = receiver.rinfo(0, core);
      msg = receiver.message(0, rinfo.size, settings.ownBuffers ?? true);
    } catch (error) {
      lost(core, this.#inbox, error as Error);
      return 0;
    }
    this.#enter(core, context, deliver, msg, rinfo);
    runTicks?.();
    return 1;
  }

  #resume(): void {
    // One by one: a listener of 'drain' may throw.
    for (let core = this.#writable.shift(); core !== undefined; core = this.#writable.shift()) core.sender?.resume();
  }

  /**
   * One batch of each readable socket in turn, while there is room.
   * @param begins is it the turn's first? Then a few of those that have nothing here are taken in any case
   */
  #receive(begins = false): void {
    const inbox = this.#inbox;
    const room = Math.max(LEAST_HELD, this.#cost * MAX_HELD > HELD ? Math.ceil(HELD / this.#cost) : MAX_HELD);
    let first = begins;
    while (this.#readable.length > 0 && (first || (inbox.size < room && inbox.bytes < MAX_BYTES))) {
      first = false;
      const cores = this.#readable;
      this.#readable = [];
      let asked = 0;
      try {
        while (asked < cores.length) {
          const core = cores[asked++];
          core.readable = false;
          const left = inbox.bytes < MAX_BYTES ? room - inbox.size : 0;
          const { expected } = core;
          const limit = Math.min(expected, left > 0 ? left : core.oldest === undefined ? LEAST : 0);
          const received = limit > 0 && core.reads ? receiveBatch(core, inbox, limit) : 0;
          if (limit > 0 && (expected === 1 || received < Math.min(MANY, limit))) continue;
          core.readable = true;
          this.#readable.push(core);
        }
      } finally {
        // One that throws (no memory, a member of a subclass) must not make those behind it deaf.
        for (; asked < cores.length; asked++) this.#readable.push(cores[asked]);
      }
    }
    if (inbox.size >= LARGE) this.#half = (inbox.size + 1) >>> 1;
  }

  /** → messages delivered */
  #deliver(started: number, context: Core | undefined | null): number {
    const inbox = this.#inbox;
    let done = 0;
    let looked = 0;
    let turned = 0;
    let emptied = started;
    while (inbox.size > 0) {
      done += this.#deliverOldest(context);
      runTicks?.();
      if (this.#cost > SLOW) this.flush();
      if (done - turned >= QUANTUM) {
        turned = done;
        inbox.rotate();
      }
      if (inbox.size > 0 && (done < LEAST || done - looked < UNTIMED)) continue;
      if (inbox.size === 0 && this.#readable.length === 0) break;
      looked = done;
      const now = this.engine.now();
      if (now - started >= BUDGET) break;
      if (this.#readable.length === 0 || (inbox.size > 0 && now - emptied < SLICE)) continue;
      emptied = now;
      if (inbox.size === 0) this.flush(); // whoever asked waits for these
      this.#receive();
    }
    return done;
  }

  /** Where {@link runTicks} cannot be had: a turn of the event loop's check phase for each. */
  #deliverEach(started: number): void {
    const now = Math.min(this.#inbox.size, UNTICKED);
    for (let i = 0; i < now; i++) setImmediate(this.#next);
    setImmediate(() => this.#end(started, now));
  }

  readonly #next = (): void => {
    try {
      this.#deliverOldest(undefined);
    } finally {
      this.#inbox.rotate();
    }
  };

  /** Delivers the oldest message, or all that are the same socket's where it listens for 'messages'. → how many */
  #deliverOldest(context: Core | undefined | null): number {
    const inbox = this.#inbox;
    return inbox.core === undefined ? 0 : this.#enter(inbox.core, context, deliverOldest, inbox, undefined);
  }

  /** Takes a step in the async context of `core`, in which an exception of its listener is reported. → messages delivered */
  #enter<A, B>(
    core: Core,
    context: Core | undefined | null,
    step: (core: Core, a: A, b: B) => number,
    a: A,
    b: B,
  ): number {
    this.#last = core;
    // Not caught to be thrown again: a debugger stops where an error is thrown that nobody catches.
    if (core === context || context === undefined) return core.resource.runInAsyncScope(step, undefined, core, a, b);
    try {
      return core.resource.runInAsyncScope(step, undefined, core, a, b);
    } catch (error) {
      // Reported in the context of the socket whose listener it was, before anything else of ours.
      core.resource.runInAsyncScope(setImmediate, undefined, () => {
        throw error;
      });
      return 1;
    }
  }

  #end(started: number, done: number): void {
    this.#running = false;
    this.#half = 0;
    this.flush();
    const more = this.#inbox.core ?? this.#readable[0] ?? this.#writable[0];
    if (more !== undefined) this.#schedule(more);
    const now = this.engine.now();
    if (done > 0) this.#cost += ((now - started) / done - this.#cost) / 4;
    const answered = this.#sent > 0;
    this.#sent = 0;
    if (more !== undefined) return;
    if (this.#linger.told) this.#linger.ended(answered, now);
    else this.#linger.answered = answered ? now : NEVER;
  }

  // ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * `sender` has one more to send: it leaves at the end of the turn, which is after what is being delivered (by any
   * socket: a proxy receives on one and sends on another), else by nextTick, or now where one datagram at a time has been
   * sent of late. Half of the answers to a large batch leave before its end: the peer works on these while we work on the rest.
   * @param waits has it to wait for the tick: as there is more at once, or a callback, which comes behind the program's own ticks?
   */
  added(sender: Flushable, waits: boolean): void {
    this.#sent++;
    this.#latest = sender;
    if (sender.due) {
      if (sender.waiting !== this.#half) return;
      this.#half = 0;
      flushAll([sender], true);
      return;
    }
    const idle = !this.#running && !this.#ticking;
    // As receives that bring one each: who sends now and then gains nothing by waiting for more, but there may be more by now.
    const alone = this.#dirty.length === 0;
    if (idle && alone && !waits && this.#ones >= SPARSE && ++this.#ones % LOOK_AROUND !== 0) {
      flushAll([sender], true);
      return;
    }
    sender.due = true;
    this.#dirty.push(sender);
    if (!idle) return;
    this.#ticking = true;
    nextTick(this.#tick);
  }

  /**
   * `sender`, which is on the list, is about to take one more; undefined: one is about to leave at once. Each sender's leave as a
   * whole, so what other sockets have been given before would be overtaken; with dgram everything that is sent on one tick leaves
   * in the order of the calls. Answers to a batch do not: a proxy would lose what it gains by batches.
   */
  makeWay(sender?: Flushable): void {
    if (this.#latest !== sender && !this.#running) this.flush(false);
  }

  /** Something was sent at once. */
  answered(): void {
    this.#sent++;
  }

  /** What names an interface to leave through, and nothing else. */
  throughInterface(ifindex: number): Extras {
    let extras = this.#interfaces.get(ifindex);
    if (extras === undefined) {
      if (this.#interfaces.size >= MAX_INTERFACES) this.#interfaces.clear();
      extras = { ifindex, ttl: -1, tos: -1 };
      this.#interfaces.set(ifindex, extras);
    }
    return extras;
  }

  /** @param gathers see {@link gathering} */
  flush(gathers = true): void {
    const dirty = this.#dirty;
    if (dirty.length === 0) return;
    this.#dirty = [];
    for (const sender of dirty) sender.due = false;
    flushAll(dirty, gathers);
  }

  readonly #tick = (): void => {
    this.#ticking = false;
    this.#ones = this.#dirty.length === 1 && this.#dirty[0].waiting === 1 ? this.#ones + 1 : 0;
    this.flush();
  };
}

/** One that cannot wait for room (no memory for it in the kernel) keeps no other from sending, and nothing from being delivered. */
function flushAll(senders: readonly Flushable[], gathers: boolean): void {
  gathering.now = gathers;
  for (const sender of senders) {
    try {
      sender.flush();
    } catch (error) {
      setImmediate(() => {
        throw error;
      });
    }
  }
  gathering.now = false;
  gathering.callbacks = undefined;
}

/** Does anybody listen for datagrams? What fails in asking fails again with the first one, where somebody hears of it. */
function hasListener(core: Core): boolean {
  try {
    return core.batches || core.socket.listenerCount('message') > 0;
  } catch {
    return false;
  }
}

function rehearse(core: Core): void {
  try {
    core.receiver.rehearse(core);
    core.engine.rehearse(core.mapped);
  } catch {}
}

const loops = new WeakMap<Engine, Loop>();

export function loopOf({ plain }: Engine): Loop {
  let loop = loops.get(plain);
  if (loop === undefined) {
    loop = new Loop(plain);
    loops.set(plain, loop);
  }
  return loop;
}
