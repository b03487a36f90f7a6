/**
 * Who was heard by sticky sockets, on which local address, and when: a record of a few words for each remote (address and
 * port). An object each, and the tables around them, cost a server of ten thousand remotes more than all else that it does for
 * a datagram.
 */
import type { Endpoint } from '../../datagram/endpoint';
import type { Names } from '../../datagram/names';
import { KEY, Records } from '../../datagram/records';

/** Words of an address: IPv4, mapped or not; IPv6 with its scope. */
const IPV4 = 1;
const IPV6 = 5;
/** Words of a record: its state, the remote's address, when it was heard last, the local address. The remote's port is its tag. */
const IPV4_STRIDE = 4;
const IPV6_STRIDE = 16;
/** The bits of a record's state that hold its count. */
const COUNT = 0xff00;
const COUNT_SHIFT = 8;
/** ms that a record's clock can tell; what is older looks as if it came from the future. */
const WRAPS = 2 ** 31;
const NOTHING = new Records(1, IPV4, IPV4_STRIDE);

/** Of both families. find() and hear() choose the record that other members are about, until the next one. */
export class Remotes {
  #max: number;
  /** Most sockets hear one family, and many hear one remote. */
  #ipv4: Records | undefined;
  #ipv6: Records | undefined;
  /** Where the chosen record is, and where in its words it begins. */
  #chosen = NOTHING;
  #at = 0;

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
    if (records === undefined) return false;
    writeAddress(records.key, 0, remote);
    this.#chosen = records;
    this.#at = records.find(port);
    return this.#at >= 0;
  }

  /**
   * It was heard on `local`. → the other address that it was heard on before, if that was within `ttl` ms
   * @param local of the remote's family on the wire. @param now ms
   */
  hear(names: Names, remote: Endpoint, port: number, local: Endpoint, now: number, ttl: number): Endpoint | undefined {
    const known = this.find(remote, port);
    if (!known) this.#add(remote, port);
    const same = known && this.wasHeardOn(local);
    const before = known && !same && this.isFresh(now, ttl) ? this.local(names, local.family) : undefined;
    const { words, key } = this.#chosen;
    const clock = this.#at + KEY + key.length;
    words[clock] = now;
    if (!same) writeAddress(words, clock + 1, local);
    return before;
  }

  forget(remote: Endpoint, port: number): void {
    const records = remote.ipv4 ? this.#ipv4 : this.#ipv6;
    if (records === undefined) return;
    writeAddress(records.key, 0, remote);
    records.forget(port);
  }

  copy(max: number): Remotes {
    const copy = new Remotes(max);
    copy.#ipv4 = this.#ipv4?.copy(max);
    copy.#ipv6 = this.#ipv6?.copy(max);
    return copy;
  }

  /** Was it heard on this address last? */
  wasHeardOn(local: Endpoint): boolean {
    const { words, key } = this.#chosen;
    const at = this.#at + KEY + key.length + 1;
    if (key.length === IPV4) return words[at] === local.ipv4Word;
    const { word0, word1, word2, word3, scope } = local;
    if (words[at] !== word0 || words[at + 1] !== word1 || words[at + 2] !== word2) return false;
    return words[at + 3] === word3 && words[at + 4] === scope;
  }

  /** Where it was heard last, as a socket of this family names it. */
  local(names: Names, family: 4 | 6): Endpoint {
    const { words, key } = this.#chosen;
    const at = this.#at + KEY + key.length + 1;
    if (key.length === IPV4) return family === 4 ? names.endpointIPv4(words[at]) : names.endpointMapped(words[at]);
    const [word0, word1, word2, word3, scope] = words.subarray(at, at + IPV6);
    return names.endpointOf({ family: 6, word0, word1, word2, word3, scope });
  }

  /** Was it heard within `ttl` ms? */
  isFresh(now: number, ttl: number): boolean {
    const { words, key } = this.#chosen;
    const age = (now - words[this.#at + KEY + key.length]) | 0;
    return ttl >= WRAPS || (age >= 0 && age <= ttl);
  }

  /** A number that goes with it, 0…255; 0 for one that is new. */
  get count(): number {
    return (this.#chosen.words[this.#at] & COUNT) >>> COUNT_SHIFT;
  }

  set count(value: number) {
    const { words } = this.#chosen;
    words[this.#at] = (words[this.#at] & ~COUNT) | (value << COUNT_SHIFT);
  }

  #add(remote: Endpoint, port: number): void {
    let records = remote.ipv4 ? this.#ipv4 : this.#ipv6;
    if (records === undefined) {
      records = remote.ipv4 ? new Records(this.#max, IPV4, IPV4_STRIDE) : new Records(this.#max, IPV6, IPV6_STRIDE);
      if (remote.ipv4) this.#ipv4 = records;
      else this.#ipv6 = records;
    }
    writeAddress(records.key, 0, remote);
    this.#chosen = records;
    this.#at = records.add(port);
  }
}

/** → as many words as the family has. */
function writeAddress(words: Int32Array, at: number, end: Endpoint): void {
  if (end.ipv4) {
    words[at] = end.ipv4Word as number;
    return;
  }
  words[at] = end.word0;
  words[at + 1] = end.word1;
  words[at + 2] = end.word2;
  words[at + 3] = end.word3;
  words[at + 4] = end.scope;
}
