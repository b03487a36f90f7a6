/**
 * Records of a few 32-bit words, each found by a key of words that stands among them, so that to find one costs one line of the
 * CPU's cache: for what sticky sockets remember (out/remotes.ts), and with a value beside each record ({@link WordMap}).
 *
 * Bounded, by two generations: when the young one is full it becomes the old one, and what stands in the old one and is
 * found again moves back. So a flood of spoofed addresses costs time but never memory, and those who are heard again and
 * again stay.
 */

/** Where the key begins in a record. Before it stands its state: two flags, a byte for whoever uses it, and the key's tag. */
export const KEY = 1;
const TAKEN = 1;
const FORGOTTEN = 2;
const TAG_SHIFT = 16;
const TAG_AND_TAKEN = 0xffff_0001 | 0;
/** Words of the largest record. */
const LARGEST = 16;
/** Records of the smallest table: of IPv4 remotes, of which most sockets hear one, 64 bytes. V8 keeps no more on its own heap. */
const SMALLEST = 4;
/** Others in each process, or whoever spoofs addresses could choose such as all belong in one place. */
const SEED = (Math.random() * 2 ** 32) | 0;

const moving = new Int32Array(LARGEST);

/** A record is named by where it begins in {@link words}: until the next find() or add(). */
export class Records<Value = never> {
  /** What find(), add() and forget() look for, beside the tag. To be written before. */
  readonly key: Int32Array;
  /** Of the young generation. */
  words: Int32Array;
  #max: number;
  #young: Table<Value>;
  #old: Table<Value> | undefined;

  /**
   * @param max records of one generation, at least 1; there are two at most
   * @param keyWords of a key, beside its tag
   * @param stride words from one record to the next: a power of two, so that none lies in two lines of the cache
   * @param valued has each record a value?
   */
  constructor(max: number, keyWords: number, stride: number, valued = false) {
    this.key = new Int32Array(keyWords);
    this.#max = max;
    this.#young = new Table<Value>(SMALLEST, keyWords, stride, valued);
    this.words = this.#young.words;
  }

  /** Records of both generations. One that has moved back counts twice until the old generation goes. */
  get size(): number {
    return this.#young.count + (this.#old?.count ?? 0);
  }

  /** Never shrinks. */
  growTo(max: number): void {
    this.#max = Math.max(this.#max, max);
  }

  /** → -1 where it is not known. @param tag 16 bits more of the key */
  find(tag: number): number {
    const at = this.#young.placeOf(this.key, tag);
    const state = this.words[at];
    if (state !== 0) return (state & FORGOTTEN) === 0 ? at : -1;
    return this.#old === undefined ? -1 : this.#moveBack(this.#old, tag);
  }

  /** The record of this key. What stands behind the key may be of one that was forgotten. */
  add(tag: number): number {
    let at = this.#young.placeOf(this.key, tag);
    if (this.words[at] === 0) {
      if (this.#young.count >= this.#max) this.#age();
      else if (this.#young.crowded) this.#become(this.#young.grown());
      at = this.#young.placeOf(this.key, tag);
      this.#young.take(at, this.key);
    }
    this.words[at] = (tag << TAG_SHIFT) | TAKEN;
    return at;
  }

  valueAt(at: number): Value | undefined {
    return this.#young.valueAt(at);
  }

  setValueAt(at: number, value: Value): void {
    this.#young.setValueAt(at, value);
  }

  forget(tag: number): void {
    for (const table of [this.#young, this.#old]) {
      if (table === undefined) continue;
      const at = table.placeOf(this.key, tag);
      if (table.words[at] === 0) continue;
      table.words[at] |= FORGOTTEN; // the key stays, or what stands behind it would be lost
      table.setValueAt(at, undefined);
    }
  }

  clear(): void {
    this.#become(this.#young.another(SMALLEST));
    this.#old = undefined;
  }

  copy(max: number): Records<Value> {
    const copy = new Records<Value>(max, this.key.length, this.#young.stride);
    copy.#become(this.#young.copy());
    copy.#old = this.#old?.copy();
    return copy;
  }

  #moveBack(old: Table<Value>, tag: number): number {
    const from = old.placeOf(this.key, tag);
    if ((old.words[from] & (TAKEN | FORGOTTEN)) !== TAKEN) return -1;
    const { stride } = old;
    // add() may clear the old generation, which becomes the young one.
    const value = old.valueAt(from);
    for (let word = 0; word < stride; word++) moving[word] = old.words[from + word];
    const at = this.add(tag);
    for (let word = 0; word < stride; word++) this.words[at + word] = moving[word];
    this.#young.setValueAt(at, value);
    return at;
  }

  #age(): void {
    const before = this.#old;
    const old = this.#young;
    this.#old = old;
    // As large as the last one became: a flood would only have it grow again.
    if (before !== undefined && before.capacity === old.capacity) {
      before.clear();
      this.#become(before);
    } else this.#become(old.another(old.capacity));
  }

  #become(young: Table<Value>): void {
    this.#young = young;
    this.words = young.words;
  }
}

/** Open addressing with linear probing; half of the places stay free. */
class Table<Value> {
  readonly capacity: number;
  readonly stride: number;
  readonly words: Int32Array;
  count = 0;
  readonly #keyWords: number;
  readonly #values: (Value | undefined)[] | undefined;
  /** Where the last one was found: most datagrams come from where one of the last ones came from. */
  #last = 0;

