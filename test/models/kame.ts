/**
 * What macOS and the BSDs share from 4.4BSD and KAME: control messages made when a datagram is queued, names of exactly
 * their size, IPV6_PKTINFO as RFC 3542 has it. Read in their sources, not run: test/abi/fixtures/<os>.json `semantics`.
 * `J:` is a key there, `P` a number of docs/pitfalls.md.
 */
import { addressText, type Cmsg, int32, mappedBytes, type Name } from './abi';
import { type Choice, Kernel } from './kernel';
import { RECEIVED_AT } from './linux';
import { bytesOf, isAny, isIPv6, isLinkLocal } from './net';
import type { Queued, Sock } from './sock';

/** udp_sendspace, "really max datagram size": darwin.json maxDatagram, P37 */
export const SEND_SPACE = 9216;

export abstract class KameKernel extends Kernel {
  protected readonly controlAtQueue = true; // J:optionTiming

  protected override get defaultSendBuffer(): number {
    return SEND_SPACE;
  }

  // ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  protected arrivalOf(sock: Sock, queued: Queued): Cmsg[] {
    const cmsgs = isIPv6(queued.packet.destination) || sock.family === 6 ? this.ipv6(queued) : this.ipv4(queued);
    if (!queued.flags.has('SO_TIMESTAMP')) return cmsgs;
    const timeval = this.abi.struct('timeval', { tv_sec: RECEIVED_AT[0], tv_usec: RECEIVED_AT[1] / 1000 });
    return [...cmsgs, this.cmsg('SOL_SOCKET', 'SCM_TIMESTAMP', timeval)];
  }

  /** ip_savecontrol */
  protected abstract ipv4(queued: Queued): Cmsg[];

  /** ip6_savecontrol; IPv4 datagrams on a dual-stack socket come with the mapped address. J:v4mapped.receive */
  protected ipv6({ packet, iface, flags }: Queued): Cmsg[] {
    const cmsgs: Cmsg[] = [];
    const v6 = isIPv6(packet.destination);
    if (flags.has('IPV6_RECVPKTINFO')) {
      const ipi6_addr = Uint8Array.from(v6 ? bytesOf(packet.destination) : mappedBytes(packet.destination));
      const info = this.abi.struct('in6_pktinfo', { ipi6_addr, ipi6_ifindex: iface.index });
      cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_PKTINFO', info));
    }
    if (flags.has('IPV6_RECVHOPLIMIT') && (v6 || this.hopLimitForMapped)) {
      cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_HOPLIMIT', int32(packet.ttl)));
    }
    if (flags.has('IPV6_RECVTCLASS')) cmsgs.push(this.cmsg('IPPROTO_IPV6', 'IPV6_TCLASS', int32(packet.tos)));
    return cmsgs;
  }

  protected readonly hopLimitForMapped: boolean = true;

  /** IP_RECVIF: a sockaddr_dl of sdl_len bytes, with nothing behind its fixed part. FreeBSD, OpenBSD and NetBSD */
  protected recvif({ iface }: Queued): Cmsg {
    const sdl_len = 8;
    const rest: Record<string, number | Uint8Array> =
      this.facts.os === 'netbsd' ? { sdl_addr: Uint8Array.of(0x06) } : { sdl_type: 0x06 };
    const fields = { sdl_len, sdl_family: this.facts.number('AF_LINK'), sdl_index: iface.index, ...rest };
    return this.cmsg('IPPROTO_IP', 'IP_RECVIF', this.abi.struct('sockaddr_dl', fields).subarray(0, sdl_len));
  }

  protected recvdstaddr({ packet }: Queued): Cmsg {
    return this.cmsg('IPPROTO_IP', 'IP_RECVDSTADDR', Buffer.from(bytesOf(packet.destination)));
  }

  // ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** sendit: a control pointer needs a whole header behind it. J:control.emptyPointer, P23 */
  protected checkControl(pointer: bigint, length: number): string | undefined {
    return pointer !== 0n && length < this.abi.headerSize ? 'EINVAL' : undefined;
  }

  protected choose(sock: Sock, to: Name, control: Buffer): Choice | string {
    const v4 = sock.family === 4 || to.mapped;
    const messages = v4 ? this.walkIPv4(control) : this.#walk(control);
    if (typeof messages === 'string') return messages;
    const choice: Choice = {};
    for (const message of messages) {
      const failed = v4 ? this.chooseIPv4(sock, message, choice) : this.#chooseIPv6(to, message, choice);
      if (failed !== undefined) return failed;
    }
    return choice;
  }

  /** Most walk as IPv6 does. OpenBSD has its own way. */
  protected walkIPv4(control: Buffer): Cmsg[] | string {
    return this.#walk(control);
  }

  /** ip6_setpktopts, udp_send: a length of 0 or beyond the buffer is an error. freebsd.json control.sendLength */
  #walk(control: Buffer): Cmsg[] | string {
    const messages: Cmsg[] = [];
    for (let at = 0; at < control.length; ) {
      if (control.length - at < this.abi.headerSize) return 'EINVAL';
      const message = this.abi.cmsg(control, at);
      if (message.len < this.abi.headerSize || message.len > control.length - at) return 'EINVAL';
      messages.push(message);
      at += this.abi.align(message.len);
    }
    return messages;
  }

  /** What one control message does to an IPv4 datagram. → errno's name */
  protected abstract chooseIPv4(sock: Sock, message: Cmsg, choice: Choice): string | undefined;

  /** ip6_setpktopt, in6_selectsrc. J:ipv6_send.errors */
  #chooseIPv6(to: Name, message: Cmsg, choice: Choice): string | undefined {
    const { data } = message;
    if (message.level !== this.facts.number('IPPROTO_IPV6')) return undefined;
    if (this.is(message, 'IPPROTO_IPV6', 'IPV6_PKTINFO')) return this.#in6Pktinfo(to, data, choice);
    const kind = this.is(message, 'IPPROTO_IPV6', 'IPV6_HOPLIMIT') ? 'ttl' : 'tos';
    if (kind === 'tos' && !this.is(message, 'IPPROTO_IPV6', 'IPV6_TCLASS')) return 'ENOPROTOOPT';
    if (data.length !== 4 || data.readInt32LE() < -1 || data.readInt32LE() > 255) return 'EINVAL';
    if (data.readInt32LE() >= 0) choice[kind] = data.readInt32LE();
    return undefined;
  }

  #in6Pktinfo(to: Name, data: Buffer, choice: Choice): string | undefined {
    if (data.length !== this.facts.struct('in6_pktinfo')!.size) return 'EINVAL';
    const source = addressText(this.abi.bytes('in6_pktinfo', 'ipi6_addr', data));
    const ifindex = this.abi.number('in6_pktinfo', 'ipi6_ifindex', data);
    const out = ifindex === 0 ? undefined : this.machine.byIndex(ifindex);
    if (ifindex !== 0 && out === undefined) return 'ENXIO';
    if (out !== undefined && to.scope !== 0 && isLinkLocal(to.address) && out.index !== to.scope) return 'EHOSTUNREACH';
    if (out !== undefined) choice.out = out;
    if (isAny(source)) return undefined;
    // A link-local address is looked up with the link; without one it is nobody's.
    const link = isLinkLocal(source) ? ifindex || -1 : 0;
    if (!this.isLocal(source, link)) return 'EADDRNOTAVAIL';
    choice.source = source;
    return undefined;
  }

  /** The first message of a bound-socket check that FreeBSD makes and others do not. */
  protected sourceIPv4(data: Buffer, choice: Choice): string | undefined {
    const source = addressText(data);
    if (!this.isLocal(source) && !this.foreignSources(source)) return 'EADDRNOTAVAIL'; // J:ipv4_send.errors
    choice.source = source;
    return undefined;
  }

  /** Addresses that are let through though they are not local: groups and broadcasts, see each OS. */
  protected foreignSources(_source: string): boolean {
    return false;
  }

  // ── names and sockets ────────────────────────────────────────────────────────────────────────────────────────────

  /** Exactly 16 or 28 bytes of the socket's own family. J:namelen, P15, P16 */
  protected nameOf(sock: Sock, bytes: Buffer): Name | string {
    if (bytes.length !== this.abi.sockaddrSize[sock.family]) return 'EINVAL';
    const name = this.abi.readName(bytes);
    if (name === undefined || name.family !== sock.family) return 'EAFNOSUPPORT';
    if (name.mapped && sock.v6only) return 'EINVAL'; // freebsd.json v4mapped.v6onlySendToMapped
    return name;
  }

  /** udp_ctloutput hands everything on an AF_INET6 socket to IPv6, and the reverse. darwin.json v4mapped */
  protected optionError(sock: Sock, level: number): string | undefined {
    const foreign = this.facts.number(sock.family === 4 ? 'IPPROTO_IPV6' : 'IPPROTO_IP');
    return level === foreign ? 'EINVAL' : undefined;
  }

  /** in_pcbbind: the same address and port only with SO_REUSEPORT on both; SO_REUSEADDR is not enough. */
  protected mayShare(sock: Sock, other: Sock): boolean {
    return sock.flags.has('SO_REUSEPORT') && other.flags.has('SO_REUSEPORT');
  }

  protected balances(_sock: Sock): boolean {
    return false; // P42
  }

  /** sosend: a datagram larger than SO_SNDBUF never fits. */
  protected checkSize(sock: Sock, size: number, _control: number): string | undefined {
    return size > sock.sendBuffer ? 'EMSGSIZE' : undefined;
  }

  protected unroutable(): string {
    return 'EHOSTUNREACH'; // "FreeBSD has no such latitude": P10
  }
}
