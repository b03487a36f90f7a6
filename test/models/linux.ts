/**
 * Linux and Android, by test/abi/fixtures/linux.json `semantics` (run on 6.18) and docs/pitfalls.md; what each rule
 * rests on stands beside it. `J:` is a key in the fixture's `semantics.kernel`, `P` a number of the pitfalls.
 */
import type { Facts } from '../abi/facts';
import { addressText, type Cmsg, int32, isMapped, mappedBytes, type Name } from './abi';
import type { Choice } from './kernel';
import { FilteringKernel } from './linux-filters';
import { linuxOptions } from './linux-options';
import {
  bytesOf,
  type Interface,
  isAny,
  isIPv6,
  isLinkLocal,
  isLoopback,
  isMulticast,
  type Machine,
  type Packet,
} from './net';
import type { PeerName, Queued, QueuedError, Sock } from './sock';

/** When everything is received, in seconds and nanoseconds since the epoch. */
export const RECEIVED_AT = [1_790_000_000, 123_456_000] as const;

export class LinuxKernel extends FilteringKernel {
  protected readonly v6onlyByDefault = false; // J:v4mapped.v6onlyDefault
  protected readonly controlAtQueue = false;
  protected override readonly shortensCmsg = true; // J:control.tooSmall
  protected override readonly nameOnConnected = undefined; // J:ipv4_send.boundSocket
  protected readonly portZero = 'EINVAL'; // P28

  constructor(facts: Facts, machine: Machine) {
    super(facts, machine, { options: linuxOptions, saLen: false, doublesBuffers: true, dualStack: true });
  }

  /** ip_cmsg_recv, ip6_datagram_recv_ctl: sockets' messages first, then IPv6's, then IPv4's. J:v4mapped.receive, P31 */
  protected override readonly tellsWholeLength = true;

