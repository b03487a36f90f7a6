/**
 * A tiny IP layer in memory: one machine with interfaces and addresses, links, and peers on them. Addresses are text,
 * IPv4 dotted and IPv6 as RFC 5952 has it, never mapped. Knows no sockets; a kernel model sits on top.
 */
import type { NetworkInterfaceInfo } from 'node:os';
import ipaddr from 'ipaddr.js';

export interface Packet {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly payload: Buffer;
  readonly ttl: number;
  readonly tos: number;
  /** Where a firewall had it diverted from. */
  readonly original?: { readonly address: string; readonly port: number };
  readonly mark?: number;
  /** When it is to leave, in ns. */
  readonly txTime?: bigint;
}

export interface Assigned {
  readonly address: string;
  readonly prefix: number;
}

export interface Interface {
  readonly name: string;
  readonly index: number;
  /** undefined: the loopback. */
  readonly link: Link | undefined;
  /** Bytes of an IP packet. */
  readonly mtu?: number;
  /** The first of a family is the primary one. */
  readonly addresses: Assigned[];
}

export function isIPv6(address: string): boolean {
  return address.includes(':');
}

export function bytesOf(address: string): number[] {
  return ipaddr.parse(address).toByteArray();
}

export function isLinkLocal(address: string): boolean {
  const [first, second] = bytesOf(address);
  return isIPv6(address) && first === 0xfe && (second & 0xc0) === 0x80;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

export function isMulticast(address: string): boolean {
  const [first] = bytesOf(address);
  return isIPv6(address) ? first === 0xff : (first & 0xf0) === 0xe0;
}

export function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function sharesPrefix(a: string, { address, prefix }: Assigned): boolean {
  if (isIPv6(a) !== isIPv6(address)) return false;
  const [x, y] = [bytesOf(a), bytesOf(address)];
  for (let bit = 0; bit < prefix; bit++) {
    const mask = 0x80 >> (bit & 7);
    if ((x[bit >> 3] & mask) !== (y[bit >> 3] & mask)) return false;
  }
  return true;
}

/** The subnet broadcast address; undefined for IPv6, /31 and /32. */
function broadcastOf({ address, prefix }: Assigned): string | undefined {
  if (isIPv6(address) || prefix > 30) return undefined;
  return bytesOf(address)
    .map((byte, i) => byte | (0xff >> Math.min(8, Math.max(0, prefix - 8 * i))))
    .join('.');
}

/** A cable with peers on it. What nobody there takes is kept as lost. */
export class Link {
  readonly peers: Peer[] = [];
  readonly lost: Packet[] = [];
  machine: { machine: Machine; iface: Interface } | undefined;

  carry(packet: Packet): void {
    const { destination, destinationPort } = packet;
    const group = isMulticast(destination) || destination === '255.255.255.255' || destination.endsWith('.255');
    const takers = this.peers.filter(
      (peer) => peer.port === destinationPort && (group || peer.addresses.includes(destination)),
    );
    for (const peer of takers) peer.inbox.push(packet);
    if (takers.length === 0) this.lost.push(packet);
  }
}

/** Somebody else: sends packets with any source, and keeps what comes. */
export class Peer {
  readonly inbox: Packet[] = [];
  readonly addresses: readonly string[];
  readonly port: number;
  readonly #inject: (packet: Packet) => void;

  constructor(inject: (packet: Packet) => void, addresses: readonly string[], port: number) {
    this.#inject = inject;
    this.addresses = addresses;
    this.port = port;
  }

  send(destination: string, destinationPort: number, text: string, more: Partial<Packet> = {}): void {
    const source = this.addresses.find((own) => isIPv6(own) === isIPv6(destination)) as string;
    const common = { sourcePort: this.port, payload: Buffer.from(text), ttl: 61, tos: 0 };
    this.#inject({ source, destination, destinationPort, ...common, ...more });
  }

  /** What came, as `text from source`. */
  get heard(): string[] {
    return this.inbox.map(({ payload, source }) => `${payload} from ${source}`);
  }
}

/** The machine under test: its interfaces, its routes, and its kernel. */
export class Machine {
  readonly interfaces: readonly Interface[];
  readonly #locals: Peer[] = [];
  /** Takes what arrives for this machine. */
  receive: (iface: Interface, packet: Packet) => void = () => {};

  constructor(interfaces: readonly Interface[]) {
    this.interfaces = interfaces;
    for (const iface of interfaces) if (iface.link !== undefined) iface.link.machine = { machine: this, iface };
  }

  get loopback(): Interface {
    return this.interfaces.find(({ link }) => link === undefined) as Interface;
  }

  byName(name: string): Interface | undefined {
    return this.interfaces.find((iface) => iface.name === name);
  }

  byIndex(index: number): Interface | undefined {
    return this.interfaces.find((iface) => iface.index === index);
  }

  /** The interface that has this address; 127/8 is lo's throughout. */
  owner(address: string, scope = 0): Interface | undefined {
    if (address.startsWith('127.') && this.broadcastOn(address) === undefined) return this.loopback;
    return this.interfaces.find(
      ({ index, addresses }) =>
        (scope === 0 || scope === index) && addresses.some((assigned) => assigned.address === address),
    );
  }

  /** The interface whose network this is the broadcast address of. */
  broadcastOn(address: string): Interface | undefined {
    return this.interfaces.find(({ addresses }) => addresses.some((assigned) => broadcastOf(assigned) === address));
  }

  /** The address that `iface` sends to `destination` from when nobody says which. */
  primary(iface: Interface, destination: string): string | undefined {
    const own = iface.addresses.filter(({ address }) => isIPv6(address) === isIPv6(destination));
    const scoped = isLinkLocal(destination) || (isIPv6(destination) && isMulticast(destination));
    const right = own.find(({ address }) => isLinkLocal(address) === scoped) ?? own[0];
    return right?.address;
  }

  /** Directly connected networks first, then the default route, by the first interface that has a link. */
  route(destination: string): Interface | undefined {
    if (this.owner(destination) !== undefined) return this.loopback;
    if (isMulticast(destination) || destination === '255.255.255.255') return this.#first();
    const connected = this.interfaces.find(({ addresses }) =>
      addresses.some((own) => !isLinkLocal(own.address) && sharesPrefix(destination, own)),
    );
    return connected ?? (isLinkLocal(destination) ? undefined : this.#first());
  }

  /** Has this interface a route to there, were it the only one? */
  reaches(iface: Interface, destination: string): boolean {
    if (isMulticast(destination) || destination === '255.255.255.255') return true;
    return iface === this.#first() || iface.addresses.some((own) => sharesPrefix(destination, own));
  }

  transmit(packet: Packet, out: Interface): void {
    if (out.link !== undefined) {
      out.link.carry(packet);
      return;
    }
    const takers = this.#locals.filter(
      ({ addresses, port }) => port === packet.destinationPort && addresses.includes(packet.destination),
    );
    for (const peer of takers) peer.inbox.push(packet);
    if (takers.length === 0) this.receive(out, packet);
  }

  /** Another program on the machine itself. */
  program(addresses: readonly string[], port: number): Peer {
    const peer = new Peer((packet) => this.receive(this.loopback, packet), addresses, port);
    this.#locals.push(peer);
    return peer;
  }

  removeAddress(address: string): void {
    for (const { addresses } of this.interfaces) {
      const at = addresses.findIndex((assigned) => assigned.address === address);
      if (at >= 0) addresses.splice(at, 1);
    }
  }

  /** As os.networkInterfaces() shows them. */
  networkInterfaces(): NodeJS.Dict<NetworkInterfaceInfo[]> {
    return Object.fromEntries(this.interfaces.map((iface) => [iface.name, iface.addresses.map((a) => info(iface, a))]));
  }

  #first(): Interface | undefined {
    return this.interfaces.find(({ link }) => link !== undefined);
  }
}

export function peerOn(link: Link, addresses: readonly string[], port: number): Peer {
  const inject = (packet: Packet) => link.machine?.machine.receive(link.machine.iface, packet);
  const peer = new Peer(inject, addresses, port);
  link.peers.push(peer);
  return peer;
}

function info({ link, index }: Interface, { address, prefix }: Assigned): NetworkInterfaceInfo {
  const common = { address, mac: '02:00:00:00:00:01', internal: link === undefined, cidr: `${address}/${prefix}` };
  if (!isIPv6(address)) {
    return { ...common, family: 'IPv4', netmask: ipaddr.IPv4.subnetMaskFromPrefixLength(prefix).toString() };
  }
  const netmask = ipaddr.IPv6.subnetMaskFromPrefixLength(prefix).toString();
  return { ...common, family: 'IPv6', netmask, scopeid: isLinkLocal(address) ? index : 0 };
}
