/**
 * Bytes → text and text → bytes for everything that recurs from datagram to datagram: senders, destinations, peers.
 * One per host; every cache is bounded. Which address answers is in answer.ts.
 */
import type { networkInterfaces } from 'node:os';
import { formatIPv4, formatIPv6, isIPv4Text, isLinkLocal, MAPPED, parseAddress, parsedIPv4 } from '../address/ip';
import type { Syscalls } from '../ffi/syscalls';
import type { Arrived } from '../platform/platform';
import type { Destination } from '../types';
import { answeringIPv4 } from './answer';
import { Endpoint } from './endpoint';
import { Interfaces } from './interfaces';
import type { SocketAddress } from './sockaddr';
import { WordMap } from './word-map';

/** Where a datagram came to and where its answer leaves from: as rinfo shows them, and ready for the kernel. */
export interface Arrival {
  readonly destination: Destination | undefined;
  readonly localAddress: string | undefined;
  /** `localAddress`, in the family of the socket. */
  readonly source: Endpoint | undefined;
}

interface NamesOptions {
  /** ms by a clock that goes steadily; by default the one in captured.ts. */
  readonly now?: (() => number) | undefined;
  /** Default os.networkInterfaces. */
  readonly list?: typeof networkInterfaces | undefined;
  /** See Quirks. */
  readonly zoneIsIndex?: boolean;
}

const NOWHERE = new Endpoint('0.0.0.0', 4, 0, 0, 0, 0, 0);

export const UNKNOWN: Arrival = { destination: undefined, localAddress: undefined, source: undefined };
/** Addresses used of late that are not made anew: so few that they stay in the CPU's nearest cache. A power of two. */
const RECENT = 256;
const RECENT_SHIFT = 32 - Math.log2(RECENT);
/**
 * Characters from which on V8 keeps a piece of a string by keeping all of it: a shorter literal of a program may be kept as it
 * is, a longer one is spelt anew.
 */
const PIECE = 13;
/** Link-local addresses of one generation. */
const ZONED = 1024;
/** Destinations of one generation: addresses of this host, groups it has joined, addresses routed to it. */
const DESTINATIONS = 4096;

/** Where a datagram was sent to before a firewall redirected it; undefined where the kernel did not say. */
export function originalText(arrived: Arrived): string | undefined {
  const { originalFamily, original0 = 0, original1 = 0, original2 = 0, original3 = 0 } = arrived;
  if (originalFamily === 4) return formatIPv4(original0);
  return originalFamily === 6 ? formatIPv6(original0, original1, original2, original3) : undefined;
}

function textOf(family: 4 | 6, word0: number, word1: number, word2: number, word3: number): string {
  return family === 4 ? formatIPv4(word0) : formatIPv6(word0, word1, word2, word3);
}

/** Is `before` what `known` says, at that port? */
function isSameAt(port: number, known: Arrival, before: Arrival): boolean {
  const one = known.destination;
  const other = before.destination;
  if (one === undefined || other === undefined || other.port !== port || other.address !== one.address) return false;
  if (other.ifindex !== one.ifindex || other.interface !== one.interface) return false;
  return before.localAddress === known.localAddress;
}

function atPort(port: number, known: Arrival): Arrival {
  const { address, family, ifindex, interface: name } = known.destination as Destination;
  const destination = Object.freeze({ address, family, port, ifindex, interface: name });
  return { destination, localAddress: known.localAddress, source: known.source };
}

export class Names {
  readonly interfaces: Interfaces;
  readonly #zoneIsIndex: boolean;
  /** Of interfaces: what was learnt about them before it changed may be wrong. */
  generation = 0;
  /** When the batch that is being handled began, in ms. */
  time = 0;
  /** The literal that was read last: programs send to one address again and again. */
  #read = NOWHERE;
  /**
   * Each address has one place, which it shares with others. To make an endpoint anew costs less than to find it in a memory
   * of thousands, which no CPU cache holds; so there is none that a flood of spoofed addresses could fill.
   */
  readonly #recent: Endpoint[] = new Array(RECENT).fill(NOWHERE);
  readonly #zoned = new WordMap<Endpoint>(ZONED);
  readonly #arrivals = new WordMap<Arrival>(DESTINATIONS);

  constructor(syscalls: Syscalls, { now, list, zoneIsIndex = false }: NamesOptions = {}) {
    this.interfaces = new Interfaces(syscalls, now, list);
    this.#zoneIsIndex = zoneIsIndex;
  }

  /**
   * Forgets what depends on interfaces when that may be outdated. Once per batch.
   * @param now the time, where it is known already
   */
  refresh(now?: number): void {
    this.interfaces.refresh(now);
    if (this.generation === this.interfaces.generation) return;
    this.generation = this.interfaces.generation;
    this.#arrivals.clear();
    this.#zoned.clear();
  }

  /** The address that stands in a sockaddr. */
  endpointOf({ family, word0, word1, word2, word3, scope }: SocketAddress): Endpoint {
    if (scope === 0) return this.#unzoned(family, word0, word1, word2, word3);
    const known = this.#zoned.find(word0, word1, word2, word3, scope, family);
    if (known !== undefined) return known;
    const text = `${textOf(family, word0, word1, word2, word3)}%${this.#zoneOf(scope)}`;
    const made = new Endpoint(text, family, word0, word1, word2, word3, scope);
    return this.#zoned.store(made, word0, word1, word2, word3, scope, family);
  }

  /** An IPv4 address as an IPv4 socket has it. */
  endpointIPv4(word: number): Endpoint {
    return this.#unzoned(4, word, 0, 0, 0);
  }

