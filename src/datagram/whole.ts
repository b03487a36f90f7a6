/**
 * Large datagrams that the kernel puts where they are to stay, into a Buffer that the listener gets, instead of into a ring
 * which they are copied out of. Such a Buffer has to be as long as its datagram: where two of one size came in a row, the
 * next ones are expected to be as long. What is longer goes on in the ring, and what is not so long is copied after all.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import type { Syscalls } from '../ffi/syscalls';
import type { Ring } from './ring';

/** Bytes from which on a copy costs more than to take an address and write it down. */
export const WHOLE = 4096;
/** Bytes that are kept ready at most. */
const READY = 512 * 1024;

export class WholeBuffers {
  readonly #ring: Ring;
  readonly #syscalls: Syscalls;
  /** Bytes between the payloads of two slots, and of each. */
  readonly #stride: number;
  readonly #room: number;
  /** By slot; undefined where its payload is in the ring alone. Held here, as their addresses stand in the ring. */
  readonly #ready: (Buffer | undefined)[];
  #last = 0;
  /** The Buffer at the highest address of late, and that address: see {@link WholeBuffers.#hold}. */
  #pin: WeakRef<Buffer> | undefined;
  #highest = 0n;
  /** How long the next datagrams are expected to be; 0: nobody knows. */
  expected = 0;
  /** Slots whose payload, or the first part of it, is not in the ring. */
  prepared = 0;

  constructor(ring: Ring, syscalls: Syscalls, stride: number, room: number) {
    this.#ring = ring;
    this.#syscalls = syscalls;
    this.#stride = stride;
    this.#room = room;
    this.#ready = new Array<Buffer | undefined>(ring.slots).fill(undefined);
  }

  /** Before a receive that may fill `slots` slots. */
  prepare(slots: number): void {
    const size = this.expected;
    const most = Math.min(slots, Math.floor(READY / size));
    try {
      for (let slot = 0; slot < most; slot++) {
        if (this.#ready[slot] !== undefined) continue;
        const buffer = Buffer.allocUnsafeSlow(size);
        const address = this.#syscalls.addressOf(buffer);
        this.#ready[slot] = buffer;
        if (address > this.#highest || this.#pin?.deref() === undefined) this.#hold(buffer, address);
        this.prepared++;
        this.#ring.pointAtForeignFirst(slot, address, size, slot * this.#stride + size, this.#room - size);
      }
    } catch {
      this.expected = 0; // no memory: whether there is for the message shows when it has come
    }
  }

  /**
   * V8 frees some 32 MB of such Buffers at a time. glibc gives what is free at the end of its heap back to the kernel, which then
   * has to clear it again page by page: up to twice the price of such a datagram. What is below a Buffer in use it keeps. V8 lets
   * go of what is only held weakly in its large collections, of which these datagrams cause none.
   */
  #hold(buffer: Buffer, address: bigint): void {
    this.#pin = new WeakRef(buffer);
    this.#highest = address;
  }

  /** The first `size` bytes of slot `slot`, if they are all of a Buffer; else its payload is in the ring when this returns. */
  take(slot: number, size: number): Buffer | undefined {
    this.expected = size === this.#last && size >= WHOLE ? size : 0;
    this.#last = size;
    const buffer = this.#ready[slot];
    if (buffer === undefined) return undefined;
    this.#ready[slot] = undefined;
    this.prepared--;
    const start = slot * this.#stride;
    this.#ring.pointAtPayloadAlone(slot, start, this.#room); // nothing is written any more to what is handed out
    if (buffer.length === size) return buffer;
    this.#ring.payload.set(buffer, start);
    return undefined;
  }
}
