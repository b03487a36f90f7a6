/**
 * Who was heard by sticky sockets, on which local address, and when: a record of a few words for each remote (address and
 * port), its key among them. To find one costs one line of the CPU's cache; an object each, and the tables around them, cost
 * a server of ten thousand remotes more than all else that it does for a datagram.
 */
import { type Endpoint, ipv4WordOf } from '../../datagram/endpoint';
import type { Names } from '../../datagram/names';
import { AT, IPV4, IPV6, REMOTE, Records, STATE, writeAddress } from './records';

/** The bits of a record's state that hold its count. */
const COUNT = 0xff00;
const COUNT_SHIFT = 8;
/** ms that a record's clock can tell; what is older looks as if it came from the future. */
const WRAPS = 2 ** 31;
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

  /** A number that goes with it, 0…255; 0 for one that was added. */
  get count(): number {
    return (this.#words[this.#at + STATE] & COUNT) >>> COUNT_SHIFT;
  }

  set count(value: number) {
    this.#words[this.#at + STATE] = (this.#words[this.#at + STATE] & ~COUNT) | (value << COUNT_SHIFT);
  }

  #choose(records: Records, at: number, remote: Endpoint): void {
    this.#isIPv4 = remote.ipv4;
    this.#words = records.words;
    this.#at = at;
    this.#local = at + REMOTE + (remote.ipv4 ? IPV4 : IPV6);
  }
}
