/** Addresses as the network in memory holds them: IPv4 ones are plain, also where an IPv6 socket had them mapped. */
import { formatIPv4, formatIPv6, isMapped, parseAddress } from '../address/ip';

export interface Ip {
  readonly family: 4 | 6;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
  /** Without a zone. Equal addresses have equal texts. */
  readonly text: string;
}

interface Words {
  readonly family: 4 | 6;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly word3: number;
}

/** A mapped address becomes the IPv4 one that it stands for. */
export function ipOf({ family, word0, word1, word2, word3 }: Words): Ip {
  const words = { family, word0, word1, word2, word3 };
  if (family === 6 && !isMapped(words)) return { ...words, text: formatIPv6(word0, word1, word2, word3) };
  const ipv4 = family === 4 ? word0 : word3;
  return { family: 4, word0: ipv4, word1: 0, word2: 0, word3: 0, text: formatIPv4(ipv4) };
}

/** undefined where it is no address; a zone is left out. */
export function parseIp(text: string): Ip | undefined {
  const address = parseAddress(text);
  return address && ipOf(address);
}

export const ANY = { 4: parseIp('0.0.0.0') as Ip, 6: parseIp('::') as Ip } as const;
export const LOOPBACK = { 4: parseIp('127.0.0.1') as Ip, 6: parseIp('::1') as Ip } as const;
export const BROADCAST = '255.255.255.255';

export function isAny({ text }: Ip): boolean {
  return text === ANY[4].text || text === ANY[6].text;
}

/** Its bytes in network order: 4 or 16. */
export function bytesOf({ family, word0, word1, word2, word3 }: Ip): Uint8Array {
  const words = family === 4 ? [word0] : [word0, word1, word2, word3];
  return new Uint8Array(Int32Array.from(words).buffer);
}

/** Are the first `bits` of both the same? */
export function sharesPrefix(a: Ip, b: Ip, bits: number): boolean {
  if (a.family !== b.family) return false;
  const [left, right] = [bytesOf(a), bytesOf(b)];
  return left.every((byte, index) => {
    const mask = (0xff00 >> Math.max(0, Math.min(8, bits - index * 8))) & 0xff;
    return ((byte ^ right[index]) & mask) === 0;
  });
}

/** The mask of so many bits, as text. */
export function netmask(family: 4 | 6, bits: number): string {
  const bytes = Uint8Array.from({ length: family === 4 ? 4 : 16 }, (_, index) => {
    return (0xff00 >> Math.max(0, Math.min(8, bits - index * 8))) & 0xff;
  });
  return fromBytes(family, bytes).text;
}

/** The broadcast address of a network; undefined where it has none (IPv6, /31, /32: RFC 3021). */
export function broadcastOf(ip: Ip, bits: number): string | undefined {
  if (ip.family === 6 || bits > 30) return undefined;
  const host = bytesOf(ip).map((byte, index) => byte | (0xff >> Math.max(0, Math.min(8, bits - index * 8))));
  return fromBytes(4, host).text;
}

function fromBytes(family: 4 | 6, bytes: Uint8Array): Ip {
  const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = new Int32Array(Uint8Array.from(bytes).buffer);
  return ipOf({ family, word0, word1, word2, word3 });
}
