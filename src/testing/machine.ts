/** A host's interfaces, addresses and routes, without its sockets. */
import type { NetworkInterfaceInfo } from 'node:os';
import { isLinkLocal, isLoopback, isMulticast } from '../address/ip';
import { invalidArgValue } from '../errors';
import { BROADCAST, broadcastOf, type Ip, LOOPBACK, netmask, parseIp, sharesPrefix } from './ip';

export interface Assigned {
  readonly ip: Ip;
  /** Bits of its network. */
  readonly prefix: number;
}

export interface Interface {
  readonly name: string;
  readonly index: number;
  readonly loopback: boolean;
  readonly addresses: Assigned[];
}

/** Where none is written behind the address. */
const PREFIX = { 4: 24, 6: 64 } as const;
const WIDTH = { 4: 32, 6: 128 } as const;

export class Machine {
  /** The loopback interface first. */
  readonly interfaces: readonly Interface[];

  /** @param interfaces addresses by the name of the interface */
  constructor(interfaces: Readonly<Record<string, readonly string[]>>) {
    const loopback = [
      { ip: LOOPBACK[4], prefix: 8 },
      { ip: LOOPBACK[6], prefix: 128 },
    ];
    const others = Object.entries(interfaces).map(([name, addresses], at) => {
      return { name, index: at + 2, loopback: false, addresses: addresses.map(assigned) };
    });
    this.interfaces = [{ name: 'lo', index: 1, loopback: true, addresses: loopback }, ...others];
  }

  get loopback(): Interface {
    return this.interfaces[0];
  }

  byIndex(index: number): Interface | undefined {
    return this.interfaces[index - 1];
  }

  byName(name: string): Interface | undefined {
    return this.interfaces.find((iface) => iface.name === name);
  }

  /** The interface that has this address; 127.0.0.0/8 is the loopback's throughout. @param scope link-local ones */
  owner(ip: Ip, scope = 0): Interface | undefined {
    if (ip.family === 4 && isLoopback(ip) && this.broadcastOn(ip.text) === undefined) return this.loopback;
    return this.interfaces.find(
      ({ index, addresses }) => (scope === 0 || scope === index) && addresses.some((own) => own.ip.text === ip.text),
    );
  }

  /** The interface whose network this is the broadcast address of. */
  broadcastOn(text: string): Interface | undefined {
    return this.interfaces.find(({ addresses }) => addresses.some((own) => broadcastOf(own.ip, own.prefix) === text));
  }

  /** Its own addresses, then its networks, then the first interface, behind which are all others. */
  route(ip: Ip): Interface | undefined {
    if (this.owner(ip) !== undefined) return this.loopback;
    const first = this.interfaces[1];
    if (isMulticast(ip) || ip.text === BROADCAST) return first;
    const connected = this.interfaces.find(({ addresses }) =>
      addresses.some((own) => !isLinkLocal(own.ip) && sharesPrefix(ip, own.ip, own.prefix)),
    );
    return connected ?? (ip.family === 6 && isLinkLocal(ip) ? undefined : first);
  }

  /**
   * The address that is sent from to `to` when nobody says which; undefined where there is none of its family. The first
   * one of `to`'s network, else the interface's first one; IPv6: `to` itself where it is of this host (RFC 6724, rule 1).
   */
  sourceFor(to: Ip, out: Interface): Ip | undefined {
    const owner = this.owner(to, to.family === 6 && isLinkLocal(to) ? out.index : 0);
    if (owner !== undefined && to.family === 6) return to;
    const scoped = to.family === 6 && (isLinkLocal(to) || isMulticast(to));
    for (const iface of [owner ?? out, ...this.interfaces.filter(({ loopback }) => !loopback)]) {
      const own = iface.addresses.filter(({ ip }) => ip.family === to.family);
      const near = own.find(({ ip, prefix }) => !isLinkLocal(ip) && sharesPrefix(to, ip, prefix));
      const right = near ?? own.find(({ ip }) => isLinkLocal(ip) === scoped) ?? own[0];
      if (right !== undefined) return right.ip;
    }
    return undefined;
  }

  /** @throws ERR_INVALID_ARG_VALUE where it is no address, or there is no such interface */
  add(text: string, name: string | undefined): void {
    const address = assigned(text);
    const iface = name === undefined ? (this.#near(address.ip) ?? this.interfaces[1]) : this.byName(name);
    if (iface === undefined) throw invalidArgValue('interface', name, 'is no interface of this host');
    if (this.owner(address.ip) === undefined) iface.addresses.push(address);
  }

  /** → was it there? */
  remove(text: string): boolean {
    const ip = parseIp(text.replace(/\/.*/, ''));
    for (const { loopback, addresses } of this.interfaces) {
      const at = addresses.findIndex((own) => own.ip.text === ip?.text);
      if (loopback || at < 0) continue;
      addresses.splice(at, 1);
      return true;
    }
    return false;
  }

  /** As os.networkInterfaces() shows them. */
  networkInterfaces(): NodeJS.Dict<NetworkInterfaceInfo[]> {
    return Object.fromEntries(
      this.interfaces.map((iface) => [iface.name, iface.addresses.map((own) => information(iface, own))]),
    );
  }

  #near(ip: Ip): Interface | undefined {
    return this.interfaces.find(({ addresses }) => addresses.some((own) => sharesPrefix(ip, own.ip, own.prefix)));
  }
}

/** '10.0.0.1' or '10.0.0.1/16'. @throws ERR_INVALID_ARG_VALUE */
function assigned(text: string): Assigned {
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(String(text)) ?? [];
  const ip = parseIp(address);
  if (ip === undefined) throw invalidArgValue('address', text, 'is no IP address');
  const prefix = bits === undefined ? PREFIX[ip.family] : Number(bits);
  if (prefix > WIDTH[ip.family]) throw invalidArgValue('address', text, 'has a prefix that is too long');
  return { ip, prefix };
}

function information({ index, loopback }: Interface, { ip, prefix }: Assigned): NetworkInterfaceInfo {
  const { family, text: address } = ip;
  const mac = loopback ? '00:00:00:00:00:00' : `02:00:00:00:00:${index.toString(16).padStart(2, '0')}`;
  const common = { address, netmask: netmask(family, prefix), mac, internal: loopback, cidr: `${address}/${prefix}` };
  if (family === 4) return { ...common, family: 'IPv4' };
  return { ...common, family: 'IPv6', scopeid: isLinkLocal(ip) ? index : 0 };
}
