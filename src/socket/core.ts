/**
 * One socket, as everything below the public Socket knows it: the record that the ways in and out, and its life, share. It
 * hangs on the Socket under a symbol, as dgram's state does, because the Socket may be an object that was not made by our
 * constructor (`Socket.call(this, …)`); programs find dgram's own fields of that state here. One record of stable shape
 * instead of many small objects: a process may have thousands of sockets, and each must fit into the CPU's cache.
 * Over 300 lines for that reason.
 */
import { AsyncResource } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import { clearTimeout, setTimeout } from '../captured';
import { type Read, readersOf } from '../datagram/carried';
import { Channel } from '../datagram/channel';
import type { Endpoint } from '../datagram/endpoint';
import type { Engine } from '../datagram/engine';
import { failure } from '../datagram/failure';
import type { Arrival } from '../datagram/names';
import type { Reading, Receiver } from '../datagram/receiver';
import type { Outlet } from '../datagram/refusals';
import { Sender } from '../datagram/sender';
import { filtersDevice, filtersGroups, setUp } from '../datagram/setup';
import type { SocketAddress } from '../datagram/sockaddr';
import { notRunning, unsendable } from '../errors';
import { READABLE, type Waiter, type Watcher, WRITABLE } from '../ffi/index';
import { missing } from '../platform/settings';
import type { SocketStats } from '../types';
import { HandleView, isSentToChild } from './dgram/handle-view';
import { kState } from './dgram/state-symbol';
import { publishFailed } from './diagnostics';
import { Groups } from './in/groups';
import { drainErrors } from './in/icmp';
import type { Entry } from './in/inbox';
import { runTicks } from './in/ticks';
import type { UdpHandle } from './life/cluster';
import type { Queue } from './life/queue';
import { type Loop, loopOf } from './loop';
import { LARGEST_DATAGRAM, type Settings } from './options';
import { callBackEarly } from './out/callback';
import type { Answer } from './out/send';
import { Sticky } from './out/sticky';
import { NO_ERRORS, newStats } from './stats';

export { kState };

/** The socket around it: an emitter whose bind() may be a subclass's. */
export interface Bindable extends EventEmitter {
  bind(options: { port: number; exclusive: boolean }, callback: null): unknown;
  close(): unknown;
}

/** As dgram numbers them. */
export const UNBOUND = 0;
export const BINDING = 1;
export const BOUND = 2;
export const DISCONNECTED = 0;
export const CONNECTING = 1;
export const CONNECTED = 2;

const NONE: readonly Entry[] = [];

/** What ICMP's answers become. <net/ipv4/icmp.c>, <net/ipv6/icmp.c> */
const ICMP_ERRORS = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EMSGSIZE',
  'EACCES',
  'EPROTO',
  'ENOPROTOOPT',
  'EHOSTDOWN',
  'EOPNOTSUPP',
]);

/** ms without a useful receive after which a socket whose receives fail is tried again; doubled up to the longest. */
const SHORTEST_BACK_OFF = 1;
const LONGEST_BACK_OFF = 100;

/** What this OS never tells is left out of rinfo, and not 0. */
function toldExtras({ told, extras }: Settings, { host }: Engine): readonly Read[] | undefined {
  return missing(host.platform.carried.recvDrops) ? readersOf(told.filter((name) => name !== 'recvDrops')) : extras;
}