  protected arrivalOf(sock: Sock, { packet, iface, flags, drops }: Queued): Cmsg[] {
    const on = (option: string) => sock.flags.has(option);
    const cmsgs: Cmsg[] = [];
    const v6 = isIPv6(packet.destination);
    // Queued before the option was on: the address alone is right. J:optionTiming, P2
    const late = !flags.has('IP_PKTINFO') && !flags.has('IPV6_RECVPKTINFO');
    const ifindex = late && !v6 ? 0 : iface.index;
    if (on('SO_TIMESTAMPNS')) cmsgs.push(this.cmsg('SOL_SOCKET', 'SCM_TIMESTAMPNS', this.#timespec()));
    if (on('SO_RXQ_OVFL') && drops > 0) cmsgs.push(this.cmsg('SOL_SOCKET', 'SO_RXQ_OVFL', int32(drops))); // P30
    if (on('SO_RCVMARK')) cmsgs.push(this.cmsg('SOL_SOCKET', 'SO_MARK', int32(packet.mark ?? 0)));
    if (on('IPV6_RECVPKTINFO')) {
      const ipi6_addr = Uint8Array.from(v6 ? bytesOf(packet.destination) : mappedBytes(packet.destination));
      const info = this.abi.struct('in6_pktinfo', { ipi6_addr, ipi6_ifindex: ifindex });
      cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_PKTINFO', info));
    }
    if (v6) {
      // IPv4 datagrams bring neither (P14).
      if (on('IPV6_RECVHOPLIMIT')) cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_HOPLIMIT', int32(packet.ttl)));
      if (on('IPV6_RECVTCLASS')) cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_TCLASS', int32(packet.tos)));
      if (on('IPV6_RECVORIGDSTADDR')) cmsgs.push(this.#original(6, packet));
      return cmsgs;
    }
    if (on('IP_PKTINFO')) cmsgs.push(this.#pktinfo(packet, iface, ifindex, late));
    if (on('IP_RECVTTL')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_TTL', int32(packet.ttl))); // J:otherCmsg
    if (on('IP_RECVTOS')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_TOS', Buffer.of(packet.tos)));
    if (on('IP_RECVORIGDSTADDR')) cmsgs.push(this.#original(4, packet));
    return cmsgs;
  }

  /** A socket address: where it was diverted from, or its own destination. ip(7) */
  #original(family: 4 | 6, { destination, destinationPort, original }: Packet): Cmsg {
    const { address, port } = original ?? { address: destination, port: destinationPort };
    const name = this.abi.writeName(family, address, port);
    return family === 4
      ? this.cmsg('IPPROTO_IP', 'IP_ORIGDSTADDR', name)
      : this.cmsg('IPPROTO_IPV6', 'IPV6_ORIGDSTADDR', name);
  }

  /** IPV6_RECVERR alone tells a dual-stack socket nothing of its IPv4 peers. Run, P38 */
  protected override keepsErrors(sock: Sock, { address }: PeerName): boolean {
    return sock.flags.has(isIPv6(address) ? 'IPV6_RECVERR' : 'IP_RECVERR');
  }

  /** An IPv6 socket is told of its IPv4 peers by IPv6's message, the offender mapped. P38 */
  protected override errorCmsg(sock: Sock, { errno, origin, type, code, info, offender }: QueuedError): Cmsg {
    const error = this.abi.struct('sock_extended_err', {
      ee_errno: -this.errno(errno),
      ee_origin: this.facts.number(origin),
      ee_type: type,
      ee_code: code,
      ee_info: info,
    });
    const name =
      offender === undefined
        ? Buffer.alloc(this.abi.sockaddrSize[sock.family])
        : this.abi.writeName(sock.family, offender, 0);
    const data = Buffer.concat([error, name]);
    return sock.family === 4
      ? this.cmsg('IPPROTO_IP', 'IP_RECVERR', data)
      : this.cmsg('IPPROTO_IPV6', 'IPV6_RECVERR', data);
  }

  #pktinfo({ destination, source }: Packet, iface: Interface, ifindex: number, late: boolean): Cmsg {
    // The address that the kernel would answer from: unicast whatever the destination is. J:ipv4_receive.destination
    const answer = this.isLocal(destination) ? destination : this.machine.primary(iface, source);
    const fields = {
      ipi_ifindex: ifindex,
      ipi_spec_dst: Uint8Array.from(late || answer === undefined ? [0, 0, 0, 0] : bytesOf(answer)),
      ipi_addr: Uint8Array.from(bytesOf(destination)),
    };
    return this.cmsg('IPPROTO_IP', 'IP_PKTINFO', this.abi.struct('in_pktinfo', fields));
  }

  #timespec(): Buffer {
    return this.abi.struct('timespec', { tv_sec: RECEIVED_AT[0], tv_nsec: RECEIVED_AT[1] });
  }

  /** J:control.emptyPointer: a pointer beside 0 is fine. The other way round copies from NULL. */
  protected checkControl(pointer: bigint, length: number): string | undefined {
    return pointer === 0n && length > 0 ? 'EFAULT' : undefined;
  }

  protected choose(sock: Sock, to: Name, control: Buffer): Choice | string {
    const choice: Choice & { ifindex?: number } = {};
    const v4 = sock.family === 4 || to.mapped || to.family === 4;
    // CMSG_FIRSTHDR, CMSG_NXTHDR: less than a header at the end is ignored, a header of zeros is not. J:control.sendLength
    for (let at = 0; at + this.abi.headerSize <= control.length; ) {
      const message = this.abi.cmsg(control, at);
      if (message.len < this.abi.headerSize || message.len > control.length - at) return 'EINVAL';
      const failed = v4 ? this.#ipv4(sock, message, choice) : this.#ipv6(sock, message, choice);
      if (failed !== undefined) return failed;
      at += this.abi.align(message.len);
    }
    const routed = v4 ? this.#routeIPv4(sock, to, choice) : this.#routeIPv6(sock, to, choice);
    if (typeof routed === 'string') return routed;
    const { segment, mark, txTime } = choice;
    return {
      ...routed,
      ...(segment !== undefined && { segment }),
      ...(mark !== undefined && { mark }),
      ...(txTime !== undefined && { txTime }),
    };
  }

  /** __sock_cmsg_send: a mark, and when to leave where SO_TXTIME has been set; all else is EINVAL. P21 */
  #ofSocket(sock: Sock, message: Cmsg, choice: Choice): string | undefined {
    const { data } = message;
    if (this.is(message, 'SOL_SOCKET', 'SO_MARK') && data.length === 4) choice.mark = data.readUInt32LE();
    else if (this.is(message, 'SOL_SOCKET', 'SCM_TXTIME') && data.length === 8 && sock.flags.has('SO_TXTIME')) {
      choice.txTime = data.readBigUInt64LE();
    } else return 'EINVAL';
    return undefined;
  }

  /** ip_cmsg_send. J:ipv4_send.errors */
  #ipv4(sock: Sock, message: Cmsg, choice: Choice & { ifindex?: number }): string | undefined {
    const { data } = message;
    if (message.level === this.facts.number('SOL_SOCKET')) return this.#ofSocket(sock, message, choice);
    if (message.level === this.facts.number('IPPROTO_UDP')) return this.#segment(message, choice);
    if (sock.family === 6 && this.is(message, 'IPPROTO_IPV6', 'IPV6_PKTINFO')) {
      // J:v4mapped.send: mapped or nothing
      const address = this.abi.bytes('in6_pktinfo', 'ipi6_addr', data);
      if (data.length < 20 || !isMapped(address)) return 'EINVAL';
      choice.source = addressText(address.subarray(12));
      choice.ifindex = this.abi.number('in6_pktinfo', 'ipi6_ifindex', data);
      return undefined;
    }
    if (message.level !== this.facts.number('IPPROTO_IP')) return undefined; // silently ignored, P8
    if (this.is(message, 'IPPROTO_IP', 'IP_PKTINFO')) {
      if (data.length !== this.facts.struct('in_pktinfo')!.size) return 'EINVAL';
      choice.source = addressText(this.abi.bytes('in_pktinfo', 'ipi_spec_dst', data)); // ipi_addr is ignored
      choice.ifindex = this.abi.number('in_pktinfo', 'ipi_ifindex', data);
      return undefined;
    }
    if (this.is(message, 'IPPROTO_IP', 'IP_TTL')) {
      if (data.length !== 4 || data.readInt32LE() < 1 || data.readInt32LE() > 255) return 'EINVAL';
      choice.ttl = data.readInt32LE();
      return undefined;
    }
    if (this.is(message, 'IPPROTO_IP', 'IP_TOS')) {
      if (data.length !== 4 && data.length !== 1) return 'EINVAL';
      choice.tos = data[0];
      return undefined;
    }
    return 'EINVAL';
  }

  #routeIPv4(sock: Sock, to: Name, { source, ifindex = 0, ttl, tos }: Choice & { ifindex?: number }): Choice | string {
    const { machine } = this;
    const out = ifindex === 0 ? undefined : machine.byIndex(ifindex);
    if (ifindex !== 0 && out === undefined) return 'ENODEV';
    if (out !== undefined && out.link !== undefined && this.isLocal(to.address)) return 'ENETUNREACH';
    const rest = { ...(out && { out }), ...(ttl !== undefined && { ttl }), ...(tos !== undefined && { tos }) };
    if (source === undefined || isAny(source)) return rest;
    if (isMulticast(source) || source === '255.255.255.255') return 'EINVAL';
    // A subnet's broadcast address too; P7. IP_FREEBIND does not help, IP_TRANSPARENT does; P43
    if (!this.isLocal(source) && !sock.flags.has('IP_TRANSPARENT')) return 'ENETUNREACH';
    if (isLoopback(source) && machine.route(to.address)?.link !== undefined) return 'EINVAL'; // P8
    return { source, ...rest };
  }

  /** ip6_datagram_send_ctl. J:ipv6_send.errors */
  #ipv6(sock: Sock, message: Cmsg, choice: Choice & { ifindex?: number }): string | undefined {
    const { data } = message;
    if (message.level === this.facts.number('SOL_SOCKET')) return this.#ofSocket(sock, message, choice);
    if (message.level === this.facts.number('IPPROTO_UDP')) return this.#segment(message, choice);
    if (message.level !== this.facts.number('IPPROTO_IPV6')) return undefined; // silently ignored, P8
    if (this.is(message, 'IPPROTO_IPV6', 'IPV6_PKTINFO')) {
      if (data.length < this.facts.struct('in6_pktinfo')!.size) return 'EINVAL';
      choice.source = addressText(this.abi.bytes('in6_pktinfo', 'ipi6_addr', data));
      choice.ifindex = this.abi.number('in6_pktinfo', 'ipi6_ifindex', data);
      return undefined;
    }
    const kind = this.is(message, 'IPPROTO_IPV6', 'IPV6_HOPLIMIT') ? 'ttl' : 'tos';
    if (kind === 'tos' && !this.is(message, 'IPPROTO_IPV6', 'IPV6_TCLASS')) return 'EINVAL';
    if (data.length !== 4 || data.readInt32LE() < -1 || data.readInt32LE() > 255) return 'EINVAL';
    if (data.readInt32LE() >= 0) choice[kind] = data.readInt32LE();
    return undefined;
  }

