/**
 * Windows, behind the same interface: what WSARecvMsg and WSASendMsg do to their messages, by
 * test/abi/fixtures/win32.json `semantics` (a list; the first words of the fact are quoted) and docs/pitfalls.md.
 */
import type { Facts } from '../abi/facts';
import { addressText, type Cmsg, int32, isMapped, mappedBytes, type Name } from './abi';
import { type Choice, Kernel } from './kernel';
import { bytesOf, isAny, isIPv6, isLinkLocal, type Machine } from './net';
import { sourceSpecific, table } from './option-table';
import type { Queued, Sock } from './sock';

/** UDP_SEND_MSG_SIZE is an option, too, on those that know it. */
const options = table({
  IPPROTO_UDP: { UDP_SEND_MSG_SIZE: 'choice' },
  IPPROTO_IP: {
    IP_PKTINFO: 'flag',
    IP_RECVTTL: 'flag',
    IP_RECVTOS: 'flag',
    IP_MULTICAST_TTL: 'int',
    IP_MULTICAST_LOOP: 'int',
    IP_UNICAST_IF: 'egress, network order',
    IP_MTU_DISCOVER: 'mtu discovery',
    IP_MTU: 'mtu',
    IP_RECVECN: 'flag',
    ...sourceSpecific.IPPROTO_IP,
  },
  IPPROTO_IPV6: {
    // "There is no IPV6_RECVPKTINFO": option and message share the number, as for the hop limit.
    IPV6_PKTINFO: 'flag',
    IPV6_HOPLIMIT: 'flag',
    IPV6_RECVTCLASS: 'flag',
    IPV6_UNICAST_IF: 'egress',
    IPV6_MTU_DISCOVER: 'mtu discovery',
    IPV6_MTU: 'mtu',
    IPV6_RECVECN: 'flag',
    ...sourceSpecific.IPPROTO_IPV6,
  },
});

export class WindowsKernel extends Kernel {
  protected readonly v6onlyByDefault = true; // "IPV6_V6ONLY is 1 by default on Windows"
  protected readonly controlAtQueue = true;
  protected readonly portZero = 'EADDRNOTAVAIL'; // WSASendTo's documentation

  constructor(facts: Facts, machine: Machine) {
    super(facts, machine, { options, saLen: false, doublesBuffers: false, dualStack: true });
  }

