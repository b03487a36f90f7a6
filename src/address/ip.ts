/**
 * Text ↔ bytes of IP addresses. An address in bytes is four words that hold its network-order bytes as the host's
 * Int32Array sees them in memory, so that they move between text and kernel structs without a byte swap per datagram.
 * IPv4 stands in word0. Every datagram may pass through here, so nothing uses regular expressions, and IPv4 allocates
 * nothing but the text. test/fuzz holds it against ipaddr.js and node:net.
 */

import { Buffer } from 'node:buffer'; // the global is a getter

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
/** 127.0.0.1 */
export const LOOPBACK = wordOf(127, 0, 0, 1);
const LOOPBACK6 = wordOf(0, 0, 0, 1);

const littleEndian = wordOf(1, 0, 0, 0) === 1;

/** '7' and '.7' for 7. */
const DECIMAL = Array.from({ length: 256 }, (_, octet) => String(octet));
const DOTTED = DECIMAL.map((text) => `.${text}`);

/** The digits of an IPv6 address, as they stand in {@link characters}. */
const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** Where IPv6 addresses are spelt: to join strings costs more. 39 characters at most. */
const characters = Buffer.alloc(40);

const DOT = 46;
const ZERO = 48;
const COLON = 58;

/** undefined when `text` is not an address as inet_pton(3) takes it, with an optional %zone for IPv6. */
export function parseAddress(text: string): Address | undefined {
  if (parseIPv4(text, 0, text.length, 0)) {
    return { family: 4, word0: scratch[0], word1: 0, word2: 0, word3: 0, zone: '' };
  }
  if (!text.includes(':')) return undefined; // a name, mostly
  const percent = text.indexOf('%');
  if (!parseIPv6(text, percent < 0 ? text.length : percent)) return undefined;
  const address = { family: 6, word0: scratch[0], word1: scratch[1], word2: scratch[2], word3: scratch[3] } as const;
  if (percent < 0) return { ...address, zone: '' };
  // Node's word on what a zone may be; loaded with the first one, because it takes milliseconds
  const { isIPv6 } = require('node:net') as typeof import('node:net');
  return isIPv6(text) ? { ...address, zone: text.slice(percent + 1) } : undefined;
}

/** Is `text` an IP literal of either family, with or without a zone? As net.isIP, which takes milliseconds to load. */
export function isIPText(text: string): boolean {
  return isIPv4Text(text) || parseAddress(text) !== undefined;
}

/** Is `text` an IPv4 literal? {@link parsedIPv4} has it then. */
export function isIPv4Text(text: string): boolean {
  return parseIPv4(text, 0, text.length, 0);
}

/** The address that {@link isIPv4Text} has read last. */
export function parsedIPv4(): number {
  return scratch[0];
}

/** Four decimal numbers without leading zeros → octets from `at` on. */
function parseIPv4(text: string, start: number, end: number, at: number): boolean {
  if (end - start < 7 || end - start > 15) return false;
  let octet = -1; // nothing yet
  let part = 0;
  for (let i = start; i < end; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit >= 0 && digit <= 9) {
      if (octet === 0) return false; // a leading zero
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return false;
    } else {
      if (digit !== DOT - ZERO || octet < 0 || part === 3) return false;
      octets[at + part++] = octet;
      octet = -1;
    }
  }
  if (octet < 0 || part !== 3) return false;
  octets[at + 3] = octet;
  return true;
}

/** RFC 4291 §2.2, all three forms, up to `end` → octets. */
function parseIPv6(text: string, end: number): boolean {
  if (end < 2) return false;
  scratch.fill(0);
  let at = 0; // bytes written
  let gap = -1; // where '::' stands
  let i = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return false;
    gap = 0;
    i = 2;
  }
  while (i < end) {
    let group = 0;
    let digits = 0;
    const start = i;
    for (; i < end; i++) {
      const digit = hexDigit(text.charCodeAt(i));
      if (digit < 0) break;
      group = (group << 4) | digit;
      if (++digits > 4) return false;
    }
    if (i < end && text.charCodeAt(i) === DOT) {
      if (at > 12 || !parseIPv4(text, start, end, at)) return false;
      at += 4;
      break;
    }
    if (digits === 0 || at > 14) return false;
    octets[at] = group >>> 8;
    octets[at + 1] = group;
    at += 2;
    if (i === end) break;
    if (text.charCodeAt(i++) !== COLON || i === end) return false;
    if (text.charCodeAt(i) !== COLON) continue;
    if (gap >= 0) return false;
    gap = at;
    i++;
  }
  if (gap < 0) return at === 16;
  if (at > 14) return false; // '::' stands for one group at least
  octets.copyWithin(gap + 16 - at, gap, at);
  octets.fill(0, gap, gap + 16 - at);
  return true;
}

