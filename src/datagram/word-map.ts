/**
 * A bounded map from up to seven 32-bit words to a value, for everything that would otherwise be formatted, parsed or
 * allocated once per datagram, and for what sticky sockets remember. Two generations: when the young one is full it
 * becomes the old one, and what stands in the old one and is found again moves back. So a flood of spoofed addresses costs
 * time but never memory, and those who are heard again and again stay.
 */

/** Words of a place: seven of the key, and one that says that the place is taken. */
const STRIDE = 8;
const TAKEN = 7;
const SMALLEST = 16;
/** Another one in each process, or whoever spoofs addresses could choose such as all belong in one place. */
const SEED = (Math.random() * 2 ** 32) | 0;

export class WordMap<Value> {
  #max: number;
  #young: Table<Value>;
  #old: Table<Value> | undefined;

  /** @param max entries of one generation, at least 1; there are two at most */
  constructor(max: number) {
    this.#max = max;
    this.#young = new Table<Value>(SMALLEST);
  }

  /** Entries of both generations. One that has moved back counts twice until the old generation goes. */
  get size(): number {
    return this.#young.count + (this.#old?.count ?? 0);
  }

  /** Never shrinks. */
  growTo(max: number): void {
    this.#max = Math.max(this.#max, max);
  }

  /** Words that a kind of key does not use are 0. */
  find(a: number, b: number, c: number, d: number, e: number, f = 0, g = 0): Value | undefined {
    const young = this.#young;
    const place = young.placeOf(a, b, c, d, e, f, g);
    if (young.taken(place)) return young.values[place];
    if (this.#old === undefined) return undefined;
    const before = this.#old.placeOf(a, b, c, d, e, f, g);
    const value = this.#old.taken(before) ? this.#old.values[before] : undefined;
    return value === undefined ? undefined : this.store(value, a, b, c, d, e, f, g);
  }

  /** → `value` */
  store(value: Value, a: number, b: number, c: number, d: number, e: number, f = 0, g = 0): Value {
    let place = this.#young.placeOf(a, b, c, d, e, f, g);
    if (!this.#young.taken(place)) {
      if (this.#young.count >= this.#max) this.#age();
      else if (this.#young.crowded) this.#young = this.#young.grown();
      place = this.#young.placeOf(a, b, c, d, e, f, g);
      this.#young.take(place, a, b, c, d, e, f, g);
    }
    this.#young.values[place] = value;
    return value;
  }

  /** Forgets one entry. */
  forget(a: number, b: number, c: number, d: number, e: number, f = 0, g = 0): void {
    for (const table of [this.#young, this.#old]) {
      if (table === undefined) continue;
      const place = table.placeOf(a, b, c, d, e, f, g);
      if (table.taken(place)) table.values[place] = undefined; // the key stays, or what stands behind it would be lost
    }
  }

  clear(): void {
    this.#young = new Table<Value>(SMALLEST);
    this.#old = undefined;
  }

  #age(): void {
    const old = this.#old;
    this.#old = this.#young;
    // As large as the last one became: a flood would only have it grow again.
    if (old !== undefined && old.capacity === this.#young.capacity) {
      old.clear();
      this.#young = old;
    } else this.#young = new Table<Value>(this.#old.capacity);
  }
}

/** Open addressing with linear probing; half of the places stay free. */
class Table<Value> {
  readonly capacity: number;
  readonly values: (Value | undefined)[];
  readonly #keys: Int32Array;
  count = 0;
  /** Where the last one was found: most datagrams come from where one of the last ones came from. */
  #last = 0;

  /** @param capacity a power of two */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#keys = new Int32Array(capacity * STRIDE);
    this.values = new Array<Value | undefined>(capacity).fill(undefined);
  }

  get crowded(): boolean {
    return this.count * 2 >= this.capacity;
  }

  /** The place that holds this key, or the free one where it belongs. */
  placeOf(a: number, b: number, c: number, d: number, e: number, f: number, g: number): number {
    const keys = this.#keys;
    if (this.#holds(this.#last * STRIDE, a, b, c, d, e, f, g)) return this.#last;
    let place = hash(SEED, a, b, c, d, e, f, g) & (this.capacity - 1);
    for (; keys[place * STRIDE + TAKEN] !== 0; place = (place + 1) & (this.capacity - 1)) {
      if (!this.#holds(place * STRIDE, a, b, c, d, e, f, g)) continue;
      this.#last = place;
      return place;
    }
    return place;
  }

  taken(place: number): boolean {
    return this.#keys[place * STRIDE + TAKEN] !== 0;
  }

  take(place: number, a: number, b: number, c: number, d: number, e: number, f: number, g: number): void {
    const keys = this.#keys;
    const at = place * STRIDE;
    keys[at] = a;
    keys[at + 1] = b;
    keys[at + 2] = c;
    keys[at + 3] = d;
    keys[at + 4] = e;
    keys[at + 5] = f;
    keys[at + 6] = g;
    keys[at + TAKEN] = 1;
    this.count++;
  }

  grown(): Table<Value> {
    const next = new Table<Value>(this.capacity * 2);
    const keys = this.#keys;
    for (let place = 0; place < this.capacity; place++) {
      const at = place * STRIDE;
      if (keys[at + TAKEN] === 0 || this.values[place] === undefined) continue;
      const a = keys[at];
      const b = keys[at + 1];
      const c = keys[at + 2];
      const d = keys[at + 3];
      const e = keys[at + 4];
      const f = keys[at + 5];
      const g = keys[at + 6];
      const to = next.placeOf(a, b, c, d, e, f, g);
      next.take(to, a, b, c, d, e, f, g);
      next.values[to] = this.values[place];
    }
    return next;
  }

  clear(): void {
    this.#keys.fill(0);
    this.values.fill(undefined);
    this.count = 0;
  }

  #holds(at: number, a: number, b: number, c: number, d: number, e: number, f: number, g: number): boolean {
    const keys = this.#keys;
    return (
      keys[at] === a &&
      keys[at + 1] === b &&
      keys[at + 2] === c &&
      keys[at + 3] === d &&
      keys[at + 4] === e &&
      keys[at + 5] === f &&
      keys[at + 6] === g &&
      keys[at + TAKEN] !== 0
    );
  }
}

/** For tests: places are picked by its lowest bits. */
export function hash(
  seed: number,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
): number {
  let mixed =
    Math.imul(a ^ seed ^ Math.imul(e, 0x27d4eb2f), 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b) ^ Math.imul(c, 0xc2b2ae35);
  mixed ^= Math.imul(d ^ (mixed >>> 15), 0x165667b1) ^ Math.imul(f, 0x2c1b3c6d) ^ Math.imul(g, 0x297a2d39);
  mixed ^= mixed >>> 16;
  mixed = Math.imul(mixed, 0x45d9f3b);
  return mixed ^ (mixed >>> 13);
}
