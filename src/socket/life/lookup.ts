/** Host names → addresses, as lib/internal/dgram.js does: dns.lookup by default, the loopback for no name at all. */
import type * as Dns from 'node:dns';
import { isIPText } from '../../address/ip';
import { nextTick } from '../../captured';
import type { Endpoint } from '../../datagram/endpoint';
import type { Names } from '../../datagram/names';
import type { LookupFunction } from '../../types';
import { looksUpLiterals } from '../dgram/node-line';

export type Found = (error: NodeJS.ErrnoException | null, address: string) => void;

let loaded: typeof Dns | undefined;
/** Loaded with the first socket, as by dgram: it takes a while. `lookup` is read each time, as programs and tests replace it. */
const dns = (): typeof Dns => (loaded ??= require('node:dns') as typeof Dns);

/** As node:dns marks it for util.promisify, in every line of Node. */
const isNodes = (lookup: typeof Dns.lookup): boolean =>
  Object.getOwnPropertySymbols(lookup).some(({ description }) => description === 'customPromisifyArgs');

const { bun, deno } = process.versions as Record<string, string | undefined>;
let original = bun === undefined && deno === undefined ? undefined : dns().lookup;

/** The runtime's own; undefined where a program had replaced it when somebody first asked. */
function own(): typeof Dns.lookup | undefined {
  const { lookup } = dns();
  if (original === undefined && isNodes(lookup)) original = lookup;
  return original;
}

/** What one socket looks names up with. */
export class Lookup {
  readonly #family: 4 | 6;
  readonly #lookup: LookupFunction | undefined;
  readonly #system: LookupFunction | undefined;

  /** @param lookup the program's */
  constructor(family: 4 | 6, lookup: LookupFunction | undefined, system?: LookupFunction) {
    this.#family = family;
    this.#lookup = lookup;
    this.#system = system;
  }

  /** The same where the host is a model. @param system stands for dns.lookup */
  on(system: LookupFunction): Lookup {
    return new Lookup(this.#family, this.#lookup, system);
  }

  /** The address that needs no look-up: a literal, or none at all, when nobody has replaced the look-up. */
  endpoint(names: Names, host: string | undefined): Endpoint | undefined {
    if (this.isReplaced) return undefined;
    return names.endpoint(host || this.#loopback());
  }

  /** Has the program a say in what literals are? */
  get isReplaced(): boolean {
    if (this.#lookup !== undefined) return true;
    return this.#system === undefined && (loaded ?? dns()).lookup !== (original ?? own()) && looksUpLiterals(original);
  }

  /** A look-up of the user's may call back from inside. @throws ERR_INVALID_ARG_TYPE where `host` is no string */
  find(host: string | undefined, found: Found): void {
    const lookup = this.#lookup ?? this.#system ?? (dns().lookup as LookupFunction);
    lookup(host || this.#loopback(), this.#family, found);
  }

  /** As find(), with a literal on the next tick. */
  later(host: string | undefined, found: Found): void {
    const address = host || this.#loopback();
    if (this.isReplaced || typeof address !== 'string' || !isIPText(address)) this.find(host, found);
    else nextTick(found, null, address);
  }

  #loopback(): string {
    return this.#family === 4 ? '127.0.0.1' : '::1';
  }
}
