/**
 * A bounded map from up to eight 32-bit words to a value: direct-mapped, a newcomer overwrites what stood in its place,
 * so a flood of spoofed addresses costs time but never memory. It grows while it is too small for what is asked of it.
 * Used for everything that would otherwise be formatted or allocated once per datagram.
 */
const KEY_WORDS = 8;
const SMALLEST = 64;

export class WordCache<Value> {
  readonly #largest: number;
  #capacity = 0;
  #keys = new Int32Array(0);
  #values: (Value | undefined)[] = [];
  #evictions = 0;
  /** Where the last one was found: most datagrams come from where the one before came from. */
  #last = 0;

  /** @param largest entries at most, a power of two. */
  constructor(largest: number) {
    this.#largest = largest;
    this.clear();
  }

  clear(): void {
    this.#resize(SMALLEST);
  }

  /** Words that a kind of key does not use are 0. */
  find(a: number, b: number, c: number, d: number, e: number, f = 0, g = 0, h = 0): Value | undefined {
    if (!this.#holds(this.#last, a, b, c, d, e, f, g, h)) {
      const index = this.#index(a, b, c, d, e, f, g, h);
      if (!this.#holds(index, a, b, c, d, e, f, g, h)) return undefined;
      this.#last = index;
    }
    return this.#values[this.#last];
  }

  /** → `value` */
  store(value: Value, a: number, b: number, c: number, d: number, e: number, f = 0, g = 0, h = 0): Value {
    const index = this.#index(a, b, c, d, e, f, g, h);
    if (this.#values[index] !== undefined && ++this.#evictions > this.#capacity && this.#capacity < this.#largest) {
      this.#resize(this.#capacity * 2);
      return this.store(value, a, b, c, d, e, f, g, h);
    }
    this.#keys.set([a, b, c, d, e, f, g, h], index * KEY_WORDS);
    this.#values[index] = value;
    return value;
  }

  #holds(
    index: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    g: number,
    h: number,
  ): boolean {
    const keys = this.#keys;
    const at = index * KEY_WORDS;
    return (
      keys[at] === a &&
      keys[at + 1] === b &&
      keys[at + 2] === c &&
      keys[at + 3] === d &&
      keys[at + 4] === e &&
      keys[at + 5] === f &&
      keys[at + 6] === g &&
      keys[at + 7] === h
    );
  }

  #index(a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number): number {
    let hash =
      Math.imul(a ^ Math.imul(e, 0x27d4eb2f), 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
    hash ^= Math.imul(d ^ (hash >>> 15), 0x165667b1) ^ Math.imul(f, 0x2c1b3c6d) ^ Math.imul(g ^ (h << 7), 0x297a2d39);
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x45d9f3b);
    return (hash ^ (hash >>> 13)) & (this.#capacity - 1);
  }

  #resize(capacity: number): void {
    this.#capacity = capacity;
    this.#last = 0;
    this.#keys = new Int32Array(capacity * KEY_WORDS);
    this.#values = new Array<Value | undefined>(capacity).fill(undefined);
    this.#evictions = 0;
  }
}
