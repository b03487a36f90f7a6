/**
 * A made-up address space: what `addressOf` gives out, and what the kernel models may then read and write. A pointer
 * that leads nowhere, or past the end of its buffer, is EFAULT, as in a kernel that looks.
 */
interface Block {
  readonly base: bigint;
  readonly bytes: Uint8Array;
}

export class Memory {
  readonly #blocks: Block[] = [];
  readonly #known = new WeakMap<ArrayBufferLike, Block>();
  #next: bigint;

  /**
   * 64-bit addresses begin just below a multiple of 2³², so that the first buffers straddle one; 32-bit ones have their
   * top bit set, which a signed word shows as negative. `tag`: Android's top byte.
   */
  constructor(pointerSize: number, tag = 0n) {
    this.#next = pointerSize === 8 ? (tag << 56n) | 0x7ffe_ffff_ff00n : 0xa000_0000n;
  }

  addressOf(bytes: Uint8Array): bigint {
    const known = this.#known.get(bytes.buffer);
    if (known !== undefined) return known.base + BigInt(bytes.byteOffset);
    const whole = new Uint8Array(bytes.buffer);
    const block = { base: this.#next, bytes: whole };
    this.#next += BigInt((whole.length + 4095 + 64) & -64);
    this.#blocks.push(block);
    this.#known.set(bytes.buffer, block);
    return block.base + BigInt(bytes.byteOffset);
  }

  /** undefined where nothing of that length is. */
  at(pointer: bigint, length: number): Buffer | undefined {
    for (const { base, bytes } of this.#blocks) {
      if (pointer < base || pointer + BigInt(length) > base + BigInt(bytes.length)) continue;
      return Buffer.from(bytes.buffer, Number(pointer - base), length);
    }
    return undefined;
  }
}
