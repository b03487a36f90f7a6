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
