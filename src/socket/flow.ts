/**
 * Moves datagrams between one channel and one socket: waits, receives in batches, has them handed over (delivery.ts), and
 * sends again what the kernel would not take. The only place where bytes meet the event loop.
 */
import type { AsyncResource } from 'node:async_hooks';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import type { Channel } from '../datagram/channel';
import type { Endpoint } from '../datagram/endpoint';
import { failure } from '../datagram/failure';
import type { Reading, Receiver } from '../datagram/receiver';
import { type Outlet, Sender } from '../datagram/sender';
import { READABLE, type Watcher, WRITABLE } from '../ffi/index';
import type { RemoteInfo, SocketStats } from '../types';
import { type Audience, Delivery } from './delivery';
import { LARGEST_DATAGRAM, type Settings } from './options';
import type { Sticky } from './sticky';
import type { Turn } from './turn';

/** Datagrams, and errors, that pause() takes at most: a flood may go on meanwhile. */
const PAUSE_DATAGRAMS = 65536;
const PAUSE_ERRORS = 16;

export class Flow implements Outlet {
  readonly sender: Sender;
  readonly #channel: Channel;
  readonly #settings: Settings;
  readonly #stats: SocketStats;
  readonly #delivery: Delivery;
  readonly #sticky: Sticky | undefined;
  readonly #resource: AsyncResource;
  #receiver: Receiver;
  readonly #reading: Reading;
  /** Datagrams per system call. 1 where other processes receive from the same descriptor: each gets its share. */
  readonly #limit: number;
  #watcher: Watcher | undefined;
  #retry: NodeJS.Timeout | undefined;
  #events = READABLE;
  /** Is the program asked which datagrams it wants? */
  readonly #filters: boolean;
  /** By the last system call; negative is an error. */
  #received = 0;
  #open = true;

