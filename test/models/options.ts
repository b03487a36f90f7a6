/**
 * Socket options as kernels take them: numbers and sizes by the fixtures, one table per OS. What an OS does not know is
 * refused; a value of the wrong size as well.
 */
import { type Abi, addressText } from './abi';
import { isIPv6, isMulticast, type Machine } from './net';
import type { Kind, OptionTable } from './option-table';
import type { Sock } from './sock';

export interface Rules {
  readonly options: OptionTable;
  /** Does it look at sa_len inside a group_source_req? */
  readonly saLen: boolean;
  /** SO_SNDBUF and SO_RCVBUF are given back doubled. */
  readonly doublesBuffers: boolean;
  /** May IPV6_V6ONLY be cleared? */
  readonly dualStack: boolean;
}

/** errno name, or undefined when all is well. */
export type Result = string | undefined;

export class Options {
  readonly #abi: Abi;
  readonly #machine: Machine;
  readonly #rules: Rules;

  constructor(abi: Abi, machine: Machine, rules: Rules) {
    this.#abi = abi;
    this.#machine = machine;
    this.#rules = rules;
  }

  /** The option of that number, as [C name, kind]. */
  find(level: number, name: number): [name: string, kind: Kind] | undefined {
    const { facts } = this.#abi;
    for (const [levelName, options] of Object.entries(this.#rules.options)) {
      if (facts.number(levelName) !== level) continue;
      const found = Object.entries(options).find(([option]) => facts.number(option) === name);
      if (found !== undefined) return found as [string, Kind];
    }
    return undefined;
  }

  set(sock: Sock, level: number, number: number, value: Buffer): Result {
    const [name, kind] = this.find(level, number) ?? [];
    if (name === undefined) return 'ENOPROTOOPT';
    switch (kind) {
      case 'in_addr':
        return this.#setInterface(sock, value);
      case 'ip_mreq':
        return this.#membership(sock, name, this.#ipRequest('ip_mreq', value));
      case 'ip_mreq_source':
        return this.#membership(sock, name, this.#ipRequest('ip_mreq_source', value));
      case 'ipv6_mreq':
        return this.#membership(sock, name, this.#ipv6Request(value));
      case 'group_source_req':
        return this.#membership(sock, name, this.#sourceRequest(value));
      case 'device name':
        return this.#setDevice(sock, value);
      case 'type':
      case 'error':
      case 'mtu':
      case 'path mtu':
        return 'ENOPROTOOPT';
      case 'sock_txtime':
        return this.#setTxTime(sock, value);
      case 'sock_fprog':
        throw new Error('the kernel follows its pointer');
      case 'detach':
        if (sock.filter === undefined) return 'ENOENT';
        sock.filter = undefined;
        return undefined;
      default:
        return this.#setNumber(sock, name, kind as Kind, value);
    }
  }

  get(sock: Sock, level: number, number: number): number | string | Buffer {
    const [name, kind] = this.find(level, number) ?? [];
    if (name === undefined) return 'ENOPROTOOPT';
    if (kind === 'type') return this.#abi.facts.number('SOCK_DGRAM');
    if (kind === 'error') return 0;
    if (kind === 'mtu') return this.#mtu(sock);
    if (kind === 'path mtu') return this.#pathMtu(sock);
    if (kind === 'IPV6_V6ONLY') return Number(sock.v6only);
    const factor = this.#rules.doublesBuffers ? 2 : 1;
    if (name === 'SO_SNDBUF') return sock.sendBuffer * factor;
    if (name === 'SO_RCVBUF') return sock.receiveBuffer * factor;
    return kind === 'flag' ? Number(sock.flags.has(name)) : (sock.values.get(name) ?? 0);
  }

  #setNumber(sock: Sock, name: string, kind: Kind, value: Buffer): Result {
    const size = kind === 'byte' || (kind === 'int or byte' && value.length === 1) ? 1 : 4;
    if (value.length !== size) return 'EINVAL';
    const number = size === 1 ? value[0] : value.readInt32LE();
    if (kind === 'flag') {
      if (number === 0) sock.flags.delete(name);
      else sock.flags.add(name);
    } else if (kind === 'IPV6_V6ONLY') {
      return this.#setV6only(sock, number);
    } else if (kind === 'buffer') {
      if (number <= 0) return 'EINVAL';
      if (name === 'SO_SNDBUF') sock.sendBuffer = number;
      else sock.receiveBuffer = number;
    } else if (kind === 'ifindex' || kind === 'device' || kind.startsWith('egress')) {
      const index = kind === 'egress, network order' ? value.readUInt32BE() : number;
      if (index !== 0 && this.#machine.byIndex(index) === undefined) return 'ENXIO';
      if (kind === 'ifindex') sock.multicastInterface = index;
      else if (kind === 'device') sock.device = index;
      else sock.egress = index;
    } else if (kind === 'mtu discovery' || kind === 'dont fragment') {
      const { facts } = this.#abi;
      const whole = [facts.constant('IP_PMTUDISC_DO'), facts.constant('IP_PMTUDISC_PROBE')];
      if (kind === 'dont fragment' ? number !== 0 : whole.includes(number)) sock.dontFragment.add(familyOf(name));
      else sock.dontFragment.delete(familyOf(name));
      sock.values.set(name, number);
    } else if (kind === 'segment') {
      if (number < 0 || number > 0xffff) return 'EINVAL'; // USHRT_MAX: udp_lib_setsockopt
      sock.values.set(name, number);
    } else if (kind === 'choice') {
      sock.values.set(name, number);
    } else {
      if (number < 0 || number > 255 || (name === 'IP_TTL' && number === 0)) return 'EINVAL';
      sock.values.set(name, number);
    }
    return undefined;
  }

  /** Before bind() only; OpenBSD: for ever. */
  #setV6only(sock: Sock, number: number): Result {
    if (sock.bound || (number === 0 && !this.#rules.dualStack)) return 'EINVAL';
    sock.v6only = number !== 0;
    return undefined;
  }

  /** SO_BINDTODEVICE: a name, with or without its NUL; none for all. socket(7) */
  #setDevice(sock: Sock, value: Buffer): Result {
    const name = value.toString('latin1').replace(/\0.*$/s, '');
    const iface = name === '' ? undefined : this.#machine.byName(name);
    if (name !== '' && iface === undefined) return 'ENODEV';
    sock.device = iface?.index ?? 0;
    return undefined;
  }

  /** IP_MTU and IPV6_MTU: of the way to the peer. */
  #mtu({ peer }: Sock): number | string {
    if (peer === undefined) return 'ENOTCONN';
    return this.#machine.route(peer.address)?.mtu ?? 65535;
  }

