/**
 * Text ↔ bytes of IP addresses. An address in bytes is four words that hold its network-order bytes as the host's
 * Int32Array sees them in memory, so that they move between text and kernel structs without a byte swap per datagram.
 * IPv4 stands in word0. Knows no sockets.
 */
import { isIPv4, isIPv6 } from 'node:net';

export interface Address {
  readonly family: 4 | 6;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** What stood behind '%', '' without. */
  readonly zone: string;
}

const scratch = new Int32Array(4);
const octets = new Uint8Array(scratch.buffer);

/** The third word of ::ffff:0:0/96 as it stands in memory. */
export const MAPPED = wordOf(0, 0, 0xff, 0xff);
/** 255.255.255.255 */
export const BROADCAST = -1;

/** undefined when `text` is not an address as inet_pton(3) takes it, with an optional %zone for IPv6. */
export function parseAddress(text: string): Address | undefined {
  if (isIPv4(text)) return fromOctets(4, text.split('.').map(Number), '');
  if (!isIPv6(text)) return undefined;
  const percent = text.indexOf('%');
  const zone = percent < 0 ? '' : text.slice(percent + 1);
  const bare = percent < 0 ? text : text.slice(0, percent);
  return fromOctets(
    6,
    ipaddr()
      .IPv6.parse(bare.includes('.') ? withHexTail(bare) : bare)
      .toByteArray(),
    zone,
  );
}

/** ::c000:201 for ::192.0.2.1, which ipaddr.js would take for ::ffff:192.0.2.1. */
function withHexTail(text: string): string {
  const colon = text.lastIndexOf(':') + 1;
  const [a, b, c, d] = text.slice(colon).split('.').map(Number);
  return `${text.slice(0, colon)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** As inet_ntop(3). */
export function formatIPv4(word: number): string {
  scratch[0] = word;
  return `${octets[0]}.${octets[1]}.${octets[2]}.${octets[3]}`;
}

/** As uv_inet_ntop: RFC 5952, with a dotted tail for IPv4-mapped and IPv4-compatible addresses. No zone. */
export function formatIPv6(word0: number, word1: number, word2: number, word3: number): string {
  if (word0 === 0 && word1 === 0) {
    if (word2 === MAPPED) return `::ffff:${formatIPv4(word3)}`;
    scratch[0] = word3;
    if (word2 === 0 && (octets[0] !== 0 || octets[1] !== 0)) return `::${formatIPv4(word3)}`;
  }
  scratch.set([word0, word1, word2, word3]);
  return new (ipaddr().IPv6)(Array.from(octets)).toRFC5952String();
}

/** 0.0.0.0 or :: or ::ffff:0.0.0.0 */
export function isUnspecified(address: Address): boolean {
  return (
    address.word3 === 0 && address.word1 === 0 && address.word0 === 0 && (address.word2 === 0 || isMapped(address))
  );
}

export function isMapped(address: Address): boolean {
  return address.family === 6 && address.word0 === 0 && address.word1 === 0 && address.word2 === MAPPED;
}

/** 224.0.0.0/4 or ff00::/8, also mapped. */
export function isMulticast(address: Address): boolean {
  if (address.family === 4) return (octetOf(address.word0, 0) & 0xf0) === 0xe0;
  if (isMapped(address)) return (octetOf(address.word3, 0) & 0xf0) === 0xe0;
  return octetOf(address.word0, 0) === 0xff;
}

/** 127.0.0.0/8 or ::1, also mapped. */
export function isLoopback(address: Address): boolean {
  if (address.family === 4) return octetOf(address.word0, 0) === 127;
  if (isMapped(address)) return octetOf(address.word3, 0) === 127;
  return address.word0 === 0 && address.word1 === 0 && address.word2 === 0 && address.word3 === LOOPBACK6;
}

/** 169.254.0.0/16 or fe80::/10, also mapped. */
export function isLinkLocal(address: Address): boolean {
  if (address.family === 6 && !isMapped(address)) {
    return octetOf(address.word0, 0) === 0xfe && (octetOf(address.word0, 1) & 0xc0) === 0x80;
  }
  const word = address.family === 4 ? address.word0 : address.word3;
  return octetOf(word, 0) === 169 && octetOf(word, 1) === 254;
}

type IpAddr = typeof import('ipaddr.js');
let library: IpAddr | undefined;

/** Loaded with the first IPv6 address: that takes milliseconds, and many programs never see one. */
function ipaddr(): IpAddr {
  library ??= require('ipaddr.js') as IpAddr;
  return library;
}

function octetOf(word: number, index: 0 | 1): number {
  scratch[0] = word;
  return octets[index];
}

function wordOf(a: number, b: number, c: number, d: number): number {
  octets.set([a, b, c, d]);
  return scratch[0];
}

const LOOPBACK6 = wordOf(0, 0, 0, 1);

function fromOctets(family: 4 | 6, bytes: readonly number[], zone: string): Address {
  scratch.fill(0);
  octets.set(bytes);
  return { family, word0: scratch[0], word1: scratch[1], word2: scratch[2], word3: scratch[3], zone };
}
