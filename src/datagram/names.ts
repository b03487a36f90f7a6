/**
 * Bytes → text and text → bytes for everything that recurs from datagram to datagram: senders, destinations, peers.
 * One per host; every cache is bounded. It also holds the rule for which address answers (docs/rules.md).
 */
import type { networkInterfaces } from 'node:os';
import { BROADCAST, formatIPv4, formatIPv6, isLinkLocal, isMulticast, MAPPED, parseAddress } from '../address/ip';
import type { Syscalls } from '../ffi/syscalls';
import type { Arrived } from '../platform/platform';
import type { Destination } from '../types';
import { type Endpoint, endpoint, ipv4WordOf } from './endpoint';
import { Interfaces } from './interfaces';
import type { SocketAddress } from './sockaddr';
import { WordCache } from './word-cache';

/** Where a datagram came to and where its answer leaves from, as rinfo shows them. */
export interface Arrival {
  readonly destination: Destination | undefined;
  readonly localAddress: string | undefined;
}

interface NamesOptions {
  /** Default performance.now. */
  readonly now?: (() => number) | undefined;
  /** Default os.networkInterfaces. */
  readonly list?: typeof networkInterfaces | undefined;
  /** See Quirks. */
  readonly zoneIsIndex?: boolean;
}

const UNKNOWN: Arrival = { destination: undefined, localAddress: undefined };
const LARGEST = 16384;

export class Names {
  readonly interfaces: Interfaces;
  readonly #zoneIsIndex: boolean;
  /** Of interfaces: what was learnt about them before it changed may be wrong. */
  generation = 0;
  readonly #texts = new WordCache<string>(LARGEST);
  readonly #zonedTexts = new WordCache<string>(1024);
  readonly #arrivals = new WordCache<Arrival>(LARGEST);
  readonly #endpoints = new Map<string, Endpoint>();

  constructor(syscalls: Syscalls, { now, list, zoneIsIndex = false }: NamesOptions = {}) {
    this.interfaces = new Interfaces(syscalls, now, list);
    this.#zoneIsIndex = zoneIsIndex;
  }

  /** Forgets what depends on interfaces when that may be outdated. Once per batch. */
  refresh(): void {
    this.interfaces.refresh();
    if (this.generation === this.interfaces.generation) return;
    this.generation = this.interfaces.generation;
    this.#arrivals.clear();
    this.#zonedTexts.clear();
    for (const [text, end] of this.#endpoints) if (end.scope !== 0 || text.includes('%')) this.#endpoints.delete(text);
  }

  /** The sender's address as dgram spells it: with a zone where it is link-local. */
  remoteText(remote: SocketAddress): string {
    const { family, word0, word1, word2, word3 } = remote;
    if (family === 4)
      return this.#texts.find(4, word0, 0, 0, 0) ?? this.#texts.store(formatIPv4(word0), 4, word0, 0, 0, 0);
    if (remote.scope !== 0) {
      return (
        this.#zonedTexts.find(remote.scope, word0, word1, word2, word3) ??
        this.#zonedTexts.store(
          this.#zoned(formatIPv6(word0, word1, word2, word3), remote.scope),
          remote.scope,
          word0,
          word1,
          word2,
          word3,
        )
      );
    }
    return (
      this.#texts.find(6, word0, word1, word2, word3) ??
      this.#texts.store(formatIPv6(word0, word1, word2, word3), 6, word0, word1, word2, word3)
    );
  }

  /**
   * An IP literal with an optional zone, ready to send to or from; undefined when it is none. A zone that names no
   * interface gives scope 0, as with libuv: the kernel then refuses what needs one.
   */
  endpoint(text: string): Endpoint | undefined {
    if (typeof text !== 'string') return undefined; // isIP() would take whatever can be made a string
    const known = this.#endpoints.get(text);
    if (known !== undefined) {
      if (known.scope === 0) return known;
      this.refresh(); // the zone may be another interface by now
      if (this.#endpoints.has(text)) return known;
    }
    const address = parseAddress(text);
    if (address === undefined) return undefined;
    const scope = address.zone === '' ? 0 : this.interfaces.indexOf(address.zone);
    if (this.#endpoints.size >= LARGEST) this.#endpoints.clear();
    const made = endpoint(text, address, scope);
    this.#endpoints.set(text, made);
    return made;
  }

  isSubnetBroadcast(end: Endpoint): boolean {
    const word = ipv4WordOf(end);
    return word !== undefined && this.interfaces.isBroadcast(word);
  }

  /**
   * @param port the port the socket is bound to
   * @param mapped does the socket see IPv4 addresses as ::ffff:a.b.c.d?
   */
  arrival(arrived: Arrived, port: number, mapped: boolean): Arrival {
    if (arrived.family === 0) return UNKNOWN;
    const { destination0, destination1, destination2, destination3, specDst, ifindex } = arrived;
    const kind = (port << 4) | (mapped ? 8 : 0) | arrived.family;
    return (
      this.#arrivals.find(kind, destination0, destination1, destination2, destination3, specDst, ifindex) ??
      this.#arrivals.store(
        this.#arrival(arrived, port, mapped),
        kind,
        destination0,
        destination1,
        destination2,
        destination3,
        specDst,
        ifindex,
      )
    );
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
      zone: '',
    } as const;
    if (destination0 === 0 && destination1 === 0 && destination2 === 0 && destination3 === 0) return UNKNOWN;
    const bare = formatIPv6(destination0, destination1, destination2, destination3);
    const text = isLinkLocal(address) ? this.#zoned(bare, ifindex) : bare;
    return {
      destination: this.#destination(text, 'IPv6', port, ifindex),
      localAddress: isMulticast(address) ? undefined : text,
    };
  }

  #arrivalIPv4(word: number, specDst: number, ifindex: number, port: number, mapped: boolean): Arrival {
    if (word === 0) return UNKNOWN;
    const prefix = mapped ? '::ffff:' : '';
    const local = this.#localIPv4(word, specDst, ifindex);
    return {
      destination: this.#destination(prefix + formatIPv4(word), mapped ? 'IPv6' : 'IPv4', port, ifindex),
      localAddress: local === undefined ? undefined : prefix + formatIPv4(local),
    };
  }

  /** The unicast address that answers a datagram to `word`, by docs/rules.md, 2. */
  #localIPv4(word: number, specDst: number, ifindex: number): number | undefined {
    if (specDst !== 0) return specDst;
    if (isMulticast({ family: 4, word0: word, word1: 0, word2: 0, word3: 0, zone: '' })) return undefined;
    if (word === BROADCAST || this.interfaces.isBroadcast(word)) return this.interfaces.ipv4Of(ifindex);
    return word;
  }

  #destination(address: string, family: 'IPv4' | 'IPv6', port: number, ifindex: number): Destination {
    return Object.freeze({ address, family, port, ifindex, interface: this.interfaces.nameOf(ifindex) });
  }

  #zoned(text: string, ifindex: number): string {
    if (ifindex === 0) return text;
    return `${text}%${(this.#zoneIsIndex ? undefined : this.interfaces.nameOf(ifindex)) ?? ifindex}`;
  }
}
