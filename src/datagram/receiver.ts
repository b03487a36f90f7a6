/**
 * Takes a batch of datagrams out of a descriptor with one system call, and reads them slot by slot: name → sender,
 * control → destination, rinfo, message. Used synchronously (receive, then read every slot), so one Receiver serves all
 * sockets of a host that want the same sizes. Knows no events.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import { wallClock } from '../captured';
import type { Syscalls } from '../ffi/syscalls';
import type { Platform } from '../platform/platform';
import type { RemoteInfo, SocketStats } from '../types';
import type { Read } from './carried';
import { newArrived, readControl } from './control';
import type { Endpoint } from './endpoint';
import { type Arrival, type Names, UNKNOWN } from './names';
import { Previous } from './previous';
import { copyOf, dgramRemoteInfo, remoteInfo } from './remote-info';
import { CONTROL_SPACE, Ring } from './ring';
import { newRemote, SOCKADDR_SPACE, Sockaddrs } from './sockaddr';

/** Bytes between two payloads beyond their size: a power of two apart, they would share one set of the CPU's cache. */
const STAGGER = 64;
/** Bytes up to which V8 keeps the contents of a typed array on its own heap: an ArrayBuffer of one's own for nothing. */
const ON_HEAP = 64;

/** Found once, because V8 looks a Buffer's method up at each call. */
const copy = Uint8Array.prototype.set;

/** Makes a Buffer that owns its bytes. Node's own FastBuffer where it can be had: half the price of Buffer.alloc. */
const OwnBuffer = (Buffer as unknown as { [Symbol.species]?: new (size: number) => Buffer })[Symbol.species];
const small: (size: number) => Buffer =
  OwnBuffer !== undefined && (OwnBuffer as unknown) !== Buffer && OwnBuffer.prototype === Buffer.prototype
    ? (size) => new OwnBuffer(size)
    : (size) => Buffer.alloc(size);

/** What {@link Receiver.rinfo} must know of the socket. */
export interface Reading {
  /** The port it is bound to. */
  port: number;
  /** Is it an AF_INET6 socket that sees IPv4 addresses as ::ffff:a.b.c.d? */
  readonly mapped: boolean;
  /** Are our two fields of rinfo left out of what programs enumerate? */
  readonly hidden: boolean;
  /** undefined where nothing but the destination was asked for. */
  readonly extras: readonly Read[] | undefined;
  readonly stats: SocketStats;
}

export class Receiver {
  readonly batch: number;
  readonly maxDatagramSize: number;
  readonly #platform: Platform;
  readonly #syscalls: Syscalls;
  readonly #names: Names;
  readonly #sockaddrs: Sockaddrs;
  readonly #ring: Ring;
  readonly #stride: number;
  readonly #flags: number;
  readonly #MSG_TRUNC: number;
  readonly #MSG_CTRUNC: number;
  /** The payload of each slot as long as it was last time: equal datagrams need no new view. */
  readonly #views: Uint8Array[] = [];
  readonly #remote = newRemote();
  readonly #arrived = newArrived();
  /** What the datagram before said, for the next one that says the same. */
  readonly #previousName = new Previous(SOCKADDR_SPACE);
  readonly #previousControl = new Previous(CONTROL_SPACE);
  #from: Endpoint | undefined;
  #arrival: Arrival = UNKNOWN;
  /** For which socket, and which interfaces, the two above hold; undefined: for none. */
  #reading: Reading | undefined;
  #generation = -1;
  /** Was the control block of the slot read last too small? */
  #cut = false;
  /** Slots whose lengths the kernel has overwritten since they were set. */
  #used: number;

  constructor(platform: Platform, syscalls: Syscalls, names: Names, batch: number, maxDatagramSize: number) {
    this.batch = batch;
    this.#platform = platform;
    this.#syscalls = syscalls;
    this.#names = names;
    this.#sockaddrs = new Sockaddrs(platform);
    this.maxDatagramSize = maxDatagramSize;
    this.#stride = ((maxDatagramSize + 7) & -8) + STAGGER;
    this.#ring = new Ring(platform, syscalls, batch, CONTROL_SPACE, batch * this.#stride);
    for (let slot = 0; slot < batch; slot++) {
      this.#ring.pointAtPayload(slot, slot * this.#stride, maxDatagramSize);
      this.#views.push(this.#view(slot, 0, 0));
    }
    // Linux tells the whole length of what it cuts, if it is asked to (recv(2)).
    this.#flags =
      platform.constants.MSG_DONTWAIT | (platform.quirks.truncTellsLength ? platform.constants.MSG_TRUNC : 0);
    this.#MSG_TRUNC = platform.constants.MSG_TRUNC;
    this.#MSG_CTRUNC = platform.constants.MSG_CTRUNC;
    this.#used = batch;
  }

  /** → datagrams now in slots 0…n-1, or -errno. @param limit at most so many */
  receive(fd: number, limit: number): number {
    this.#reset();
    const received = this.#syscalls.recvmmsg(fd, this.#ring.messages, Math.min(limit, this.batch), this.#flags);
    this.#used = received > 0 ? received : 1; // after an error the kernel may have touched the first slot
    return received;
  }

  /** Bytes of slot `slot`. */
  size(slot: number): number {
    const { messageWords, layout } = this.#ring;
    return Math.min(messageWords[(slot * layout.size + layout.len) >>> 2], this.maxDatagramSize);
  }

