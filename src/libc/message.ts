/**
 * The message header that a call gets: made anew from what is held at that moment, laid out by Platform.message. Nothing
 * that a user can write into is read as an address, and lengths are those of the bytes behind them.
 */
import type { Host } from '../ffi';
import type { MessageLayout } from '../platform/platform';

/** Zeroed bytes that begin at a multiple of 8. */
export function block(length: number): Buffer {
  return Buffer.from(new ArrayBuffer((Math.max(1, length) + 7) & -8), 0, Math.max(1, length));
}

/** Where a message may have its parts. Whoever calls holds them until the call has returned. */
export interface Parts {
  readonly name: Buffer | undefined;
  readonly iov: readonly Buffer[];
  readonly control: Buffer | undefined;
}

/** One message for recvmmsg or sendmmsg. */
export class Message {
  readonly bytes: Buffer;
  readonly #layout: MessageLayout;
  readonly #addressOf: (bytes: Buffer) => bigint;
  /** Held, as `bytes` has its address. */
  #iovecs = block(0);

  constructor({ platform, syscalls }: Host) {
    this.#layout = platform.message;
    this.bytes = block(platform.message.size);
    this.#addressOf = (bytes) => syscalls.addressOf(bytes);
  }

  /** Forgets what the last call left, and points at these. An empty part has an address as well: it is NULL. */
  fill({ name, iov, control }: Parts): void {
    const { bytes } = this;
    const layout = this.#layout;
    bytes.fill(0);
    this.#point(bytes, layout.name, layout.namelen, name);
    this.#point(bytes, layout.control, layout.controllen, control);
    const { size, base, len } = layout.iovec;
    if (this.#iovecs.length < iov.length * size) this.#iovecs = block(iov.length * size);
    const iovecs = this.#iovecs.fill(0);
    iov.forEach((part, i) => {
      this.#point(iovecs, i * size + base, i * size + len, part);
      // An iovec's pointer is looked at even where nothing is behind it.
      if (part.length === 0) this.#address(iovecs, i * size + base, bytes);
    });
    this.#address(bytes, layout.iov, iovecs);
    this.#uint(bytes, layout.iovlen, iov.length);
  }

  get namelen(): number {
    return this.#read(this.#layout.namelen);
  }

  get controllen(): number {
    return this.#read(this.#layout.controllen);
  }

  /** A C int. */
  get flags(): number {
    return this.#read(this.#layout.flags) | 0;
  }

  /** Bytes received or sent. With MSG_TRUNC among the flags of a call it may be more than there was room for. */
  get length(): number {
    return this.#read(this.#layout.len);
  }

  #point(bytes: Buffer, pointer: number, length: number, part: Buffer | undefined): void {
    if (part === undefined || part.length === 0) return;
    this.#address(bytes, pointer, part);
    this.#uint(bytes, length, part.length);
  }

  #address(bytes: Buffer, at: number, target: Buffer): void {
    const address = this.#addressOf(target);
    if (this.#layout.pointerSize === 8)
      bytes.writeBigUInt64LE(address, at); // only little-endian ones are supported
    else this.#uint(bytes, at, Number(address));
  }

  /** The low half of a 64-bit length on little-endian CPUs; the other half is zero. */
  #uint(bytes: Buffer, at: number, value: number): void {
    if (this.#layout.littleEndian) bytes.writeUInt32LE(value, at);
    else bytes.writeUInt32BE(value, at);
  }

  #read(at: number): number {
    return this.#layout.littleEndian ? this.bytes.readUInt32LE(at) : this.bytes.readUInt32BE(at);
  }
}
