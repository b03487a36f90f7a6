/** Host names → addresses, as lib/internal/dgram.js does: dns.lookup by default, the loopback for no name at all. */
import { isIP } from 'node:net';
import type { LookupFunction } from '../types';

export type Found = (error: NodeJS.ErrnoException | null, address: string) => void;

export class Lookup {
  readonly #family: 4 | 6;
  readonly #lookup: LookupFunction | undefined;

  constructor(family: 4 | 6, lookup: LookupFunction | undefined) {
    this.#family = family;
    this.#lookup = lookup;
  }

  /** The address that needs no look-up: a literal, or none at all, when nobody has replaced the look-up. */
  literal(host: string | undefined): string | undefined {
    if (this.#lookup !== undefined) return undefined;
    if (!host) return this.#loopback();
    return typeof host === 'string' && isIP(host) !== 0 ? host : undefined;
  }

  /** A look-up of the user's may call back from inside. @throws ERR_INVALID_ARG_TYPE where `host` is no string */
  find(host: string | undefined, found: Found): void {
    const lookup = this.#lookup ?? dnsLookup();
    lookup(host || this.#loopback(), this.#family, found);
  }

  /** As find(), with a literal on the next tick. */
  later(host: string | undefined, found: Found): void {
    const literal = this.literal(host);
    if (literal === undefined) this.find(host, found);
    else process.nextTick(found, null, literal);
  }

  #loopback(): string {
    return this.#family === 4 ? '127.0.0.1' : '::1';
  }
}

/** As it is now: tests replace it. Loaded with the first name to look up; most programs use addresses. */
function dnsLookup(): LookupFunction {
  return (require('node:dns') as typeof import('node:dns')).lookup as LookupFunction;
}