  constructor(
    channel: Channel,
    settings: Settings,
    stats: SocketStats,
    turn: Turn,
    resource: AsyncResource,
    audience: Audience,
    sticky: Sticky | undefined,
    shared = false,
  ) {
    const { engine } = channel;
    this.#channel = channel;
    this.#settings = settings;
    this.#stats = stats;
    this.#delivery = new Delivery(audience, stats, turn, resource, sticky, this.#refill);
    this.#resource = resource;
    this.#sticky = sticky;
    this.#filters = settings.accept !== undefined || settings.receiveBlockList !== undefined;
    // What the kernel has glued together is cut to size after it has been taken apart.
    this.#receiver = engine.receiver(settings.batch, settings.gro ? LARGEST_DATAGRAM : settings.maxDatagramSize);
    this.#limit = shared ? 1 : settings.batch;
    this.#reading = {
      port: channel.port,
      mapped: channel.kind === 'dual',
      ttl: settings.recvTTL,
      tos: settings.recvTOS,
      timestamp: settings.recvTimestamp,
      drops: settings.recvDrops,
      stats,
    };
    this.sender = new Sender(
      engine.host.platform,
      engine.host.syscalls,
      engine.rings,
      channel.fd,
      stats,
      this,
      settings.gso,
    );
  }

  /** Waits for datagrams from now on. @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM */
  start(refed: boolean): void {
    this.sender.moveTo(this.#channel.fd);
    this.#watcher = this.#channel.engine.host.readiness.watch(this.#channel.fd, this.#ready);
    if (!refed) this.#watcher.unref();
    this.#watcher.start(this.#events);
  }

  /** The channel's descriptor is about to be another one: takes what waits in the old one. {@link start} goes on. */
  pause(): void {
    this.sender.flush();
    const usual = this.#receiver;
    // A filter that is being asked has brought us here: what stands in the ring has not been read to its end.
    if (usual.busy) this.#receiver = this.#channel.engine.newReceiver(usual.batch, usual.maxDatagramSize);
    this.#takeAll();
    this.#receiver = usual;
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  /** What is left goes with the descriptor, and nobody would know of it. */
  #takeAll(): void {
    const { EAGAIN } = this.#channel.engine.host.platform.errno;
    const enough = this.#stats.datagramsIn + PAUSE_DATAGRAMS;
    for (let errors = 0; this.#open && errors < PAUSE_ERRORS && this.#stats.datagramsIn < enough; ) {
      const received = this.#receive();
      if (received === -EAGAIN) return; // fewer than asked for may mean an error behind them
      if (received < 0) errors++;
    }
  }

  /** Receives no more. Sending goes on. */
  deafen(): void {
    this.#events &= ~READABLE;
    this.#watcher?.start(this.#events);
  }

  ref(): void {
    this.#watcher?.ref();
  }

  unref(): void {
    this.#watcher?.unref();
  }

  /** Sends what it can, and ends. Nothing is handed over after it. The descriptor may be closed then. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#delivery.close();
    clearTimeout(this.#retry);
    this.sender.close();
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  awaitWritable(): void {
    if (!this.#open) return;
    this.#events |= WRITABLE;
    this.#watcher?.start(this.#events);
  }

  retryAfter(ms: number): void {
    if (this.#open) this.#retry = setTimeout(this.#resume, ms);
  }

  /** Asks the kernel, which knows better than any list of interfaces: can a socket be bound to it? */
  isLocal(source: Endpoint): boolean {
    const { host, sockaddrs } = this.#channel.engine;
    const fd = host.syscalls.socket(sockaddrs.af(source.family));
    if (fd < 0) return true;
    const result = host.syscalls.bind(fd, sockaddrs.encode(source, 0));
    host.syscalls.close(fd);
    return result >= 0;
  }

  sourceGone(source: Endpoint, remote: Endpoint | undefined, port: number): void {
    if (remote !== undefined) this.#sticky?.forget(remote, port, source);
  }

  /** Runs inside the poll callback: no listener may be called here. */
  readonly #ready = (events: number): void => {
    if (!this.#open) return;
    if ((events & WRITABLE) !== 0 && (this.#events & WRITABLE) !== 0) {
      this.#events &= ~WRITABLE;
      this.#watcher?.start(this.#events);
      setImmediate(this.#resume);
    }
    // The descriptor stays readable while a batch is being handed over; the next one has to wait.
    if ((events & ~WRITABLE) !== 0 && !this.#delivery.busy) this.#receive();
  };

  readonly #resume = (): void => {
    if (this.#open) this.sender.resume();
  };

  /** → what the system call returned */
  #receive(): number {
    const received = this.#takeBatch();
    // What a filter has put off for a tick needs a turn to come (koffi.md §2.10), even where it let nothing in.
    if ((this.#delivery.size > 0 || this.#filters) && !this.#delivery.busy) this.#delivery.begin();
    if (received < 0) this.#receiveFailed(received); // after what came before it
    return received;
  }

  /** Behind a batch that was large there is likely to be another one, which nobody has to be woken for. */
  readonly #refill = (): boolean => {
    const deaf = (this.#events & READABLE) === 0;
    if (!this.#open || deaf || this.#limit === 1 || this.#received * 2 < this.#limit) return false;
    const received = this.#takeBatch();
    if (received < 0) this.#receiveFailed(received);
    return this.#delivery.size > 0;
  };

  #takeBatch(): number {
    this.#channel.engine.names.refresh();
    const receiver = this.#receiver;
    const received = receiver.receive(this.#channel.fd, this.#stats, this.#limit);
    this.#received = received;
    receiver.busy = this.#filters;
    for (let slot = 0; slot < received; slot++) this.#take(slot);
    receiver.busy = false;
    return received;
  }

  #take(slot: number): void {
    const size = this.#receiver.size(slot);
    const rinfo = this.#receiver.rinfo(slot, size, this.#reading);
    if (this.#filters && !this.#accepts(rinfo)) {
      this.#stats.filtered++;
      return;
    }
    if (this.#settings.gro) {
      this.#takeApart(slot, size, rinfo);
      return;
    }
    this.#delivery.push(this.#receiver.message(slot, size), rinfo);
  }

  /** The kernel may have glued several datagrams of one sender together. */
  #takeApart(slot: number, size: number, rinfo: RemoteInfo): void {
    const segment = this.#receiver.segment(size);
    if (segment === 0 && size > 0) {
      this.#stats.truncated++; // one by one they cannot be had any more, and glued together they are wrong
      return;
    }
    let offset = 0;
    do {
      const length = Math.min(segment, size - offset);
      const kept = Math.min(length, this.#settings.maxDatagramSize);
      const own: RemoteInfo = kept === size ? rinfo : { ...rinfo, size: kept };
      this.#delivery.push(this.#receiver.message(slot, kept, offset), own);
      this.#stats.bytesIn -= length - kept;
      if (kept < length) {
        own.truncated = true;
        this.#stats.truncated++;
      }
      if (offset > 0) this.#stats.datagramsIn++;
      offset += length;
    } while (offset < size);
  }

  #accepts(rinfo: RemoteInfo): boolean {
    const { accept, receiveBlockList } = this.#settings;
    try {
      if (receiveBlockList?.check(rinfo.address, rinfo.family === 'IPv4' ? 'ipv4' : 'ipv6')) return false;
      if (accept === undefined) return true;
      // A filter lets in what it knows: a datagram that does not say where it went to is not known.
      if (rinfo.destination === undefined) return false;
      return this.#resource.runInAsyncScope(accept, undefined, rinfo.destination);
    } catch (error) {
      this.#resource.runInAsyncScope(setImmediate, undefined, () => {
        throw error;
      });
      return false;
    }
  }

  #receiveFailed(result: number): void {
    const { platform } = this.#channel.engine.host;
    if (result === -platform.errno.EAGAIN) return;
    this.#delivery.fail(failure(platform, result, 'recvmsg'));
  }
}