  /** The same as an IPv6 socket has it: ::ffff:a.b.c.d. */
  endpointMapped(word: number): Endpoint {
    return this.#unzoned(6, 0, 0, MAPPED, word);
  }

  /**
   * An IP literal with an optional zone, ready to send to or from; undefined when it is none. A zone that names no
   * interface gives scope 0, as with libuv: the kernel then refuses what needs one. Its text is the system's spelling.
   */
  endpoint(text: string): Endpoint | undefined {
    if (text === this.#read.text) return this.#read;
    if (typeof text !== 'string') return undefined;
    if (isIPv4Text(text)) {
      this.#read = this.#unzoned(4, parsedIPv4(), 0, 0, 0, text.length < PIECE ? text : undefined);
      return this.#read;
    }
    const address = parseAddress(text);
    if (address === undefined) return undefined;
    const { family, word0, word1, word2, word3, zone } = address;
    const scope = zone === '' ? 0 : this.#scopeOf(zone);
    return this.endpointOf({ family, word0, word1, word2, word3, scope });
  }

  isSubnetBroadcast(end: Endpoint): boolean {
    const word = end.ipv4Word;
    return word !== undefined && this.interfaces.isBroadcast(word);
  }

  /** Is this an address of this host? */
  isOurs(end: Endpoint): boolean {
    if (end.loopback) return true;
    const ipv4 = end.ipv4Word;
    const text = ipv4 === undefined ? formatIPv6(end.word0, end.word1, end.word2, end.word3) : formatIPv4(ipv4);
    return this.interfaces.isLocal(text);
  }

  /**
   * One is remembered for each destination, that of the port which was asked last: a socket for each question has a port of its
   * own each time, and nobody asks there again.
   * @param port the port the socket is bound to
   * @param mapped does the socket see IPv4 addresses as ::ffff:a.b.c.d?
   * @param before what this socket was told of another datagram: the same object, if it is the same again
   */
  arrival(arrived: Arrived, port: number, mapped: boolean, before?: Arrival): Arrival {
    if (arrived.family === 0) return UNKNOWN;
    const { destination0, destination1, destination2, destination3, specDst, ifindex } = arrived;
    const kind = (mapped ? 8 : 0) | arrived.family;
    const known = this.#arrivals.find(destination0, destination1, destination2, destination3, specDst, ifindex, kind);
    if (known !== undefined && (known.destination === undefined || known.destination.port === port)) return known;
    if (known !== undefined && before !== undefined && isSameAt(port, known, before)) return before;
    const made = known === undefined ? this.#arrival(arrived, port, mapped) : atPort(port, known);
    return this.#arrivals.store(made, destination0, destination1, destination2, destination3, specDst, ifindex, kind);
  }

  #arrival(arrived: Arrived, port: number, mapped: boolean): Arrival {
    const { destination0, destination1, destination2, destination3, ifindex } = arrived;
    if (arrived.family === 4) return this.#arrivalIPv4(destination0, arrived.specDst, ifindex, port, mapped);
    if (destination0 === 0 && destination1 === 0 && destination2 === MAPPED) {
      return this.#arrivalIPv4(destination3, 0, ifindex, port, true);
    }
    const address = {
      family: 6,
      word0: destination0,
      word1: destination1,
      word2: destination2,
      word3: destination3,
    } as const;
    const end = this.endpointOf({ ...address, scope: isLinkLocal(address) ? ifindex : 0 });
    if (end.unspecified) return UNKNOWN;
    const destination = this.#destination(end.text, 'IPv6', port, ifindex);
    if (end.multicast) return { destination, localAddress: undefined, source: undefined };
    return { destination, localAddress: end.text, source: end };
  }

  #arrivalIPv4(word: number, specDst: number, ifindex: number, port: number, mapped: boolean): Arrival {
    if (word === 0) return UNKNOWN;
    const local = answeringIPv4(this.interfaces, word, specDst, ifindex);
    const prefix = mapped ? '::ffff:' : '';
    const source = local === undefined ? undefined : mapped ? this.endpointMapped(local) : this.endpointIPv4(local);
    return {
      destination: this.#destination(prefix + formatIPv4(word), mapped ? 'IPv6' : 'IPv4', port, ifindex),
      localAddress: source?.text,
      source,
    };
  }

  #destination(address: string, family: 'IPv4' | 'IPv6', port: number, ifindex: number): Destination {
    return Object.freeze({ address, family, port, ifindex, interface: this.interfaces.nameOf(ifindex) });
  }

  /** @param spelt its text, where it is known */
  #unzoned(family: 4 | 6, word0: number, word1: number, word2: number, word3: number, spelt?: string): Endpoint {
    const mixed = word0 ^ Math.imul(word1, 0x85ebca6b) ^ Math.imul(word2, 0xc2b2ae35) ^ Math.imul(word3, 0x27d4eb2f);
    const place = Math.imul(mixed ^ (mixed >>> 15), 0x9e3779b1) >>> RECENT_SHIFT;
    const known = this.#recent[place];
    const same = known.word0 === word0 && known.word3 === word3 && known.word1 === word1 && known.word2 === word2;
    if (same && known.family === family) return known;
    const text = spelt ?? textOf(family, word0, word1, word2, word3);
    const made = new Endpoint(text, family, word0, word1, word2, word3, 0);
    this.#recent[place] = made;
    return made;
  }

  #zoneOf(ifindex: number): string | number {
    return (this.#zoneIsIndex ? undefined : this.interfaces.nameOf(ifindex)) ?? ifindex;
  }

  #scopeOf(zone: string): number {
    this.refresh(); // it may be another interface by now
    return this.interfaces.indexOf(zone);
  }
}