  /** @param capacity a power of two */
  constructor(capacity: number, keyWords: number, stride: number, valued: boolean) {
    this.capacity = capacity;
    this.stride = stride;
    this.words = new Int32Array(capacity * stride);
    this.#keyWords = keyWords;
    this.#values = valued ? new Array<Value | undefined>(capacity).fill(undefined) : undefined;
  }

  /** An empty one for such records. */
  another(capacity: number): Table<Value> {
    return new Table<Value>(capacity, this.#keyWords, this.stride, this.#values !== undefined);
  }

  get crowded(): boolean {
    return this.count * 2 >= this.capacity;
  }

  /** Where its record begins, or the free place that it belongs in. */
  placeOf(key: Int32Array, tag: number): number {
    const { words, stride } = this;
    if (this.#holds(this.#last, key, tag)) return this.#last;
    const end = words.length - 1;
    let at = Math.imul(hash(SEED, key, tag), stride) & end;
    while (words[at] !== 0 && !this.#holds(at, key, tag)) at = (at + stride) & end;
    this.#last = at;
    return at;
  }

  #holds(at: number, key: Int32Array, tag: number): boolean {
    const { words } = this;
    if ((words[at] & TAG_AND_TAKEN) !== ((tag << TAG_SHIFT) | TAKEN)) return false;
    let word = this.#keyWords - 1; // the last ones tell most addresses apart
    while (word >= 0 && words[at + KEY + word] === key[word]) word--;
    return word < 0;
  }

  /** The free place that placeOf() has found is taken. */
  take(at: number, key: Int32Array): void {
    for (let word = 0; word < this.#keyWords; word++) this.words[at + KEY + word] = key[word];
    this.count++;
  }

  valueAt(at: number): Value | undefined {
    return this.#values?.[at / this.stride];
  }

  setValueAt(at: number, value: Value | undefined): void {
    if (this.#values !== undefined) this.#values[at / this.stride] = value;
  }

  grown(): Table<Value> {
    const { words, stride } = this;
    const next = this.another(this.capacity * 2);
    const key = new Int32Array(this.#keyWords);
    for (let at = 0; at < words.length; at += stride) {
      if ((words[at] & (TAKEN | FORGOTTEN)) !== TAKEN) continue;
      for (let word = 0; word < key.length; word++) key[word] = words[at + KEY + word];
      const to = next.placeOf(key, words[at] >>> TAG_SHIFT);
      for (let word = 0; word < stride; word++) next.words[to + word] = words[at + word];
      next.setValueAt(to, this.valueAt(at));
      next.count++;
    }
    return next;
  }

  copy(): Table<Value> {
    const copy = this.another(this.capacity);
    copy.words.set(this.words);
    for (let at = 0; at < this.words.length; at += this.stride) copy.setValueAt(at, this.valueAt(at));
    copy.count = this.count;
    return copy;
  }

  clear(): void {
    this.words.fill(0);
    this.#values?.fill(undefined);
    this.count = 0;
  }
}

/**
 * Places are picked by its lowest bits. Each word goes in behind what all before it and the seed have made, so that no two
 * keys are told apart, or not, whatever the seed is. Exported for tests.
 */
export function hash(seed: number, key: Int32Array, tag: number): number {
  let mixed = mix(seed ^ tag);
  for (let word = 0; word < key.length; word++) mixed = mix(mixed ^ key[word]);
  return mixed ^ (mixed >>> 13);
}

function mix(word: number): number {
  return Math.imul(word, 0x9e3779b1) ^ Math.imul(word >>> 15, 0x85ebca6b);
}
