/**
 * sockaddr_in and sockaddr_in6 ↔ words, in place, at offsets read off the OS's struct types.
 */
import { isMapped, isUnspecified, MAPPED } from '../address/ip';
import type { Platform } from '../platform/platform';

/** Bytes kept for one sockaddr: sockaddr_in6, rounded up so that the next begins at a multiple of 8. */
export const SOCKADDR_SPACE = 32;

/** A sender as {@link Sockaddrs.read} finds it; one object, overwritten for each datagram. */
export interface Remote {
  family: 4 | 6;
  word0: number;
  word1: number;
  word2: number;
  word3: number;
  port: number;
  /** sin6_scope_id, 0 for IPv4. */
  scope: number;
}

/** What {@link Sockaddrs.write} needs of an address. */
export interface SocketAddress {
  readonly family: 4 | 6;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  readonly scope: number;
}

export function newRemote(): Remote {
  return { family: 4, word0: 0, word1: 0, word2: 0, word3: 0, port: 0, scope: 0 };
}

export class Sockaddrs {
  readonly #saLen: boolean;
  readonly #littleEndian: boolean;
  readonly #AF_INET: number;
  readonly #AF_INET6: number;
  readonly #size4: number;
  readonly #size6: number;
  readonly #family: number;
  readonly #port4: number;
  readonly #port6: number;
  readonly #addr4: number;
  readonly #addr6: number;
  readonly #scope: number;
  readonly #flowinfo: number;
  readonly #words = new Int32Array(SOCKADDR_SPACE / 4);
  readonly #bytes = Buffer.from(this.#words.buffer);
  readonly #name4: Buffer;
  readonly #name6: Buffer;

  constructor(platform: Platform) {
    const { sockaddr_in, sockaddr_in6 } = platform.structs;
    this.#saLen = platform.saLen;
    this.#littleEndian = platform.message.littleEndian;
    this.#AF_INET = platform.constants.AF_INET;
    this.#AF_INET6 = platform.constants.AF_INET6;
    this.#size4 = sockaddr_in.size;
    this.#size6 = sockaddr_in6.size;
    this.#family = sockaddr_in.fields.sin_family.offset;
    this.#port4 = sockaddr_in.fields.sin_port.offset;
    this.#port6 = sockaddr_in6.fields.sin6_port.offset;
    this.#addr4 = sockaddr_in.fields.sin_addr.offset >>> 2;
    this.#addr6 = sockaddr_in6.fields.sin6_addr.offset >>> 2;
    this.#scope = sockaddr_in6.fields.sin6_scope_id.offset >>> 2;
    this.#flowinfo = sockaddr_in6.fields.sin6_flowinfo.offset >>> 2;
    this.#name4 = this.#bytes.subarray(0, this.#size4);
    this.#name6 = this.#bytes.subarray(0, this.#size6);
  }

  /** Bytes of a sockaddr of this family: the exact namelen (BSD and macOS refuse any other, P15, P16). */
  size(family: 4 | 6): number {
    return family === 4 ? this.#size4 : this.#size6;
  }

  /** AF_INET or AF_INET6 as this OS numbers it. */
  af(family: 4 | 6): number {
    return family === 4 ? this.#AF_INET : this.#AF_INET6;
  }

  /** @param at a multiple of 4. → false when it is no IP address: `remote` is then 0.0.0.0:0 */
  read(bytes: Uint8Array, words: Int32Array, at: number, remote: Remote): boolean {
    const word = at >>> 2;
    const family = this.#readFamily(bytes, at + this.#family);
    if (family === this.#AF_INET6) {
      remote.family = 6;
      remote.port = (bytes[at + this.#port6] << 8) | bytes[at + this.#port6 + 1];
      remote.word0 = words[word + this.#addr6];
      remote.word1 = words[word + this.#addr6 + 1];
      remote.word2 = words[word + this.#addr6 + 2];
      remote.word3 = words[word + this.#addr6 + 3];
      remote.scope = words[word + this.#scope];
      return true;
    }
    const known = family === this.#AF_INET;
    remote.family = 4;
    remote.port = known ? (bytes[at + this.#port4] << 8) | bytes[at + this.#port4 + 1] : 0;
    remote.word0 = known ? words[word + this.#addr4] : 0;
    remote.word1 = 0;
    remote.word2 = 0;
    remote.word3 = 0;
    remote.scope = 0;
    return known;
  }

  /** @param at a multiple of 4. → namelen */
  write(bytes: Uint8Array, words: Int32Array, at: number, address: SocketAddress, port: number): number {
    const word = at >>> 2;
    const size = address.family === 4 ? this.#size4 : this.#size6;
    this.#writeFamily(bytes, at, this.af(address.family), size);
    const portAt = at + (address.family === 4 ? this.#port4 : this.#port6);
    bytes[portAt] = port >>> 8;
    bytes[portAt + 1] = port;
    if (address.family === 4) {
      words[word + this.#addr4] = address.word0;
      return size;
    }
    words[word + this.#flowinfo] = 0;
    words[word + this.#addr6] = address.word0;
    words[word + this.#addr6 + 1] = address.word1;
    words[word + this.#addr6 + 2] = address.word2;
    words[word + this.#addr6 + 3] = address.word3;
    words[word + this.#scope] = address.scope;
    return size;
  }

  /** For bind and connect, which read it at once: the next call overwrites it. */
  encode(address: SocketAddress, port: number): Buffer {
    this.#words.fill(0); // sin_zero
    return this.write(this.#bytes, this.#words, 0, address, port) === this.#size4 ? this.#name4 : this.#name6;
  }

  /** Puts another family into a sockaddr: AF_UNSPEC dissolves a connection. */
  writeFamily(name: Buffer, family: number): void {
    this.#writeFamily(name, 0, family, name.length);
  }

  #readFamily(bytes: Uint8Array, at: number): number {
    if (this.#saLen) return bytes[at];
    return this.#littleEndian ? bytes[at] | (bytes[at + 1] << 8) : (bytes[at] << 8) | bytes[at + 1];
  }

  #writeFamily(bytes: Uint8Array, at: number, family: number, size: number): void {
    if (this.#saLen) {
      bytes[at] = size; // sin_len comes first
      bytes[at + this.#family] = family;
      return;
    }
    bytes[at + this.#family] = this.#littleEndian ? family : 0;
    bytes[at + this.#family + 1] = this.#littleEndian ? 0 : family;
  }
}

/**
 * IPv4 on the wire, ::ffff:a.b.c.d for whoever writes and reads: of AF_INET descriptors that stand in for AF_INET6 ones which
 * are bound to a mapped address.
 */
export class MappedSockaddrs extends Sockaddrs {
  override af(): number {
    return super.af(4);
  }

  override read(bytes: Uint8Array, words: Int32Array, at: number, remote: Remote): boolean {
    const known = super.read(bytes, words, at, remote);
    if (remote.family === 6) return known;
    remote.family = 6;
    remote.word3 = remote.word0;
    remote.word2 = MAPPED;
    remote.word0 = 0;
    return known;
  }

  /** What is not IPv4 stays as it is: the kernel refuses it. */
  override write(bytes: Uint8Array, words: Int32Array, at: number, address: SocketAddress, port: number): number {
    const ipv4 = address.family === 6 && (isMapped(address) || isUnspecified(address));
    return super.write(bytes, words, at, ipv4 ? { ...PLAIN, word0: address.word3 } : address, port);
  }
}

const PLAIN = { family: 4, word1: 0, word2: 0, word3: 0, scope: 0 } as const;
