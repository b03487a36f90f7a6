/**
 * Records of a few words, found by a remote's address and port: how {@link Remotes} keeps what it knows. All of one family
 * stand in one array, their keys among them, so that to find one costs one line of the CPU's cache.
 *
 * Bounded as WordMap is, and for the same reasons: two generations, of which the young one takes what is new and what is
 * found in the old one.
 */
import { type Endpoint, ipv4WordOf } from '../../datagram/endpoint';
import { hash } from '../../datagram/word-map';

/** Words of a record: its state, when the remote was heard last, the remote's address and the local one. */
export const STATE = 0;
export const AT = 1;
export const REMOTE = 2;
/** Words of an address: IPv4, mapped or not; IPv6 with its scope. */
export const IPV4 = 1;
export const IPV6 = 5;
type Size = typeof IPV4 | typeof IPV6;
/** Words from one record to the next: a power of two, so that none lies in two lines of the cache. */
const IPV4_STRIDE = 4;
const IPV6_STRIDE = 16;
/** Of a state, whose upper half is the remote's port. {@link Remotes} keeps a count between. */
const TAKEN = 1;
const FORGOTTEN = 2;
/** Records of the smallest table. */
const SMALLEST = 16;
/** Another one in each process, or whoever spoofs addresses could choose such as all belong in one place. */
const SEED = (Math.random() * 2 ** 32) | 0;

const moving = new Int32Array(IPV6_STRIDE);

/** Of one family. A record is named by where it begins in the young table: until the next find() or add(). */
export class Records {
  readonly #size: Size;
  #max: number;
  #young: Table;
  #old: Table | undefined;

  constructor(max: number, size: Size) {
    this.#size = size;
    this.#max = max;
    this.#young = new Table(SMALLEST, size);
  }

  get size(): number {
    return this.#young.count + (this.#old?.count ?? 0);
  }

  get words(): Int32Array {
    return this.#young.words;
  }

  /** → -1 where it is not known */
  find(remote: Endpoint, port: number): number {
    const young = this.#young;
    const at = young.placeOf(remote, port);
    const state = young.words[at];
    if (state !== 0) return (state & FORGOTTEN) === 0 ? at : -1;
    const old = this.#old;
    if (old === undefined) return -1;
    const before = old.placeOf(remote, port);
    if ((old.words[before] & (TAKEN | FORGOTTEN)) !== TAKEN) return -1;
    // add() may clear the old generation, which becomes the young one.
    for (let word = 0; word < young.stride; word++) moving[word] = old.words[before + word];
    const moved = this.add(remote, port);
    const { words } = this.#young;
    for (let word = 0; word < young.stride; word++) words[moved + word] = moving[word];
    return moved;
  }

