/**
 * What clients on the network would see of a server that leaves it to the kernel from where to answer. A client on this
 * machine cannot tell: between two addresses of one host the kernel chooses otherwise. So the kernel is asked for its
 * choice towards an address of each network, by connecting a socket and reading its name; that sends nothing.
 */
import * as dgram from 'node:dgram';
import { isIPv6 } from 'node:net';
import { formatIPv4, formatIPv6, parseAddress } from '../address/ip';
import { capabilities, createSocket } from '../index';
import type { OwnAddress } from './own-address';

/** A network of this machine, or what is beyond its routers. */
export interface Vantage {
  /** `192.0.2.0/24 on eth0`, or `beyond the router` */
  readonly network: string;
  /** An address of a client there. Nothing is sent to it. */
  readonly client: string;
  readonly family: 4 | 6;
  /** The address that the kernel would send from; null where there is no route. */
  readonly source: string | null;
}

export interface Prediction {
  readonly network: string;
  readonly client: string;
  readonly source: string;
  readonly verdict: 'right' | 'wrong';
}

/** TEST-NET-2 (RFC 5737) and the documentation prefix (RFC 3849): nobody's neighbours. */
const BEYOND = ['198.51.100.77', '2001:db8:ffff::77'];
/** Any port will do (RFC 863). */
const DISCARD = 9;

export async function vantages(own: readonly OwnAddress[]): Promise<Vantage[]> {
  const places = new Map<string, { client: string; family: 4 | 6 }>();
  for (const one of own) {
    const neighbour = one.internal ? undefined : neighbourOf(one, own);
    if (neighbour === undefined) continue;
    places.set(`${neighbour.network} on ${one.interface}`, { client: neighbour.client, family: one.family });
  }
  for (const client of BEYOND) {
    if (own.some(({ internal }) => !internal)) {
      places.set(`beyond the router, IPv${isIPv6(client) ? 6 : 4}`, { client, family: isIPv6(client) ? 6 : 4 });
    }
  }
  const all = [...places].map(async ([network, { client, family }]) => {
    return { network, client, family, source: await sourceTowards(client) };
  });
  return (await Promise.all(all)).filter(({ source }) => source !== null);
}

/** What each network that can reach this address would see. None for loopback addresses: nobody asks them from outside. */
export function predictions({ address, family, internal }: OwnAddress, from: readonly Vantage[]): Prediction[] {
  if (internal) return [];
  const [, zone] = address.split('%');
  return from.flatMap((vantage): Prediction[] => {
    const { network, client, source } = vantage;
    // A link-local address is asked on its own link only, and its link asks others by them, too.
    if (source === null || vantage.family !== family || client.split('%')[1] !== zone) return [];
    return [{ network, client, source, verdict: source === address ? 'right' : 'wrong' }];
  });
}

/** An address in the network of this one that is not this machine's; undefined where the network has none. */
export function neighbourOf(
  { address, netmask }: Pick<OwnAddress, 'address' | 'netmask'>,
  own: readonly Pick<OwnAddress, 'address'>[],
): { network: string; client: string } | undefined {
  const [bare = '', zone] = address.split('%');
  const [ip, mask] = [parseAddress(bare), parseAddress(netmask)];
  if (ip === undefined || mask === undefined) return undefined;
  const bytes = bytesOf(ip);
  const maskBytes = bytesOf(mask);
  const prefix = maskBytes.reduce((sum, byte) => sum + ones(byte), 0);
  const network = bytes.map((byte, at) => byte & (maskBytes[at] ?? 0));
  const bits = bytes.length * 8 - prefix;
  const taken = new Set(own.map((one) => one.address.split('%', 1)[0]));
  // The first and the last of an IPv4 network are its own, but in one of two (RFC 3021).
  const last = Math.min(2 ** Math.min(bits, 12) - (ip.family === 4 && bits > 1 ? 2 : 1), 4094);
  for (let host = ip.family === 4 && bits === 1 ? 0 : 1; host <= last; host++) {
    const client = text(withHost(network, host));
    if (!taken.has(client)) {
      const suffix = zone === undefined ? '' : `%${zone}`;
      return { network: `${text(network)}/${prefix}`, client: `${client}${suffix}` };
    }
  }
  return undefined;
}

/** null where there is no route. Deno's dgram connects without the kernel: recvfromto's, where it works, and dgram else. */
export function sourceTowards(client: string): Promise<string | null> {
  const options = { type: isIPv6(client) ? 'udp6' : 'udp4', ipv6Only: isIPv6(client) } as const;
  const socket = capabilities().destination ? createSocket(options) : dgram.createSocket(options);
  return new Promise((resolve) => {
    const done = (source: string | null) => socket.close(() => resolve(source));
    socket.once('error', () => done(null));
    const connected = (error?: Error) => {
      const address = error ? '::' : socket.address().address;
      const [, zone] = client.split('%');
      // None at all: an address that is still being tried (RFC 4862, section 5.4).
      if (/^(::|0\.0\.0\.0)(%|$)/.test(address)) done(null);
      else done(zone === undefined || address.includes('%') ? address : `${address}%${zone}`);
    };
    socket.connect(DISCARD, client, connected as () => void);
  });
}

function bytesOf({ family, word0, word1, word2, word3 }: NonNullable<ReturnType<typeof parseAddress>>): number[] {
  const words = family === 4 ? [word0] : [word0, word1, word2, word3];
  return [...new Uint8Array(Int32Array.from(words).buffer)];
}

function text(bytes: readonly number[]): string {
  const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = new Int32Array(Uint8Array.from(bytes).buffer);
  return bytes.length === 4 ? formatIPv4(word0) : formatIPv6(word0, word1, word2, word3);
}

function withHost(network: readonly number[], host: number): number[] {
  const bytes = [...network];
  bytes[bytes.length - 1]! |= host & 0xff;
  bytes[bytes.length - 2]! |= host >> 8;
  return bytes;
}

function ones(byte: number): number {
  return byte.toString(2).replaceAll('0', '').length;
}