function hexDigit(code: number): number {
  if (code >= ZERO && code <= ZERO + 9) return code - ZERO;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** As inet_ntop(3). */
export function formatIPv4(word: number): string {
  return littleEndian
    ? DECIMAL[word & 255] + DOTTED[(word >>> 8) & 255] + DOTTED[(word >>> 16) & 255] + DOTTED[word >>> 24]
    : DECIMAL[word >>> 24] + DOTTED[(word >>> 16) & 255] + DOTTED[(word >>> 8) & 255] + DOTTED[word & 255];
}

/** As uv_inet_ntop: RFC 5952, with a dotted tail for IPv4-mapped and IPv4-compatible addresses. No zone. */
export function formatIPv6(word0: number, word1: number, word2: number, word3: number): string {
  scratch[0] = word3;
  if (word0 === 0 && word1 === 0) {
    if (word2 === MAPPED) return `::ffff:${formatIPv4(word3)}`;
    if (word2 === 0 && (octets[0] !== 0 || octets[1] !== 0)) return `::${formatIPv4(word3)}`;
  }
  scratch[0] = word0;
  scratch[1] = word1;
  scratch[2] = word2;
  scratch[3] = word3;
  const { start, length } = longestZeros();
  let at = 0;
  for (let group = 0; group < 8; group++) {
    if (group === start) {
      if (group === 0) characters[at++] = COLON;
      characters[at++] = COLON;
      group += length - 1;
      continue;
    }
    const value = (octets[2 * group] << 8) | octets[2 * group + 1];
    if (value > 0xfff) characters[at++] = HEX[value >>> 12];
    if (value > 0xff) characters[at++] = HEX[(value >>> 8) & 15];
    if (value > 0xf) characters[at++] = HEX[(value >>> 4) & 15];
    characters[at++] = HEX[value & 15];
    if (group < 7) characters[at++] = COLON;
  }
  return characters.toString('latin1', 0, at);
}

const zeros = { start: -1, length: 0 };

/** The longest run of two or more groups of zeros, the first of equals (RFC 5952 §4.2). */
function longestZeros(): { readonly start: number; readonly length: number } {
  zeros.start = -1;
  zeros.length = 1;
  for (let group = 0; group < 8; group++) {
    let end = group;
    while (end < 8 && octets[2 * end] === 0 && octets[2 * end + 1] === 0) end++;
    if (end - group > zeros.length) {
      zeros.start = group;
      zeros.length = end - group;
    }
    if (end > group) group = end;
  }
  return zeros;
}

/** 0.0.0.0 or :: or ::ffff:0.0.0.0 */
export function isUnspecified(address: Omit<Address, 'zone'>): boolean {
  return (
    address.word3 === 0 && address.word1 === 0 && address.word0 === 0 && (address.word2 === 0 || isMapped(address))
  );
}

export function isMapped(address: Omit<Address, 'zone'>): boolean {
  return address.family === 6 && address.word0 === 0 && address.word1 === 0 && address.word2 === MAPPED;
}

/** 224.0.0.0/4 or ff00::/8, also mapped. */
export function isMulticast(address: Omit<Address, 'zone'>): boolean {
  if (address.family === 4) return (octetOf(address.word0, 0) & 0xf0) === 0xe0;
  if (isMapped(address)) return (octetOf(address.word3, 0) & 0xf0) === 0xe0;
  return octetOf(address.word0, 0) === 0xff;
}

/** 127.0.0.0/8 or ::1, also mapped. */
export function isLoopback(address: Omit<Address, 'zone'>): boolean {
  if (address.family === 4) return octetOf(address.word0, 0) === 127;
  if (isMapped(address)) return octetOf(address.word3, 0) === 127;
  return address.word0 === 0 && address.word1 === 0 && address.word2 === 0 && address.word3 === LOOPBACK6;
}

/** 169.254.0.0/16 or fe80::/10, also mapped. */
export function isLinkLocal(address: Omit<Address, 'zone'>): boolean {
  if (address.family === 6 && !isMapped(address)) {
    return octetOf(address.word0, 0) === 0xfe && (octetOf(address.word0, 1) & 0xc0) === 0x80;
  }
  const word = address.family === 4 ? address.word0 : address.word3;
  return octetOf(word, 0) === 169 && octetOf(word, 1) === 254;
}

function octetOf(word: number, index: 0 | 1): number {
  return (word >>> (littleEndian ? 8 * index : 24 - 8 * index)) & 255;
}

function wordOf(a: number, b: number, c: number, d: number): number {
  octets[0] = a;
  octets[1] = b;
  octets[2] = c;
  octets[3] = d;
  return scratch[0];
}