  /**
   * `size` bytes of slot `slot` from `offset` on, in a Buffer that belongs to the listener.
   * @param own has it an ArrayBuffer of its own, of exactly its size, as dgram's? Else it is cut from Buffer's pool.
   */
  message(slot: number, size: number, own: boolean, offset = 0): Buffer {
    const msg = !own ? Buffer.allocUnsafe(size) : size <= ON_HEAP ? small(size) : Buffer.allocUnsafeSlow(size);
    if (offset > 0) copy.call(msg, this.#view(slot, size, offset));
    else {
      if (this.#views[slot].length !== size) this.#views[slot] = this.#view(slot, size, 0);
      copy.call(msg, this.#views[slot]);
    }
    return msg;
  }

  /** Who sent slot `slot`, and to which address. @param size bytes of its message */
  rinfo(slot: number, size: number, reading: Reading): RemoteInfo {
    const { messageWords, layout } = this.#ring;
    const flags = messageWords[(slot * layout.size + layout.flags) >>> 2];
    this.#cut = (flags & this.#MSG_CTRUNC) !== 0;
    const remote = this.#readName(slot, reading);
    const arrival = this.#readControl(slot, reading);
    const rinfo = (reading.hidden ? dgramRemoteInfo : remoteInfo)(remote, this.#remote.port, size, arrival);
    this.#reading = this.#cut ? undefined : reading;
    if (arrival.destination === undefined) reading.stats.destinationUnknown++;
    if ((flags & this.#MSG_TRUNC) !== 0) {
      rinfo.truncated = true;
      const told = messageWords[(slot * layout.size + layout.len) >>> 2];
      if (told > this.maxDatagramSize) rinfo.fullSize = told;
      reading.stats.truncated++;
    }
    if (reading.extras !== undefined) for (const read of reading.extras) read(this.#arrived, rinfo, reading.stats);
    return rinfo;
  }

  /** How long the datagram that rinfo() has read last had waited, in ms; 0 where the kernel did not say. */
  get age(): number {
    const { seconds, nanoseconds } = this.#arrived;
    return seconds < 0 ? 0 : wallClock() - (seconds * 1000 + nanoseconds / 1e6);
  }

  /** `rinfo` for one more datagram of the run that the slot holds. */
  again(rinfo: RemoteInfo, size: number): RemoteInfo {
    const own = copyOf(rinfo);
    own.size = size;
    return own;
  }

  /**
   * With `gro`, bytes of each datagram in the slot that rinfo() has read last, which the kernel has coalesced; the last
   * one may be shorter. `size` where it holds one datagram; 0 where nobody can tell them apart any more (P29).
   */
  segment(size: number): number {
    if (this.#cut) return 0;
    const { segment } = this.#arrived;
    return segment > 0 && segment < size ? segment : size;
  }

  #view(slot: number, size: number, offset: number): Uint8Array {
    const { buffer, byteOffset } = this.#ring.payload;
    return new Uint8Array(buffer, byteOffset + slot * this.#stride + offset, size);
  }

  #readName(slot: number, reading: Reading): Endpoint {
    const { names, nameWords } = this.#ring;
    const remote = this.#remote;
    const at = slot * SOCKADDR_SPACE;
    // The first word holds the family: where that is the same, so is the size. A zone may be another interface's by now.
    const same = this.#previousName.replace(nameWords, at, this.#sockaddrs.size(remote.family));
    if (same && this.#from !== undefined && remote.scope === 0 && reading === this.#reading) return this.#from;
    this.#sockaddrs.read(names, nameWords, at, remote);
    // BSD and macOS: an AF_INET6 socket that is bound or connected to a mapped address hears of AF_INET peers.
    if (remote.family === 4 && reading.mapped) this.#from = this.#names.endpointMapped(remote.word0);
    else this.#from = this.#names.endpointOf(remote);
    return this.#from;
  }

  #readControl(slot: number, reading: Reading): Arrival {
    const { messageWords, layout, control, controlSpace } = this.#ring;
    const { generation } = this.#names;
    const arrived = this.#arrived;
    const at = slot * controlSpace;
    const length = Math.max(0, Math.min(messageWords[(slot * layout.size + layout.controllen) >>> 2], controlSpace));
    const same = this.#previousControl.replace(control.words, at, length);
    if (same && !this.#cut && reading === this.#reading && generation === this.#generation) return this.#arrival;
    readControl(this.#platform.cmsg, this.#platform.arrivals, control, at, length, arrived);
    if (this.#cut) arrived.family = 0; // what was cut off is not known (docs/rules.md, 7)
    this.#arrival = this.#names.arrival(arrived, reading.port, reading.mapped);
    this.#generation = generation;
    return this.#arrival;
  }

  /** The kernel overwrites lengths and flags: what is not reset shrinks from batch to batch (P19). */
  #reset(): void {
    const { messageWords, layout, controlSpace } = this.#ring;
    for (let slot = 0; slot < this.#used; slot++) {
      const message = slot * layout.size;
      messageWords[(message + layout.namelen) >>> 2] = SOCKADDR_SPACE;
      messageWords[(message + layout.controllen) >>> 2] = controlSpace;
      messageWords[(message + layout.flags) >>> 2] = 0;
    }
    this.#used = 0;
  }
}