  /** "Receive on a dual-stack socket": IPv4 as it is where IP_PKTINFO was asked for, else mapped (P17). */
  protected arrivalOf(_sock: Sock, { packet, iface, flags }: Queued): Cmsg[] {
    const cmsgs: Cmsg[] = [];
    const v6 = isIPv6(packet.destination);
    const ecn = int32(packet.tos & 3);
    if (v6 && flags.has('IPV6_RECVECN')) cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_ECN', ecn));
    if (!v6 && flags.has('IP_RECVECN')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_ECN', ecn));
    const address = bytesOf(packet.destination);
    if (!v6 && flags.has('IP_PKTINFO')) {
      const fields = { ipi_addr: Uint8Array.from(address), ipi_ifindex: iface.index };
      cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_PKTINFO', this.abi.struct('in_pktinfo', fields)));
    } else if (flags.has('IPV6_PKTINFO')) {
      const ipi6_addr = Uint8Array.from(v6 ? address : mappedBytes(packet.destination));
      const info = this.abi.struct('in6_pktinfo', { ipi6_addr, ipi6_ifindex: iface.index });
      cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_PKTINFO', info));
    }
    if (v6) {
      if (flags.has('IPV6_HOPLIMIT')) cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_HOPLIMIT', int32(packet.ttl)));
      if (flags.has('IPV6_RECVTCLASS')) cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_TCLASS', int32(packet.tos)));
      return cmsgs;
    }
    // "Received TTL", "Received TOS": the SDK's types; Wine's are in the ABI tests.
    if (flags.has('IP_RECVTTL')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_RECVTTL', int32(packet.ttl)));
    if (flags.has('IP_RECVTOS')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_TCLASS', int32(packet.tos)));
    return cmsgs;
  }

  protected checkControl(pointer: bigint, length: number): string | undefined {
    return pointer === 0n && length > 0 ? 'EFAULT' : undefined;
  }

  /** "On send set Control.len to the sum of WSA_CMSG_SPACE of the messages really present". */
  protected choose(sock: Sock, to: Name, control: Buffer): Choice | string {
    const choice: Choice = {};
    if (this.ignoresMessages) return choice;
    const v4 = sock.family === 4 || to.mapped;
    for (let at = 0; at < control.length; ) {
      if (control.length - at < this.facts.cmsg.dataOffset) return 'EINVAL';
      const message = this.abi.cmsg(control, at);
      const space = this.abi.align(message.len);
      if (message.len < this.facts.cmsg.dataOffset || space > control.length - at) return 'EINVAL';
      const failed = v4 ? this.#ipv4(message, choice) : this.#ipv6(to, message, choice);
      if (failed !== undefined) return failed;
      at += space;
    }
    return choice;
  }

  /** "Send on a dual-stack socket to a ::ffff:a.b.c.d peer": the plain IPv4 address as on IPv4 sockets. */
  #ipv4(message: Cmsg, choice: Choice): string | undefined {
    const { data } = message;
    const documented = this.#documented(message, ['IP_HOPLIMIT', 'IP_TOS', 'IP_ECN'], 'IPPROTO_IP', choice);
    if (documented !== undefined) return documented === 'ok' ? undefined : documented;
    if (!this.is(message, 'IPPROTO_IP', 'IP_PKTINFO')) return 'EINVAL';
    if (data.length !== this.facts.struct('in_pktinfo')!.size) return 'EINVAL';
    const source = addressText(this.abi.bytes('in_pktinfo', 'ipi_addr', data));
    const failed = this.#interface(this.abi.number('in_pktinfo', 'ipi_ifindex', data), choice);
    // "IN_PKTINFO with ipi_addr 0.0.0.0 and an index": that is the source then.
    if (isAny(source)) choice.source = source;
    return failed ?? (isAny(source) ? undefined : this.#source(source, 0, choice));
  }

  #ipv6(to: Name, message: Cmsg, choice: Choice): string | undefined {
    const { data } = message;
    const documented = this.#documented(message, ['IPV6_HOPLIMIT', 'IPV6_TCLASS', 'IPV6_ECN'], 'IPPROTO_IPV6', choice);
    if (documented !== undefined) return documented === 'ok' ? undefined : documented;
    if (!this.is(message, 'IPPROTO_IPV6', 'IPV6_PKTINFO')) return 'EINVAL';
    if (data.length !== this.facts.struct('in6_pktinfo')!.size) return 'EINVAL';
    const bytes = this.abi.bytes('in6_pktinfo', 'ipi6_addr', data);
    const ifindex = this.abi.number('in6_pktinfo', 'ipi6_ifindex', data);
    const failed = this.#interface(ifindex, choice);
    if (failed !== undefined || isMapped(bytes)) return failed ?? 'EINVAL';
    const source = addressText(bytes);
    if (isAny(source)) return undefined;
    return this.#source(source, isLinkLocal(source) ? ifindex || to.scope || -1 : 0, choice);
  }

  /** What it takes of that which the SDK documents of Windows 10 2004 and later. Older ones: WSAEINVAL. */
  readonly documented = new Set([
    ...['UDP_SEND_MSG_SIZE', 'IP_HOPLIMIT', 'IP_TOS', 'IP_ECN'],
    ...['IPV6_HOPLIMIT', 'IPV6_TCLASS', 'IPV6_ECN'],
  ]);
  /** Wine takes every message of a send, and does nothing with it (seen by test:wine). */
  ignoresMessages = false;
  /** Options that it does not know: those of older releases do not know all of them. */
  readonly unknown = new Set<string>();

  /** UDP_SEND_MSG_SIZE, IP_HOPLIMIT, IP_TOS, IP_ECN: a DWORD each. undefined: another message */
  #documented(message: Cmsg, [ttl, tos, ecn]: string[], level: string, choice: Choice): string | undefined {
    const { data } = message;
    const knows = (level: string, type: string) => this.documented.has(type) && this.is(message, level, type);
    const value = data.length === 4 ? data.readInt32LE() : undefined;
    const fits = (most: number) => value !== undefined && value >= 0 && value <= most;
    if (knows('IPPROTO_UDP', 'UDP_SEND_MSG_SIZE')) {
      if (!fits(65535)) return 'EINVAL';
      choice.segment = value as number;
    } else if (knows(level, ttl)) {
      if (!fits(255)) return 'EINVAL';
      choice.ttl = value as number;
    } else if (knows(level, tos)) {
      if (!fits(255)) return 'EINVAL';
      choice.tos = value as number;
    } else if (knows(level, ecn)) {
      if (!fits(3)) return 'EINVAL';
      choice.tos = ((choice.tos ?? 0) & 0xfc) | (value as number);
    } else {
      return undefined;
    }
    return 'ok';
  }

  /** "IN_PKTINFO.ipi_ifindex 0 on send is accepted". */
  #interface(ifindex: number, choice: Choice): string | undefined {
    if (ifindex === 0) return undefined;
    const out = this.machine.byIndex(ifindex);
    if (out === undefined) return 'EINVAL';
    choice.out = out;
    return undefined;
  }

  /**
   * "A source address that Windows will not use for that route can fail with WSAEINVAL" (P7); for IPv4 Wine says
   * WSAENETUNREACH (seen by test:wine). One family each, so that both are met.
   */
  #source(source: string, scope: number, choice: Choice): string | undefined {
    if (!this.isLocal(source, scope)) return isIPv6(source) ? 'EINVAL' : 'ENETUNREACH';
    choice.source = source;
    return undefined;
  }

  protected nameOf(sock: Sock, bytes: Buffer): Name | string {
    const name = this.abi.readName(bytes);
    if (bytes.length < this.abi.sockaddrSize[sock.family]) return 'EFAULT';
    if (name === undefined || name.family !== sock.family) return 'EAFNOSUPPORT';
    return sock.v6only && name.mapped ? 'EADDRNOTAVAIL' : name;
  }

  /** IPv4's options are set on dual-stack sockets too: "Set both IP_PKTINFO and IPV6_PKTINFO" (P17). */
  protected optionError(sock: Sock, level: number, name: number): string | undefined {
    const { facts } = this;
    const option = this.options.find(level, name)?.[0];
    if (option !== undefined && this.unknown.has(option)) return 'EINVAL';
    if (sock.family === 4) return level === facts.number('IPPROTO_IPV6') ? 'EINVAL' : undefined;
    return sock.v6only && level === facts.number('IPPROTO_IP') ? 'EINVAL' : undefined;
  }

  protected mayShare(sock: Sock, _other: Sock): boolean {
    return sock.flags.has('SO_REUSEADDR');
  }

  protected balances(): boolean {
    return false;
  }

  protected checkSize(): string | undefined {
    return undefined;
  }

  protected unroutable(): string {
    return 'ENETUNREACH';
  }

  /** SIO_UDP_CONNRESET is off, on sockets of ours: P38. */
  protected override refuse(): void {}

  /** connect() to AF_UNSPEC dissolves without a complaint. */
  protected override dissolve(sock: Sock): string | undefined {
    super.dissolve(sock);
    return undefined;
  }
}