export class Core implements Outlet, Reading, Waiter {
  readonly socket: Bindable;
  settings: Settings;
  /** Changes at bind() where an AF_INET descriptor stands in: see Channel.standIn. */
  engine: Engine;
  readonly loop: Loop;
  readonly resource: AsyncResource;
  readonly stats: SocketStats;
  readonly sticky: Sticky | undefined;
  /** Its descriptor. */
  channel: Channel;
  /** Of a descriptor that libuv owns: what Node lists as one that keeps the process alive. */
  owner: UdpHandle | undefined;
  /** What waits for 'listening'. */
  pending: Queue | undefined;
  watcher: Watcher | undefined;
  sender: Sender | undefined;
  /** What connect() connected it to, and its port. */
  peer: Endpoint | undefined;
  peerPort = 0;
  /** See there. Forgotten when the descriptor is bound or connected to something else. */
  lastAnswer: Answer | undefined;
  /** The socket that this one was split from: what is not from the peer is that one's. */
  parent: Core | undefined;
  /** What it was bound to, all addresses, before connect() bound it to one. */
  wide: SocketAddress | undefined;
  /** What it was bound to when it was connected. */
  before: SocketAddress | undefined;
  bindState: 0 | 1 | 2 = UNBOUND;
  connectState: 0 | 1 | 2 = DISCONNECTED;
  closed = false;
  /** Do callbacks of send() hear of what dgram's do not: a bind() that fails, a close() during the look-up? */
  tells = false;
  /** Is it open, and does it want to receive? */
  reads = false;
  refed = true;
  /** Is it on the loop's list of those that have something to be received? */
  readable = false;
  paused = false;
  /** Its entries in the inbox. */
  oldest: Entry | undefined;
  newest: Entry | undefined;
  /** What had been received when it was paused. */
  held: readonly Entry[] = NONE;
  /** Receives in a row that brought nothing. */
  fruitless = 0;
  /** Has it been allowed to send from addresses that no interface has? */
  foreign = false;
  /** With `multicastAll: false`, where the OS cannot leave out the groups of others. */
  groups: Groups | undefined;
  /** The only interface that is heard, where the OS binds what is sent to it and nothing else; 0: the OS sees to it. */
  device = 0;
  /** Are several sends gathered, although the socket is connected? */
  gathering = false;
  /** Datagrams per system call. 1 where other processes receive from the same descriptor: each gets its share. */
  batch: number;
  /** Of these, how many are asked for now. */
  expected = 1;
  /** Receives in a row that brought one. */
  ones = 0;
  receiver!: Receiver;
  /** Is there anything that may keep a datagram from being delivered? */
  chooses = false;
  /** Is what a slot holds one message, and this socket's, however old it is? */
  passesOn = false;
  /** Reading: see there. */
  port = 0;
  mapped = false;
  readonly hidden: boolean;
  readonly extras: readonly Read[] | undefined;
  arrival: Arrival | undefined;
  #events = READABLE;
  #timer: NodeJS.Timeout | undefined;
  #handle: HandleView | undefined;

  constructor(socket: Bindable, settings: Settings, engine: Engine) {
    const { lookup } = engine.host;
    this.socket = socket;
    this.settings = lookup === undefined ? settings : { ...settings, lookup: settings.lookup.on(lookup) };
    this.engine = engine;
    this.loop = loopOf(engine);
    this.resource = new AsyncResource('UDPWRAP');
    this.stats = newStats();
    this.channel = new Channel(engine, settings.kind);
    this.sticky = settings.sticky && new Sticky(settings.sticky, engine);
    this.batch = settings.batch;
    this.hidden = settings.registered;
    this.extras = settings.told.includes('recvDrops') ? toldExtras(settings, engine) : settings.extras;
  }

  // ── what programs see of dgram's state ───────────────────────────────────────────────────────────────────────────

  /** @throws ERR_INVALID_HANDLE_TYPE to child.send(), which would hand it to C++ */
  get handle(): HandleView | null {
    if (isSentToChild()) throw unsendable();
    this.#handle ??= new HandleView(this);
    return this.closed ? null : this.#handle;
  }

  get receiving(): boolean {
    return this.watcher !== undefined;
  }

  get queue(): readonly (() => void)[] | undefined {
    return this.pending?.actions;
  }

  get reuseAddr(): boolean | undefined {
    return this.settings.wishes.reuseAddr;
  }

  set reuseAddr(value: boolean | undefined) {
    // Settings are shared by sockets without options.
    this.settings = { ...this.settings, wishes: { ...this.settings.wishes, reuseAddr: value } };
  }

  // ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Is anybody listening for whole batches? */
  get batches(): boolean {
    // Asked for each datagram: a key that is looked up by its name is four times as fast.
    const { _events } = this.socket as { _events?: { messages?: unknown } };
    return _events === undefined ? this.socket.listenerCount('messages') > 0 : _events.messages !== undefined;
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_RUNNING after close() */
  openChannel(): Channel {
    if (this.closed) throw notRunning();
    return this.channel;
  }

  // ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Waits for datagrams from now on. @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM; the kernel's errors */
  startReceiving(): void {
    const { channel, settings } = this;
    this.lastAnswer = undefined;
    this.expected = this.batch;
    this.port = channel.knownPort;
    this.mapped = channel.family === 6;
    // What the kernel has coalesced is cut to size after it has been taken apart.
    const { multicastAll, bindToDevice } = settings.wishes;
    if (multicastAll === false && this.groups === undefined && filtersGroups(channel, settings.wishes))
      this.groups = new Groups(this.engine.names);
    if (bindToDevice !== undefined) this.device = filtersDevice(channel, settings.wishes);
    const { accept, receiveBlockList } = settings;
    this.chooses = Boolean(this.groups ?? accept ?? receiveBlockList) || this.device !== 0;
    const asItIs = settings.gro === false && settings.maxQueueTime === undefined && this.parent === undefined;
    this.passesOn = asItIs && runTicks !== undefined;
    this.receiver = this.engine.receiver(settings.batch, settings.gro ? LARGEST_DATAGRAM : settings.maxDatagramSize);
    this.sender?.moveTo(channel.fd);
    this.watcher = this.engine.host.readiness.watch(channel.fd, this, this.#events);
    this.reads = (this.#events & READABLE) !== 0;
    if (!this.refed) this.#keepAlive();
    if (this.receiver.kept === undefined) this.loop.rehearse(this);
  }

  /** The descriptor is about to be another one: takes what waits in the old one. {@link startReceiving} goes on. */
  pauseReceiving(): void {
    this.sender?.flush();
    this.loop.takeAll(this);
    this.watcher?.close();
    this.watcher = undefined;
    this.reads = false;
  }

  /** Receives and delivers no more, or again. Sending goes on. */
  listen(wanted: boolean): void {
    this.paused = !wanted;
    const waits = wanted && this.#timer === undefined; // which goes on by itself
    this.#wait(waits ? this.#events | READABLE : this.#events & ~READABLE);
    if (wanted && this.held.length > 0) this.loop.deliverHeld(this);
  }

  /** Nothing has come for a while although the kernel says so: an error that never ends must not spin. */
  backOff(): void {
    if (!this.reads || this.#timer !== undefined) return;
    const doubled = SHORTEST_BACK_OFF << Math.min(this.fruitless, 16);
    this.#wait(this.#events & ~READABLE);
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        if (!this.closed && !this.paused) this.#wait(this.#events | READABLE);
      },
      Math.min(LONGEST_BACK_OFF, doubled),
    );
    if (!this.refed) this.#timer.unref();
  }

  /** The kernel has chosen it; an adopted descriptor that was not bound may be by now. */
  learnPort(): void {
    this.channel.learnName();
    this.lastAnswer = undefined;
    this.port = this.channel.port;
  }

  /** Runs inside the poll callback: no listener may be called here. */
  ready(events: number): void {
    if (this.closed) return;
    if ((events & this.#events & WRITABLE) !== 0) {
      this.#wait(this.#events & ~WRITABLE);
      this.loop.writable(this);
    }
    if ((events & ~WRITABLE) !== 0) this.loop.readable(this);
  }

  #wait(events: number): void {
    this.#events = events;
    this.reads = this.watcher !== undefined && (events & READABLE) !== 0;
    this.#keepAlive();
    this.watcher?.start(events);
  }

  /** What waits for the kernel to take it keeps the process, as libuv's requests do, though the socket may not. */
  #keepAlive(): void {
    if (this.refed || (this.#events & WRITABLE) !== 0) this.watcher?.ref();
    else this.watcher?.unref();
  }

  // ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  get outgoing(): Sender {
    this.sender ??= new Sender(this.engine, this.channel.fd, this, this.settings.gso);
    return this.sender;
  }

  awaitWritable(): void {
    if (!this.closed) this.#wait(this.#events | WRITABLE);
  }

  retryAfter(ms: number): void {
    if (!this.closed) setTimeout(() => this.sender?.resume(), ms);
  }

  failed(name: string, remote: Endpoint | undefined, port: number): void {
    if (this.stats.errors === NO_ERRORS) this.stats.errors = {};
    this.stats.errors[name] = (this.stats.errors[name] ?? 0) + 1;
    publishFailed(this.socket, name, remote?.text, port);
  }

  answersFrom(source: Endpoint): boolean {
    if (this.foreign || this.closed || !this.engine.isRoutedHere(source)) return false;
    this.foreign = true; // once: what is refused again is gone
    return setUp(this.channel, { freebind: true }) === undefined;
  }

  explained(name: string): boolean {
    // An error of an earlier datagram is refused to whichever comes next; its own would come again.
    return ICMP_ERRORS.has(name) && drainErrors(this, true) > 0;
  }

  sourceGone(source: Endpoint, remote: Endpoint | undefined, port: number): void {
    if (remote !== undefined) this.sticky?.forget(remote, port, source);
  }

  drained(): void {
    if (!this.closed) this.resource.runInAsyncScope(this.socket.emit, this.socket, 'drain');
  }

  // ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────

  setRef(refed: boolean): void {
    this.refed = refed;
    this.#keepAlive();
    if (!refed) this.loop.letGo();
    if (refed) this.#timer?.ref();
    else this.#timer?.unref();
    if (refed) this.owner?.ref?.();
    else this.owner?.unref?.();
  }

  /** Sends what it can, and ends. Nothing is delivered after it. */
  end(): void {
    this.closed = true;
    if (this.held.length > 0) this.#discardHeld();
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.sender?.close();
    callBackEarly(); // or 'close' would come before what the last flush has settled
    this.watcher?.close();
    this.watcher = undefined;
    this.reads = false;
    this.channel.close();
    this.resource.emitDestroy();
  }

  #discardHeld(): void {
    for (const { msg } of this.held) if (msg !== undefined) this.stats.discarded++;
    this.held = NONE;
  }

  /** @throws the kernel's error */
  check(result: number, syscall: string): void {
    if (result < 0) throw failure(this.engine.host.platform, result, syscall);
  }
}
