/**
 * Who was heard by sticky sockets, on which local address, and when: a record of a few words for each remote (address and
 * port), its key among them. To find one costs one line of the CPU's cache; an object each, and the tables around them, cost
 * a server of ten thousand remotes more than all else that it does for a datagram.
 *
 * Bounded as WordMap is, and for the same reasons: two generations, of which the young one takes what is new and what is
 * found in the old one.
 */
import { type Endpoint, ipv4WordOf } from '../../datagram/endpoint';
import type { Names } from '../../datagram/names';
import { hash } from '../../datagram/word-map';

/** Words of a record: its state, when the remote was heard last, the remote's address and the local one. */
const STATE = 0;
const AT = 1;
const REMOTE = 2;
/** Words of an address: IPv4, mapped or not; IPv6 with its scope. */
const IPV4 = 1;
const IPV6 = 5;
type Size = typeof IPV4 | typeof IPV6;
/** Words from one record to the next: a power of two, so that none lies in two lines of the cache. */
const IPV4_STRIDE = 4;
const IPV6_STRIDE = 16;
/** Of a state, whose upper half is the remote's port. */
const TAKEN = 1;
const FORGOTTEN = 2;
const COUNT = 0xff00;
const COUNT_SHIFT = 8;
/** Records of the smallest table. */
const SMALLEST = 16;
/** ms that a record's clock can tell; what is older looks as if it came from the future. */
const WRAPS = 2 ** 31;
/** The largest count of a record. */
export const MOST = 255;
/** Another one in each process, or whoever spoofs addresses could choose such as all belong in one place. */
const SEED = (Math.random() * 2 ** 32) | 0;

const moving = new Int32Array(IPV6_STRIDE);

/** Of one family. A record is named by where it begins in the young table: until the next find() or add(). */
class Records {
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

const NOTHING = new Int32Array(0);

/** Of both families. find() and add() choose the record that all other members are about, until the next one. */
export class Remotes {
  #max: number;
  /** Most sockets hear one family, and many hear one remote. */
  #ipv4: Records | undefined;
  #ipv6: Records | undefined;
  #words: Int32Array = NOTHING;
  #at = 0;
  /** Where the local address begins in it. */
  #local = 0;
  #isIPv4 = true;

  /** @param max remotes of one generation and family, at least 1; there are two at most */
  constructor(max: number) {
    this.#max = max;
  }

  /** Records of both families and generations. One that has moved back counts twice until the old generation goes. */
  get size(): number {
    return (this.#ipv4?.size ?? 0) + (this.#ipv6?.size ?? 0);
  }

  /** Never shrinks. */
  growTo(max: number): void {
    this.#max = Math.max(this.#max, max);
    this.#ipv4?.growTo(max);
    this.#ipv6?.growTo(max);
  }

  /** Is it known? An IPv4 remote is one remote, mapped or not. */
  find(remote: Endpoint, port: number): boolean {
    const records = remote.ipv4 ? this.#ipv4 : this.#ipv6;
    const at = records === undefined ? -1 : records.find(remote, port);
    if (at < 0) return false;
    this.#choose(records as Records, at, remote);
    return true;
  }

  /** Takes it in, heard on no address yet: {@link hear} must follow. */
  add(remote: Endpoint, port: number): void {
    let records = remote.ipv4 ? this.#ipv4 : this.#ipv6;
    if (records === undefined) {
      records = new Records(this.#max, remote.ipv4 ? IPV4 : IPV6);
      if (remote.ipv4) this.#ipv4 = records;
      else this.#ipv6 = records;
    }
    this.#choose(records, records.add(remote, port), remote);
  }

  forget(remote: Endpoint, port: number): void {
    (remote.ipv4 ? this.#ipv4 : this.#ipv6)?.forget(remote, port);
  }

  copy(max: number): Remotes {
    const copy = new Remotes(max);
    copy.#ipv4 = this.#ipv4?.copy(max);
    copy.#ipv6 = this.#ipv6?.copy(max);
    return copy;
  }

  /** @param local of the remote's family on the wire. @param now ms */
  hear(local: Endpoint, now: number): void {
    this.#words[this.#at + AT] = now;
    writeAddress(this.#words, this.#local, local);
  }

  /** Was it heard on this address? */
  wasHeardOn(local: Endpoint): boolean {
    const words = this.#words;
    const at = this.#local;
    if (this.#isIPv4) return words[at] === ipv4WordOf(local);
    const { word0, word1, word2, word3, scope } = local;
    if (words[at] !== word0 || words[at + 1] !== word1 || words[at + 2] !== word2) return false;
    return words[at + 3] === word3 && words[at + 4] === scope;
  }

  /** Where it was heard last, as a socket of this family names it. */
  local(names: Names, family: 4 | 6): Endpoint {
    const words = this.#words;
    const at = this.#local;
    if (this.#isIPv4) return family === 4 ? names.endpointIPv4(words[at]) : names.endpointMapped(words[at]);
    const [word0, word1, word2, word3, scope] = words.subarray(at, at + IPV6);
    return names.endpointOf({ family: 6, word0, word1, word2, word3, scope });
  }

  /** Was it heard within `ttl` ms? */
  isFresh(now: number, ttl: number): boolean {
    const age = (now - this.#words[this.#at + AT]) | 0;
    return ttl >= WRAPS || (age >= 0 && age <= ttl);
  }

  /** A small number that goes with it, see {@link MOST}. */
  get count(): number {
    return (this.#words[this.#at] & COUNT) >>> COUNT_SHIFT;
  }

  set count(value: number) {
    this.#words[this.#at] = (this.#words[this.#at] & ~COUNT) | (value << COUNT_SHIFT);
  }

  #choose(records: Records, at: number, remote: Endpoint): void {
    this.#isIPv4 = remote.ipv4;
    this.#words = records.words;
    this.#at = at;
    this.#local = at + REMOTE + (remote.ipv4 ? IPV4 : IPV6);
  }
}

function writeAddress(words: Int32Array, at: number, end: Endpoint): void {
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
