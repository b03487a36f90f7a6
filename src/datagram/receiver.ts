/**
 * Takes a batch of datagrams out of a descriptor with one system call, and reads them slot by slot. Used synchronously
 * (receive, then read every slot), so one Receiver serves all sockets of a host that want the same sizes.
 * Knows no events.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import type { Syscalls } from '../ffi/syscalls';
import type { Platform } from '../platform/platform';
import type { RemoteInfo, SocketStats } from '../types';
import { newArrived, readControl } from './control';
import type { Arrival, Names } from './names';
import { Repeat } from './repeat';
import { CONTROL_SPACE, Ring } from './ring';
import { newRemote, type Remote, SOCKADDR_SPACE, Sockaddrs } from './sockaddr';

/** Bytes between two payloads beyond their size: a power of two apart, they would share one set of the CPU's cache. */
const STAGGER = 64;

/** Found once, because V8 looks a Buffer's method up at each call. */
const copy = Uint8Array.prototype.set;

/** What {@link Receiver.rinfo} must know of the socket. */
export interface Reading {
  /** The port it is bound to. */
  readonly port: number;
  /** Does it see IPv4 addresses as ::ffff:a.b.c.d? */
  readonly mapped: boolean;
  readonly ttl: boolean;
  readonly tos: boolean;
  readonly timestamp: boolean;
  readonly drops: boolean;
  readonly stats: SocketStats;
}

export class Receiver {
  readonly batch: number;
  readonly maxDatagramSize: number;
  /** Code of the program's runs while slots are being read: who receives now needs another Receiver. */
  busy = false;
  readonly #platform: Platform;
  readonly #syscalls: Syscalls;
  readonly #names: Names;
  readonly #sockaddrs: Sockaddrs;
  readonly #ring: Ring;
  readonly #stride: number;
  /** The payload of each slot as long as it was last time: equal datagrams need no new view. */
  readonly #views: Uint8Array[] = [];
  readonly #MSG_TRUNC: number;
  readonly #MSG_CTRUNC: number;
  readonly #remote = newRemote();
  readonly #arrived = newArrived();
  /** What the datagram before said, for the next one that says the same. */
  readonly #sameName = new Repeat(SOCKADDR_SPACE);
  readonly #sameControl = new Repeat(CONTROL_SPACE);
  #address = '';
  #arrival: Arrival = { destination: undefined, localAddress: undefined };
  /** For which socket, and which interfaces, #arrival holds; undefined: for none. */
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
    this.#MSG_TRUNC = platform.constants.MSG_TRUNC;
    this.#MSG_CTRUNC = platform.constants.MSG_CTRUNC;
    this.#used = batch;
  }

  /** → datagrams now in slots 0…n-1, or -errno. @param limit at most so many, for shared descriptors */
  receive(fd: number, stats: SocketStats, limit = this.batch): number {
    this.#reset();
    const received = this.#syscalls.recvmmsg(
      fd,
      this.#ring.messages,
      Math.min(limit, this.batch),
      this.#platform.constants.MSG_DONTWAIT,
    );
    stats.systemCallsIn++;
    // After an error the kernel may have touched the first slot.
    this.#used = received > 0 ? received : 1;
    if (received > 0) stats.datagramsIn += received;
    return received;
  }

  /** Bytes of slot `slot`. */
  size(slot: number): number {
    const { messageWords, layout } = this.#ring;
    return Math.min(messageWords[(slot * layout.size + layout.len) >>> 2], this.maxDatagramSize);
  }

  /** `size` bytes of slot `slot` from `offset` on, in a Buffer that belongs to the listener. */
  message(slot: number, size: number, offset = 0): Buffer {
    const msg = Buffer.allocUnsafe(size);
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
    const { stats } = reading;
    const flags = messageWords[(slot * layout.size + layout.flags) >>> 2];
    this.#cut = (flags & this.#MSG_CTRUNC) !== 0;
    const remote = this.#readName(slot);
    const { destination, localAddress } = this.#readControl(slot, reading);
    const rinfo: RemoteInfo = {
      address: this.#address,
      family: remote.family === 4 ? 'IPv4' : 'IPv6',
      port: remote.port,
      size,
      destination,
      localAddress,
    };
    stats.bytesIn += size;
    if (destination === undefined) stats.destinationUnknown++;
    if ((flags & this.#MSG_TRUNC) !== 0) {
      rinfo.truncated = true;
      stats.truncated++;
    }
    if (reading.ttl || reading.tos || reading.timestamp || reading.drops) this.#addMetadata(rinfo, reading);
    return rinfo;
  }

  /**
   * With `gro`, bytes of each datagram in the slot that rinfo() has read last, which the kernel has glued together; the
   * last one may be shorter. `size` where it holds one datagram; 0 where nobody can tell them apart any more (P29).
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

  #readName(slot: number): Remote {
    const { names, nameWords } = this.#ring;
    const remote = this.#remote;
    const at = slot * SOCKADDR_SPACE;
    // The first word holds the family: where that is the same, so is the size. A zone may be another interface's by now.
    const size = this.#sockaddrs.size(remote.family);
    if (this.#sameName.same(nameWords, at, size) && remote.scope === 0) return remote;
    this.#sockaddrs.read(names, nameWords, at, remote);
    this.#address = this.#names.remoteText(remote);
    return remote;
  }

  #readControl(slot: number, reading: Reading): Arrival {
    const { messageWords, layout, control, controlSpace } = this.#ring;
    const { generation } = this.#names;
    const arrived = this.#arrived;
    const at = slot * controlSpace;
    const length = Math.max(0, Math.min(messageWords[(slot * layout.size + layout.controllen) >>> 2], controlSpace));
    const same = this.#sameControl.same(control.words, at, length);
    if (same && !this.#cut && reading === this.#reading && generation === this.#generation) return this.#arrival;
    readControl(this.#platform.cmsg, this.#platform.arrivals, control, at, length, arrived);
    if (this.#cut) arrived.family = 0; // what was cut off is not known (docs/rules.md, 7)
    this.#arrival = this.#names.arrival(arrived, reading.port, reading.mapped);
    this.#reading = this.#cut ? undefined : reading;
    this.#generation = generation;
    return this.#arrival;
  }

  #addMetadata(rinfo: RemoteInfo, reading: Reading): void {
    const arrived = this.#arrived;
    if (reading.ttl && arrived.ttl >= 0) rinfo.ttl = arrived.ttl;
    if (reading.tos && arrived.tos >= 0) {
      rinfo.tos = arrived.tos;
      rinfo.ecn = arrived.tos & 3;
    }
    if (reading.timestamp && arrived.seconds >= 0) {
      rinfo.timestamp = BigInt(arrived.seconds) * 1_000_000_000n + BigInt(arrived.nanoseconds);
    }
    if (reading.drops) {
      // Absent until the first drop (P30).
      rinfo.drops = Math.max(arrived.drops, 0);
      reading.stats.droppedByKernel = rinfo.drops;
    }
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