  #routeIPv6(sock: Sock, to: Name, { source, ifindex = 0, ttl, tos }: Choice & { ifindex?: number }): Choice | string {
    if (ifindex !== 0 && to.scope !== 0 && isLinkLocal(to.address) && ifindex !== to.scope) return 'EINVAL'; // P10
    const index = ifindex || (isLinkLocal(to.address) ? to.scope : 0);
    const out = index === 0 ? undefined : this.machine.byIndex(index);
    if (index !== 0 && out === undefined) return 'ENODEV';
    const rest = { ...(out && { out }), ...(ttl !== undefined && { ttl }), ...(tos !== undefined && { tos }) };
    if (source === undefined || isAny(source)) {
      // The loopback's index alone leads nowhere but to the loopback's own addresses. Run on 6.18
      const nowhere = out !== undefined && out.link === undefined && this.machine.owner(to.address) !== out;
      return nowhere ? 'ENETUNREACH' : rest;
    }
    if (isMulticast(source) || !isIPv6(source) || isMapped(Buffer.from(bytesOf(source)))) return 'EINVAL';
    if (isLinkLocal(source) && out === undefined) return 'EINVAL'; // P10
    const foreign = ['IPV6_FREEBIND', 'IP_FREEBIND', 'IPV6_TRANSPARENT', 'IP_TRANSPARENT']; // P43
    if (!this.isLocal(source, isLinkLocal(source) ? index : 0)) {
      if (!foreign.some((option) => sock.flags.has(option))) return 'EINVAL'; // P7
    }
    // A link-local destination without a link goes out anywhere (P10).
    if (isLinkLocal(to.address) && out === undefined) return { source, out: this.machine.interfaces[1], ...rest };
    return { source, ...rest };
  }

  /** UDP_SEGMENT takes a u16; nothing else is known at this level. J:ipv4_send.errors, P21 */
  #segment(message: Cmsg, choice: Choice): string | undefined {
    if (!this.is(message, 'IPPROTO_UDP', 'UDP_SEGMENT') || message.data.length !== 2) return 'EINVAL';
    choice.segment = message.data.readUInt16LE();
    return undefined;
  }

  protected nameOf(sock: Sock, bytes: Buffer): Name | string {
    const name = this.abi.readName(bytes);
    if (name === undefined) return sock.family === 4 ? 'EAFNOSUPPORT' : 'EINVAL';
    if (sock.family === 4 && name.family === 6) return 'EAFNOSUPPORT';
    if (sock.v6only && name.mapped) return 'ENETUNREACH'; // J:v4mapped.v6onlySendToMapped
    // An IPv4 name on an IPv6 socket is taken as mapped (P15).
    return sock.family === 6 && name.family === 4 ? { ...name, family: 6, mapped: true } : name;
  }

  /** IPv4's options work on IPv6 sockets (J:v4mapped.receive), not the other way round. */
  protected optionError(sock: Sock, level: number): string | undefined {
    return sock.family === 4 && level === this.facts.number('IPPROTO_IPV6') ? 'ENOPROTOOPT' : undefined;
  }

  protected mayShare(sock: Sock, other: Sock): boolean {
    return ['SO_REUSEADDR', 'SO_REUSEPORT'].some((option) => sock.flags.has(option) && other.flags.has(option));
  }

  protected balances(sock: Sock): boolean {
    return sock.flags.has('SO_REUSEPORT'); // P42
  }

  protected checkSize(): string | undefined {
    return undefined;
  }

  protected unroutable(to: Name): string {
    return isLinkLocal(to.address) ? 'EINVAL' : 'ENETUNREACH'; // P10
  }

  protected override narrow(sock: Sock): void {
    sock.only = undefined;
  }

  /** Back to where bind() put it. connect(2), AF_UNSPEC */
  protected override dissolve(sock: Sock): string | undefined {
    // After a mapped peer nothing of IPv6 is heard any more; a socket that is connected again hears its peer. Run on 6.18.
    if (sock.family === 6 && sock.peer !== undefined && !isIPv6(sock.peer.address) && !sock.named) sock.only = 4;
    sock.peer = undefined;
    if (!sock.named) sock.local = sock.family === 4 ? '0.0.0.0' : '::';
    // A port that nobody has named goes back, and the socket is bound no more: __udp_disconnect, SOCK_BINDPORT_LOCK.
    if (sock.chosen) sock.port = 0;
    return undefined;
  }

  /** IP_MULTICAST_ALL is on: whoever joins, joins for all sockets that are bound to everywhere. ip(7) */
  protected override isMember(sock: Sock, iface: Interface, packet: Packet): boolean {
    const all = sock.values.get(isIPv6(packet.destination) ? 'IPV6_MULTICAST_ALL' : 'IP_MULTICAST_ALL') ?? 1;
    if (all === 0) return super.isMember(sock, iface, packet);
    const own = sock.groups.some(({ group, ifindex }) => group === packet.destination && ifindex === iface.index);
    if (own) return super.isMember(sock, iface, packet);
    return [...this.sockets.values()].some((other) => super.isMember(other, iface, packet));
  }
}