  /** IPV6_PATHMTU: a struct ip6_mtuinfo, of which the BSDs fill in the number alone. RFC 3542 §11.4, ip6_ctloutput */
  #pathMtu(sock: Sock): Buffer | string {
    const mtu = this.#mtu(sock);
    return typeof mtu === 'string' ? mtu : this.#abi.struct('ip6_mtuinfo', { ip6m_mtu: mtu });
  }

  /** A clock and flags; other clocks than the monotonic one need CAP_NET_ADMIN, which nobody here has. sock_setsockopt */
  #setTxTime(sock: Sock, value: Buffer): Result {
    const abi = this.#abi;
    const { facts } = abi;
    if (value.length !== facts.struct('sock_txtime')!.size) return 'EINVAL';
    const mask = facts.number('SOF_TXTIME_DEADLINE_MODE') | facts.number('SOF_TXTIME_REPORT_ERRORS');
    if ((abi.number('sock_txtime', 'flags', value) & ~mask) !== 0) return 'EINVAL';
    if (abi.number('sock_txtime', 'clockid', value) !== facts.number('CLOCK_MONOTONIC')) return 'EPERM';
    sock.flags.add('SO_TXTIME');
    return undefined;
  }

  #setInterface(sock: Sock, value: Buffer): Result {
    if (value.length !== 4) return 'EINVAL';
    const address = addressText(value);
    const iface = address === '0.0.0.0' ? undefined : this.#machine.owner(address);
    if (address !== '0.0.0.0' && iface === undefined) return 'EADDRNOTAVAIL';
    sock.multicastInterface = iface?.index ?? 0;
    return undefined;
  }

  #ipRequest(struct: 'ip_mreq' | 'ip_mreq_source', value: Buffer): Request | string {
    const abi = this.#abi;
    if (value.length !== abi.facts.struct(struct)!.size) return 'EINVAL';
    const address = (field: string) => addressText(abi.bytes(struct, field, value));
    const local = address('imr_interface');
    const iface = local === '0.0.0.0' ? this.#machine.route('239.0.0.1') : this.#machine.owner(local);
    if (iface === undefined) return 'EADDRNOTAVAIL';
    const source = struct === 'ip_mreq' ? undefined : address('imr_sourceaddr');
    return { group: address('imr_multiaddr'), ifindex: iface.index, source };
  }

  #ipv6Request(value: Buffer): Request | string {
    const abi = this.#abi;
    if (value.length !== abi.facts.struct('ipv6_mreq')!.size) return 'EINVAL';
    // bionic's header has a #define for the other name. <linux/in6.h>
    const field = abi.facts.os === 'android' ? 'ipv6mr_ifindex' : 'ipv6mr_interface';
    const group = addressText(abi.bytes('ipv6_mreq', 'ipv6mr_multiaddr', value));
    return { group, ifindex: abi.number('ipv6_mreq', field, value), source: undefined };
  }

  #sourceRequest(value: Buffer): Request | string {
    const abi = this.#abi;
    if (value.length !== abi.facts.struct('group_source_req')!.size) return 'EINVAL';
    const [group, source] = ['gsr_group', 'gsr_source'].map((field) => {
      const bytes = abi.bytes('group_source_req', field, value);
      if (this.#rules.saLen && abi.saLen(bytes) !== abi.sockaddrSize[6]) return undefined;
      return abi.readName(bytes);
    });
    if (group?.family !== 6 || source?.family !== 6) return 'EINVAL';
    const ifindex = abi.number('group_source_req', 'gsr_interface', value);
    return { group: group.address, ifindex, source: source.address };
  }

  #membership(sock: Sock, name: string, request: Request | string): Result {
    if (typeof request === 'string') return request;
    const { group, source } = request;
    if (!isMulticast(group) || isIPv6(group) !== (sock.family === 6)) return 'EINVAL';
    const iface = request.ifindex === 0 ? this.#machine.route(group) : this.#machine.byIndex(request.ifindex);
    if (iface === undefined) return 'ENODEV';
    const list = /BLOCK/.test(name) ? sock.blocked : sock.groups;
    if (list === sock.blocked && !sock.groups.some((own) => own.group === group && own.ifindex === iface.index)) {
      return 'EADDRNOTAVAIL'; // not a member. RFC 3678
    }
    const same = list.findIndex(
      (other) => other.group === group && other.ifindex === iface.index && other.source === source,
    );
    if (/DROP|LEAVE|UNBLOCK/.test(name)) {
      if (same < 0) return 'EADDRNOTAVAIL';
      list.splice(same, 1);
    } else {
      if (same >= 0) return list === sock.blocked ? 'EADDRNOTAVAIL' : 'EADDRINUSE';
      list.push({ group, ifindex: iface.index, source });
    }
    return undefined;
  }
}

function familyOf(name: string): 4 | 6 {
  return name.startsWith('IPV6_') ? 6 : 4;
}

interface Request {
  readonly group: string;
  readonly ifindex: number;
  readonly source: string | undefined;
}
