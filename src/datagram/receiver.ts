/**
 * Takes a batch of datagrams out of a descriptor with one system call, and reads them slot by slot: name → sender,
 * control → destination, rinfo, message. Used synchronously (receive, then read every slot), so one Receiver serves all
 * sockets of a host that want the same sizes. Knows no events.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import { LOOPBACK } from '../address/ip';
import { wallClock } from '../captured';
import type { Syscalls } from '../ffi/syscalls';
import type { Platform } from '../platform/platform';
import type { RemoteInfo, SocketStats } from '../types';
import type { Read } from './carried';
import { newArrived, readControl } from './control';
import type { Endpoint } from './endpoint';
import { type Arrival, type Names, UNKNOWN } from './names';
import { copy as copyOf, HeardInfo } from './remote-info';
import { CONTROL_SPACE, Ring } from './ring';
import { newRemote, SOCKADDR_SPACE, Sockaddrs } from './sockaddr';
import { copy } from './typed-arrays';
import { WHOLE, WholeBuffers } from './whole';

/** Bytes between two payloads beyond their size: a power of two apart, they would share one set of the CPU's cache. */
const STAGGER = 64;
/**
 * Bytes up to which new memory is asked for that V8 clears: what a few bytes cost is less than what Buffer.allocUnsafeSlow does
 * around them, and up to 64 they stand on V8's own heap, for nothing.
 */
const FEW = 512;

/** Node's own FastBuffer, where it can be had: for a few bytes half the price of Buffer.allocUnsafeSlow. */
const species = (Buffer as unknown as { [Symbol.species]?: new (size: number) => Buffer })[Symbol.species];
const isPlain = species !== undefined && (species as unknown) !== Buffer && species.prototype === Buffer.prototype;
const SmallBuffer = isPlain ? species : undefined;

/**
 * Buffers made at a time, at most, for datagrams that come one at a time: what makes one is cold again by the time the next
 * datagram comes, and then costs several times what it costs in a row. A few datagrams of one size are no promise that it stays.
 */
const STOCK = 16;
/** Bytes up to which that is not worth it. */
const ON_HEAP = 64;

/** No process has so many open. */
const NO_DESCRIPTOR = 0x7fffffff;
/** What the control block of a datagram to 127.0.0.1 says, on the interface that most hosts number so. */
const HEARD_HERE = { ...newArrived(), family: 4, destination0: LOOPBACK, specDst: LOOPBACK, ifindex: 1 } as const;

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
  /** Where the last datagram of this socket arrived. */
  arrival: Arrival | undefined;
  readonly stats: SocketStats;
}

