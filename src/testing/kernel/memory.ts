/**
 * Addresses for buffers, in a process that takes none: the upper half of one is a number given to the ArrayBuffer, the
 * lower half the place in it. Holds no buffer: as with real addresses, whoever stores one does.
 */

export class Memory {
  readonly #blocks = new Map<number, WeakRef<ArrayBufferLike>>();
  readonly #known = new WeakMap<ArrayBufferLike, number>();
  readonly #gone = new FinalizationRegistry<number>((number) => this.#blocks.delete(number));
  #last = 0;

  addressOf({ buffer, byteOffset }: Uint8Array): bigint {
    let number = this.#known.get(buffer);
    if (number === undefined) {
      number = ++this.#last;
      this.#known.set(buffer, number);
      this.#blocks.set(number, new WeakRef(buffer));
      this.#gone.register(buffer, number);
    }
    return (BigInt(number) << 32n) | BigInt(byteOffset);
  }

  /** @param high and low of an address. undefined where no buffer has so many bytes there: EFAULT */
  at(high: number, low: number, length: number): Buffer | undefined {
    const buffer = this.#blocks.get(high)?.deref();
    if (buffer === undefined || low + length > buffer.byteLength) return undefined;
    return Buffer.from(buffer, low, length);
  }
}
