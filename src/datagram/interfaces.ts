/**
 * The host's interfaces as they were at most a few seconds ago: names and indexes from the kernel, addresses and
 * broadcast addresses from os.networkInterfaces(). Asked on cold paths; whoever caches an answer uses `generation`.
 */
import { networkInterfaces } from 'node:os';
import { parseAddress } from '../address/ip';
import { steadyClock } from '../captured';
import type { Syscalls } from '../ffi/syscalls';

/** How long an answer may be used, in ms. */
const LIFETIME = 5000;
const IF_NAMESIZE = 256; // <net/if.h> says 16 on Unix; Windows' NDIS_IF_MAX_STRING_SIZE is 256

export class Interfaces {
  readonly #syscalls: Syscalls;
  readonly #now: () => number;
  readonly #list: typeof networkInterfaces | undefined;
  /** When what is known is too old, in ms. */
  due = Number.NEGATIVE_INFINITY;
  #names = new Map<number, string | undefined>();
  #addresses: Addresses | undefined;
  /** What is known when the system refuses to tell. */
  #last: Addresses = readAddresses({});
  /** Changes whenever what was learned here may have become wrong. */
  generation = 0;

  /** @param list stands for os.networkInterfaces(): node:os is loaded when it is asked */
  constructor(syscalls: Syscalls, now: () => number = steadyClock(), list?: typeof networkInterfaces) {
    this.#syscalls = syscalls;
    this.#now = now;
    this.#list = list;
  }

  /** Forgets what is too old. Called once per batch, not per datagram. @param now on the clock that was handed in */
  refresh(now = this.#now()): void {
    if (now < this.due) return;
    this.due = now + LIFETIME;
    this.#names.clear();
    this.#addresses = undefined;
    this.generation++;
  }

  /** undefined for 0 and for an interface that is gone. */
  nameOf(ifindex: number): string | undefined {
    if (ifindex === 0) return undefined;
    if (this.#names.has(ifindex)) return this.#names.get(ifindex);
    const bytes = Buffer.alloc(IF_NAMESIZE);
    const found = this.#syscalls.if_indextoname(ifindex, bytes) >= 0;
    const name = found ? bytes.toString('utf8', 0, bytes.indexOf(0)) : undefined;
    this.#names.set(ifindex, name);
    return name;
  }

  /** Index of an interface named by name or by number; 0 when there is none. */
  indexOf(nameOrIndex: string): number {
    const index = this.#syscalls.if_nametoindex(nameOrIndex);
    if (index !== 0) return index;
    return /^[1-9]\d{0,8}$/.test(nameOrIndex) ? Number(nameOrIndex) : 0;
  }

  /** Is this word the subnet broadcast address of one of the host's networks? */
  isBroadcast(ipv4: number): boolean {
    // The last address of a network of four or more ends in two ones. Others need no list, which takes a while to get.
    if (((ipv4 >>> 24) & 3) !== 3) return false;
    const { broadcasts, filter } = this.#known();
    return filter[ipv4 >>> 24] === 1 && broadcasts.has(ipv4);
  }

  /** Is this an address of the host, as os.networkInterfaces() spells it (without zone)? */
  isLocal(text: string): boolean {
    return this.#known().local.has(text);
  }

  /**
   * Indexes of the interfaces that have this address, spelled as for {@link isLocal}: more than one where two are in equal
   * networks. One that came a moment ago is found as well.
   */
  indexesOf(text: string): readonly number[] {
    if (!this.#known().local.has(text)) this.#addresses = undefined;
    return (this.#known().local.get(text) ?? []).map((name) => this.indexOf(name));
  }

  /** First IPv4 address of an interface, or undefined. */
  ipv4Of(ifindex: number): number | undefined {
    const name = this.nameOf(ifindex);
    return name === undefined ? undefined : this.#known().ipv4.get(name);
  }

  #known(): Addresses {
    this.#addresses ??= this.#ask();
    return this.#addresses;
  }

  /** Never throws: EMFILE (getifaddrs(3) needs a descriptor) and EACCES (Android) would cost datagrams, or the process. */
  #ask(): Addresses {
    try {
      this.#last = readAddresses((this.#list ?? networkInterfaces)());
    } catch {
      // as it was, or as if there were none
    }
    return this.#last;
  }
}

interface Addresses {
  readonly broadcasts: Set<number>;
  /** 1 at the last byte in memory of each: it is asked twice per answer, and mostly says no. */
  readonly filter: Uint8Array;
  /** By address, the interfaces that have it. */
  readonly local: Map<string, string[]>;
  readonly ipv4: Map<string, number>;
}

function readAddresses(interfaces: ReturnType<typeof networkInterfaces>): Addresses {
  const found: Addresses = { broadcasts: new Set(), filter: new Uint8Array(256), local: new Map(), ipv4: new Map() };
  for (const [name, entries] of Object.entries(interfaces)) {
    for (const { address, netmask, family } of entries ?? []) {
      const having = found.local.get(address);
      if (having === undefined) found.local.set(address, [name]);
      else having.push(name);
      if (family !== 'IPv4') continue;
      const word = parseAddress(address)?.word0;
      const mask = parseAddress(netmask)?.word0;
      if (word === undefined || mask === undefined) continue;
      if (!found.ipv4.has(name)) found.ipv4.set(name, word);
      // RFC 3021: a /31 has no broadcast address, and a /32 has no neighbours.
      if (netmask !== '255.255.255.254' && netmask !== '255.255.255.255') found.broadcasts.add((word & mask) | ~mask);
    }
  }
  for (const word of found.broadcasts) found.filter[word >>> 24] = 1;
  return found;
}
