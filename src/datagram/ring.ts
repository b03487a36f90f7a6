/**
 * The memory of a batch: an array of messages as recvmmsg and sendmmsg take it, and the sockaddrs, iovecs and control
 * blocks they point to. Allocated once; every address is taken once, and this object holds every buffer whose address
 * stands in another (V8 frees what nobody holds, P50). No part of it is ever handed out: a transfer would detach it.
 */
import type { Syscalls } from '../ffi/syscalls';
import type { ControlView, MessageLayout, Platform } from '../platform/platform';
import { SOCKADDR_SPACE } from './sockaddr';

/** Room for every control message that can be asked for at once, twice (P19). A multiple of 8. */
export const CONTROL_SPACE = 256;

/** iovecs of each message, of which it uses one mostly. */
const PARTS = 2;

export class Ring {
  readonly slots: number;
  readonly layout: MessageLayout;
  /** The array of messages. */
  readonly messages: Buffer;
  readonly messageWords: Int32Array;
  readonly names: Uint8Array;
  readonly nameWords: Int32Array;
  readonly control: ControlView;
  readonly controlSpace: number;
  readonly iovecWords: Int32Array;
  /** Where the bytes of the datagrams are. */
  readonly payload: Buffer;
  readonly #nameBase: Pointer;
  readonly #controlBase: Pointer;
  readonly #payloadBase: Pointer;

  constructor(platform: Platform, syscalls: Syscalls, slots: number, controlSpace: number, payloadBytes: number) {
    const layout = platform.message;
    this.slots = slots;
    this.layout = layout;
    this.controlSpace = controlSpace;
    this.messages = block(slots * layout.size);
    const names = block(slots * SOCKADDR_SPACE);
    const control = block(slots * controlSpace);
    const iovecs = block(slots * PARTS * layout.iovec.size);
    this.payload = block(payloadBytes);
    this.messageWords = wordsOf(this.messages);
    this.names = names;
    this.nameWords = wordsOf(names);
    this.control = { bytes: control, words: wordsOf(control) };
    this.iovecWords = wordsOf(iovecs);
    this.#nameBase = pointer(syscalls.addressOf(names));
    this.#controlBase = pointer(syscalls.addressOf(control));
    this.#payloadBase = pointer(syscalls.addressOf(this.payload));
    const iovecBase = pointer(syscalls.addressOf(iovecs));
    this.#storeAll(this.messageWords, layout.iov, layout.size, iovecBase, PARTS * layout.iovec.size);
    this.#storeAll(this.messageWords, layout.name, layout.size, this.#nameBase, SOCKADDR_SPACE);
    this.#storeAll(this.messageWords, layout.control, layout.size, this.#controlBase, controlSpace);
    for (let slot = 0; slot < slots; slot++) this.#useParts(slot, 1);
  }

  /** Makes each message carry `length` bytes of {@link payload}, which begin `stride` bytes apart. */
  shareOut(stride: number, length: number): void {
    const { size, base, len } = this.layout.iovec;
    this.#storeAll(this.iovecWords, base, PARTS * size, this.#payloadBase, stride);
    for (let slot = 0; slot < this.slots; slot++) this.iovecWords[(slot * PARTS * size + len) >>> 2] = length;
  }

  /** Makes message `slot` carry `length` bytes of {@link payload} from `offset` on. */
  pointAtPayload(slot: number, offset: number, length: number): void {
    this.#point(slot * PARTS, this.#payloadBase, offset, length);
  }

  /** Makes message `slot` carry `length` bytes at an address outside. Whoever calls holds them until they are sent. */
  pointAtForeign(slot: number, address: bigint, length: number): void {
    this.#point(slot * PARTS, pointer(address), 0, length);
  }

  /**
   * Makes message `slot` carry `length` bytes at an address outside, and then `rest` bytes of {@link payload} from `offset` on.
   * Whoever calls holds the ones outside until {@link pointAtPayloadAlone}.
   */
  pointAtForeignFirst(slot: number, address: bigint, length: number, offset: number, rest: number): void {
    this.pointAtForeign(slot, address, length);
    this.#point(slot * PARTS + 1, this.#payloadBase, offset, rest);
    this.#useParts(slot, PARTS);
  }

