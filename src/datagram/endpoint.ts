/**
 * An address made ready for the kernel: its words, its interface, its text, and what it is good for. Made where
 * {@link Names} has none of late that is the same; the ways of a datagram only look at its words and flags.
 */
import { BROADCAST, isLinkLocal, isLoopback, isMapped, isMulticast, isUnspecified } from '../address/ip';
import type { SocketAddress } from './sockaddr';

const UNSPECIFIED = 1;
const MULTICAST = 2;
const LIMITED_BROADCAST = 4;
const LOOPBACK = 8;
const UNKNOWN = -1;

export class Endpoint implements SocketAddress {
  /** As dgram spells it: with a zone where it is link-local. */
  readonly text: string;
  readonly family: 4 | 6;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** sin6_scope_id: index of the interface that the zone names, or 0. */
  readonly scope: number;
  /** ::ffff:0:0/96 */
  readonly mapped: boolean;
  /** Is this IPv4 on the wire? */
  readonly ipv4: boolean;
  /** The same as one word, plain or mapped; undefined for native IPv6. */
  readonly ipv4Word: number | undefined;
  readonly linkLocal: boolean;
  /** Found out when somebody asks: with ten thousand peers an endpoint is made for each datagram, and few are asked. */
  #flags = UNKNOWN;

  constructor(text: string, family: 4 | 6, word0: number, word1: number, word2: number, word3: number, scope: number) {
    this.text = text;
    this.family = family;
    this.word0 = word0;
    this.word1 = word1;
    this.word2 = word2;
    this.word3 = word3;
    this.scope = scope;
    this.mapped = isMapped(this);
    this.ipv4 = family === 4 || this.mapped;
    this.ipv4Word = family === 4 ? word0 : this.mapped ? word3 : undefined;
    this.linkLocal = isLinkLocal(this);
  }

  get unspecified(): boolean {
    return this.#is(UNSPECIFIED);
  }

  get multicast(): boolean {
    return this.#is(MULTICAST);
  }

  /** 255.255.255.255, also mapped. Subnet broadcasts depend on the interfaces: ask {@link Names}. */
  get broadcast(): boolean {
    return this.#is(LIMITED_BROADCAST);
  }

  get loopback(): boolean {
    return this.#is(LOOPBACK);
  }

  /** Can nobody be there, whatever the interfaces are? */
  get nobody(): boolean {
    return this.#is(UNSPECIFIED | MULTICAST | LIMITED_BROADCAST);
  }

  #is(wanted: number): boolean {
    if (this.#flags === UNKNOWN) {
      this.#flags =
        (isUnspecified(this) ? UNSPECIFIED : 0) |
        (isMulticast(this) ? MULTICAST : 0) |
        (this.ipv4Word === BROADCAST ? LIMITED_BROADCAST : 0) |
        (isLoopback(this) ? LOOPBACK : 0);
    }
    return (this.#flags & wanted) !== 0;
  }
}

export function isSame(a: SocketAddress, b: SocketAddress): boolean {
  return (
    a.word0 === b.word0 && a.word3 === b.word3 && a.family === b.family && a.word1 === b.word1 && a.word2 === b.word2
  );
}