  /** Makes a record, heard on no address yet. */
  add(remote: Endpoint, port: number): number {
    let at = this.#young.placeOf(remote, port);
    if (this.#young.words[at] === 0) {
      if (this.#young.count >= this.#max) this.#age();
      else if (this.#young.crowded) this.#young = this.#young.grown();
      at = this.#young.placeOf(remote, port);
      this.#young.count++;
      writeAddress(this.#young.words, at + REMOTE, remote);
    }
    this.#young.words[at + STATE] = (port << 16) | TAKEN;
    return at;
  }

  forget(remote: Endpoint, port: number): void {
    for (const table of [this.#young, this.#old]) {
      if (table === undefined) continue;
      const at = table.placeOf(remote, port);
      // The key stays, or what stands behind it would be lost.
      if (table.words[at] !== 0) table.words[at] |= FORGOTTEN;
    }
  }

  growTo(max: number): void {
    this.#max = Math.max(this.#max, max);
  }

  copy(max: number): Records {
    const copy = new Records(max, this.#size);
    copy.#young = this.#young.copy();
    copy.#old = this.#old?.copy();
    return copy;
  }

  #age(): void {
    const old = this.#old;
    this.#old = this.#young;
    // As large as the last one became: a flood would only have it grow again.
    if (old !== undefined && old.capacity === this.#young.capacity) {
      old.clear();
      this.#young = old;
    } else this.#young = new Table(this.#old.capacity, this.#size);
  }
}

/** Open addressing with linear probing; half of the places stay free. */
class Table {
  readonly capacity: number;
  readonly stride: number;
  readonly words: Int32Array;
  count = 0;
  readonly #size: Size;
  /** Where the last one was found: most datagrams come from where one of the last ones came from. */
  #last = 0;

  /** @param capacity a power of two. @param size words of an address */
  constructor(capacity: number, size: Size) {
    this.capacity = capacity;
    this.stride = size === IPV4 ? IPV4_STRIDE : IPV6_STRIDE;
    this.words = new Int32Array(capacity * this.stride);
    this.#size = size;
  }

  get crowded(): boolean {
    return this.count * 2 >= this.capacity;
  }

  /** Where its record begins, or the free place that it belongs in. */
  placeOf(remote: Endpoint, port: number): number {
    return this.#size === IPV4
      ? this.#placeOfIPv4(ipv4WordOf(remote) as number, port)
      : this.#placeOfIPv6(remote.word0, remote.word1, remote.word2, remote.word3, remote.scope, port);
  }

  #placeOfIPv4(word: number, port: number): number {
    const { words } = this;
    const last = this.#last;
    if (words[last + REMOTE] === word && words[last] >>> 16 === port && words[last] !== 0) return last;
    const mask = this.capacity - 1;
    let place = hash(SEED, word, port, 0, 0, 0, 0, 0) & mask;
    for (; words[IPV4_STRIDE * place] !== 0; place = (place + 1) & mask) {
      if (words[IPV4_STRIDE * place + REMOTE] === word && words[IPV4_STRIDE * place] >>> 16 === port) break;
    }
    this.#last = IPV4_STRIDE * place;
    return IPV4_STRIDE * place;
  }

  #placeOfIPv6(a: number, b: number, c: number, d: number, scope: number, port: number): number {
    const { words } = this;
    if (words[this.#last] !== 0 && this.#isIPv6(this.#last, a, b, c, d, scope, port)) return this.#last;
    const mask = this.capacity - 1;
    let place = hash(SEED, a, b, c, d, scope, port, 0) & mask;
    for (; words[IPV6_STRIDE * place] !== 0; place = (place + 1) & mask) {
      if (this.#isIPv6(IPV6_STRIDE * place, a, b, c, d, scope, port)) break;
    }
    this.#last = IPV6_STRIDE * place;
    return IPV6_STRIDE * place;
  }

  #isIPv6(at: number, a: number, b: number, c: number, d: number, scope: number, port: number): boolean {
    const { words } = this;
    return (
      words[at + REMOTE + 3] === d &&
      words[at] >>> 16 === port &&
      words[at + REMOTE] === a &&
      words[at + REMOTE + 1] === b &&
      words[at + REMOTE + 2] === c &&
      words[at + REMOTE + 4] === scope
    );
  }

  grown(): Table {
    const { words, stride } = this;
    const next = new Table(this.capacity * 2, this.#size);
    for (let at = 0; at < words.length; at += stride) {
      if ((words[at] & (TAKEN | FORGOTTEN)) !== TAKEN) continue;
      const port = words[at] >>> 16;
      const w = at + REMOTE;
      const to =
        this.#size === IPV4
          ? next.#placeOfIPv4(words[w], port)
          : next.#placeOfIPv6(words[w], words[w + 1], words[w + 2], words[w + 3], words[w + 4], port);
      for (let word = 0; word < stride; word++) next.words[to + word] = words[at + word];
      next.count++;
    }
    return next;
  }

  copy(): Table {
    const copy = new Table(this.capacity, this.#size);
    copy.words.set(this.words);
    copy.count = this.count;
    return copy;
  }

  clear(): void {
    this.words.fill(0);
    this.count = 0;
  }
}

/** → as many words as the family has. */
export function writeAddress(words: Int32Array, at: number, end: Endpoint): void {
  if (end.ipv4) {
    words[at] = ipv4WordOf(end) as number;
    return;
  }
  words[at] = end.word0;
  words[at + 1] = end.word1;
  words[at + 2] = end.word2;
  words[at + 3] = end.word3;
  words[at + 4] = end.scope;
}
