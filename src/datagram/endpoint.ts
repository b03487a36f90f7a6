/**
 * An address made ready for the kernel: its words, its interface, its text, and what it is good for. Made once per
 * address and kept in {@link Names}; the ways of a datagram only look at its words and flags.
 */
import { BROADCAST, isLinkLocal, isLoopback, isMapped, isMulticast, isUnspecified } from '../address/ip';
import type { SocketAddress } from './sockaddr';

const MAPPED = 1;
const UNSPECIFIED = 2;
const MULTICAST = 4;
const LIMITED_BROADCAST = 8;
const LOOPBACK = 16;
const LINK_LOCAL = 32;

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
  readonly #flags: number;

  constructor(text: string, family: 4 | 6, word0: number, word1: number, word2: number, word3: number, scope: number) {
    this.text = text;
    this.family = family;
    this.word0 = word0;
    this.word1 = word1;
    this.word2 = word2;
    this.word3 = word3;
    this.scope = scope;
    const mapped = isMapped(this);
    const ipv4 = family === 4 ? word0 : word3;
    this.#flags =
      (mapped ? MAPPED : 0) |
      (isUnspecified(this) ? UNSPECIFIED : 0) |
      (isMulticast(this) ? MULTICAST : 0) |
      ((family === 4 || mapped) && ipv4 === BROADCAST ? LIMITED_BROADCAST : 0) |
      (isLoopback(this) ? LOOPBACK : 0) |
      (isLinkLocal(this) ? LINK_LOCAL : 0);
  }

  /** ::ffff:0:0/96 */
  get mapped(): boolean {
    return (this.#flags & MAPPED) !== 0;
  }

  /** Is this IPv4 on the wire? */
  get ipv4(): boolean {
    return this.family === 4 || (this.#flags & MAPPED) !== 0;
  }

  get unspecified(): boolean {
    return (this.#flags & UNSPECIFIED) !== 0;
  }

  get multicast(): boolean {
    return (this.#flags & MULTICAST) !== 0;
  }

  /** 255.255.255.255, also mapped. Subnet broadcasts depend on the interfaces: ask {@link Names}. */
  get broadcast(): boolean {
    return (this.#flags & LIMITED_BROADCAST) !== 0;
  }

  get loopback(): boolean {
    return (this.#flags & LOOPBACK) !== 0;
  }

  get linkLocal(): boolean {
    return (this.#flags & LINK_LOCAL) !== 0;
  }

  /** Can nobody be there, whatever the interfaces are? */
  get nobody(): boolean {
    return (this.#flags & (UNSPECIFIED | MULTICAST | LIMITED_BROADCAST)) !== 0;
  }
}

/** The IPv4 address, plain or mapped, as one word; undefined for native IPv6. */
export function ipv4WordOf(end: Endpoint): number | undefined {
  if (end.family === 4) return end.word0;
  return end.mapped ? end.word3 : undefined;
}

export function isSame(a: SocketAddress, b: SocketAddress): boolean {
  return (
    a.word0 === b.word0 && a.word3 === b.word3 && a.family === b.family && a.word1 === b.word1 && a.word2 === b.word2
  );
}