  pointAtPayloadAlone(slot: number, offset: number, length: number): void {
    this.pointAtPayload(slot, offset, length);
    this.#useParts(slot, 1);
  }

  /** Makes message `slot` carry more or fewer of the bytes that it {@link pointAtPayload points at}. */
  resizePayload(slot: number, length: number): void {
    const { size, len } = this.layout.iovec;
    this.iovecWords[(slot * PARTS * size + len) >>> 2] = length;
  }

  #point(iovec: number, base: Pointer, offset: number, length: number): void {
    const at = iovec * this.layout.iovec.size;
    this.#store(this.iovecWords, at + this.layout.iovec.base, base, offset);
    this.iovecWords[(at + this.layout.iovec.len) >>> 2] = length;
  }

  #useParts(slot: number, parts: number): void {
    this.messageWords[(slot * this.layout.size + this.layout.iovlen) >>> 2] = parts;
  }

  pointAtName(slot: number): void {
    this.#store(this.messageWords, slot * this.layout.size + this.layout.name, this.#nameBase, slot * SOCKADDR_SPACE);
  }

  /** For connected sockets: with a name, BSD and macOS say EISCONN. */
  pointAtNoName(slot: number): void {
    this.#store(this.messageWords, slot * this.layout.size + this.layout.name, NULL, 0);
  }

  pointAtControl(slot: number): void {
    const at = slot * this.layout.size + this.layout.control;
    this.#store(this.messageWords, at, this.#controlBase, slot * this.controlSpace);
  }

  /** BSD and macOS refuse a control pointer beside a length of 0 (P23). */
  pointAtNoControl(slot: number): void {
    this.#store(this.messageWords, slot * this.layout.size + this.layout.control, NULL, 0);
  }

  /**
   * Writes a pointer for each slot, `stride` bytes apart, to what is `step` bytes apart. Nothing is called in between: a
   * program's first datagram waits for this, and nothing has been compiled yet.
   */
  #storeAll(words: Int32Array, at: number, stride: number, base: Pointer, step: number): void {
    const { slots } = this;
    const { pointerSize, littleEndian } = this.layout;
    const [low, high] = [littleEndian || pointerSize === 4 ? 0 : 1, littleEndian ? 1 : 0];
    for (let slot = 0, index = at >>> 2; slot < slots; slot++, index += stride >>> 2) {
      const word = (base.low + slot * step) | 0;
      words[index + low] = word;
      if (pointerSize === 8) words[index + high] = base.high + (word >>> 0 < base.low >>> 0 ? 1 : 0);
    }
  }

  /** Writes base + offset as a pointer, without a BigInt. */
  #store(words: Int32Array, at: number, base: Pointer, offset: number): void {
    const index = at >>> 2;
    const low = (base.low + offset) | 0;
    if (this.layout.pointerSize === 4) {
      words[index] = low;
      return;
    }
    const high = (base.high + (low >>> 0 < base.low >>> 0 ? 1 : 0)) | 0;
    words[index] = this.layout.littleEndian ? low : high;
    words[index + 1] = this.layout.littleEndian ? high : low;
  }
}

/** An address in halves. Addresses may use all 64 bits (Android tags them), which a Number cannot hold. */
interface Pointer {
  readonly low: number;
  readonly high: number;
}

const NULL: Pointer = { low: 0, high: 0 };

/** A BigInt is taken apart by writing it into memory: to shift it makes new ones. */
const whole = new BigUint64Array(1);
const halves = new Int32Array(whole.buffer);
/** Of the CPU that this runs on; `layout.littleEndian` may be a model's. */
const LOW = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 0 : 1;

function pointer(address: bigint): Pointer {
  whole[0] = address;
  return { low: halves[LOW], high: halves[1 - LOW] };
}

/** Zeroed memory of its own, never from Buffer's pool, on a multiple of 8. */
export function block(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes));
}

export function wordsOf(bytes: Buffer): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
}