export class Receiver {
  readonly batch: number;
  readonly maxDatagramSize: number;
  /**
   * A rinfo like the first one, for good; undefined: nothing has been read yet. Where a garbage collection finds none, as in a
   * server that nobody has asked for some seconds, V8 forgets how they look (it holds hidden classes weakly), and throws away
   * what it has compiled for them.
   */
  kept: RemoteInfo | undefined;
  readonly #platform: Platform;
  readonly #syscalls: Syscalls;
  readonly #names: Names;
  readonly #sockaddrs: Sockaddrs;
  readonly #ring: Ring;
  readonly #stride: number;
  readonly #flags: number;
  readonly #MSG_TRUNC: number;
  readonly #MSG_CTRUNC: number;
  readonly #whole: WholeBuffers;
  /** Was the last receive for one datagram? */
  #alone = false;
  /** Ready for the next ones of `#stockSize` bytes. */
  readonly #stock = new Array<Buffer | undefined>(STOCK).fill(undefined);
  #stocked = 0;
  #stockSize = 0;
  /** Made the next time. */
  #stockNext = 1;
  /** The payload of each slot as long as it was last time: equal datagrams need no new view. */
  readonly #views: Uint8Array[];
  readonly #remote = newRemote();
  readonly #arrived = newArrived();
  /** What the datagram before said, for the next one that says the same. */
  readonly #previousName = new Previous(SOCKADDR_SPACE);
  readonly #previousControl = new Previous(CONTROL_SPACE);
  #from: Endpoint | undefined;
  #arrival: Arrival = UNKNOWN;
  /** For which socket, and which interfaces, the two above hold; undefined: for none. */
  #reading: Reading | undefined;
  /** Of that socket, which may have lost it since: by disconnect(), on Linux. */
  #port = 0;
  #generation = -1;
  /** Was the control block of the slot read last too small? */
  #cut = false;
  /** Bytes of the name before. */
  #nameSize: number;
  /** Slots whose lengths the kernel has overwritten: what is not reset shrinks from batch to batch (P19). */
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
    this.#ring.shareOut(this.#stride, maxDatagramSize);
    this.#whole = new WholeBuffers(this.#ring, syscalls, this.#stride, maxDatagramSize);
    this.#views = new Array<Uint8Array>(batch).fill(this.#view(0, 0, 0));
    // Linux tells the whole length of what it cuts, if it is asked to (recv(2)).
    this.#flags =
      platform.constants.MSG_DONTWAIT | (platform.quirks.truncTellsLength ? platform.constants.MSG_TRUNC : 0);
    this.#MSG_TRUNC = platform.constants.MSG_TRUNC;
    this.#MSG_CTRUNC = platform.constants.MSG_CTRUNC;
    this.#nameSize = this.#sockaddrs.size(4);
    this.#used = batch;
  }

  /** → datagrams now in slots 0…n-1, or -errno. @param limit at most so many */
  receive(fd: number, limit: number): number {
    const { messageWords, layout, controlSpace } = this.#ring;
    for (let slot = 0; slot < this.#used; slot++) {
      const message = slot * layout.size;
      messageWords[(message + layout.namelen) >>> 2] = SOCKADDR_SPACE;
      messageWords[(message + layout.controllen) >>> 2] = controlSpace;
      messageWords[(message + layout.flags) >>> 2] = 0;
    }
    // As many as came last time.
    if (this.#whole.expected > 0) this.#whole.prepare(Math.min(limit, this.#used));
    this.#used = 0; // should the call throw
    this.#alone = limit === 1;
    const received = this.#syscalls.recvmmsg(fd, this.#ring.messages, Math.min(limit, this.batch), this.#flags);
    this.#used = received > 0 ? received : 1; // after an error the kernel may have touched the first slot
    return received;
  }

  /**
   * `size` bytes of slot `slot` from `offset` on, in a Buffer that belongs to the listener.
   * @param own has it an ArrayBuffer of its own, of exactly its size, as dgram's? Else it is cut from Buffer's pool.
   */
  message(slot: number, size: number, own: boolean, offset = 0): Buffer {
    if (offset === 0 && (size >= WHOLE || this.#whole.prepared > 0)) {
      const whole = this.#whole.take(slot, size);
      if (whole !== undefined) return whole;
    }
    let msg: Buffer;
    if (!own) msg = Buffer.allocUnsafe(size);
    else if (size === this.#stockSize && this.#stocked > 0) {
      msg = this.#stock[--this.#stocked] as Buffer;
      this.#stock[this.#stocked] = undefined;
    } else if (size <= FEW && SmallBuffer !== undefined) {
      msg = this.#alone && size > ON_HEAP ? this.#restock(size, SmallBuffer) : new SmallBuffer(size);
    } else msg = Buffer.allocUnsafeSlow(size);
    if (offset > 0) copy.call(msg, this.#view(slot, size, offset));
    else {
      if (this.#views[slot].length !== size) this.#views[slot] = this.#view(slot, size, 0);
      copy.call(msg, this.#views[slot]);
    }
    return msg;
  }

  /** → a Buffer for a datagram that came alone; and makes more where the one before was as long. */
  #restock(size: number, Small: new (size: number) => Buffer): Buffer {
    if (size === this.#stockSize) this.#stockNext = Math.min(STOCK, this.#stockNext * 2);
    else {
      this.#stock.fill(undefined);
      this.#stocked = 0;
      this.#stockSize = size;
      this.#stockNext = 1;
    }
    const msg = new Small(size);
    try {
      while (this.#stocked < this.#stockNext - 1) this.#stock[this.#stocked++] = new Small(size);
    } catch {
      this.#stocked--; // no memory for more: this datagram has its own
    }
    return msg;
  }

  /** Who sent slot `slot`, to which address, and how many bytes of it there are. */
  rinfo(slot: number, reading: Reading): RemoteInfo {
    const { messageWords, layout } = this.#ring;
    const message = slot * layout.size;
    const told = messageWords[(message + layout.len) >>> 2];
    const size = Math.min(told, this.maxDatagramSize);
    const flags = messageWords[(message + layout.flags) >>> 2];
    const knows = reading === this.#reading && !this.#cut;
    this.#cut = (flags & this.#MSG_CTRUNC) !== 0;
    const isSamePeer = this.#previousName.replace(this.#ring.nameWords, slot * SOCKADDR_SPACE, this.#nameSize);
    // A zone may be another interface's by now.
    const remote =
      isSamePeer && knows && this.#remote.scope === 0 ? (this.#from as Endpoint) : this.#readName(slot, reading);
    const length = Math.max(0, Math.min(messageWords[(message + layout.controllen) >>> 2], this.#ring.controlSpace));
    const at = slot * this.#ring.controlSpace;
    const isSameControl = this.#previousControl.replace(this.#ring.control.words, at, length);
    const stays = this.#names.generation === this.#generation && reading.port === this.#port;
    const holds = isSameControl && knows && !this.#cut && stays;
    const arrival = holds ? this.#arrival : this.#readControl(at, length, reading);
    this.#reading = reading;
    const rinfo = new HeardInfo(remote, this.#remote.port, size, arrival, reading.hidden);
    this.kept ??= new HeardInfo(remote, this.#remote.port, size, arrival, reading.hidden);
    reading.stats.bytesIn += size;
    if (arrival.destination === undefined) reading.stats.destinationUnknown++;
    if ((flags & this.#MSG_TRUNC) !== 0) {
      rinfo.truncated = true;
      if (told > this.maxDatagramSize) rinfo.fullSize = told;
      reading.stats.truncated++;
    }
    if (reading.extras !== undefined) for (const read of reading.extras) read(this.#arrived, rinfo, reading.stats);
    return rinfo;
  }

  /**
   * Reads a datagram that nobody has sent, from the empty first slot, so that V8 has compiled what reads before one comes.
   * Nothing is left of it. Where one has been received already there is nothing to be done.
   */
  rehearse(reading: Reading): void {
    if (this.kept !== undefined) return;
    const { stats } = reading;
    const { destinationUnknown } = stats;
    this.receive(NO_DESCRIPTOR, 1); // refused
    this.message(0, this.rinfo(0, reading).size, true);
    this.#names.arrival(HEARD_HERE, reading.port, reading.mapped);
    stats.destinationUnknown = destinationUnknown;
    reading.arrival = undefined;
    this.#reading = undefined;
  }

  /** How long the datagram that rinfo() has read last had waited, in ms; 0 where the kernel did not say. */
  get age(): number {
    const { seconds, nanoseconds } = this.#arrived;
    return seconds < 0 ? 0 : wallClock() - (seconds * 1000 + nanoseconds / 1e6);
  }

  /** `rinfo` for one more datagram of the run that the slot holds. */
  again(rinfo: RemoteInfo, size: number, reading: Reading): RemoteInfo {
    // Made anew, where nothing else stands in it: several times as fast as a copy.
    if (reading.extras === undefined && rinfo.truncated === undefined)
      return new HeardInfo(this.#from as Endpoint, this.#remote.port, size, this.#arrival, reading.hidden);
    return copyOf(rinfo, size, reading.hidden);
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
    this.#sockaddrs.read(names, nameWords, slot * SOCKADDR_SPACE, remote);
    // The first word holds the family: where that is the same, so is the size.
    this.#nameSize = this.#sockaddrs.size(remote.family);
    // BSD and macOS: an AF_INET6 socket that is bound or connected to a mapped address hears of AF_INET peers.
    if (remote.family === 4 && reading.mapped) this.#from = this.#names.endpointMapped(remote.word0);
    else this.#from = this.#names.endpointOf(remote);
    return this.#from;
  }

  #readControl(at: number, length: number, reading: Reading): Arrival {
    const arrived = this.#arrived;
    readControl(this.#platform.cmsg, this.#platform.arrivals, this.#ring.control, at, length, arrived);
    if (this.#cut) arrived.family = 0; // what was cut off is not known (docs/rules.md, 7)
    this.#arrival = this.#names.arrival(arrived, reading.port, reading.mapped, reading.arrival);
    reading.arrival = this.#arrival;
    this.#generation = this.#names.generation;
    this.#port = reading.port;
    return this.#arrival;
  }
}

/**
 * Remembers bytes from one datagram to the next: most come from where the one before came from, and went to the same
 * address. What was made of the bytes then is used again.
 */
export class Previous {
  readonly #words: Int32Array;
  #count = -1;

  /** @param bytes that are compared at most */
  constructor(bytes: number) {
    this.#words = new Int32Array(bytes >>> 2);
  }

  /**
   * Keeps `length` bytes, in whole words, for the next call. → were they the same in the last call?
   * @param at a multiple of 4
   */
  replace(words: Int32Array, at: number, length: number): boolean {
    const first = at >>> 2;
    const count = (length + 3) >>> 2;
    let i = 0;
    if (count === this.#count) while (i < count && this.#words[i] === words[first + i]) i++;
    if (count === this.#count && i === count) return true;
    this.#count = count;
    for (; i < count; i++) this.#words[i] = words[first + i];
    return false;
  }
}
