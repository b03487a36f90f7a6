/**
 * What macOS and the BSDs share from 4.4BSD and KAME: control messages made when a datagram is queued, names of exactly
 * their size, IPV6_PKTINFO as RFC 3542 has it. Read in their sources: test/abi/fixtures/<os>.json `semantics`. `J:` is a
 * key there, `P` a number of docs/pitfalls.md. `RUN` marks what the network stacks of XNU 7195.141.2 (macOS 11.5) and
 * FreeBSD 13.0 did when they ran, which wins over what was read; `ran` says whether it holds for the OS.
 */
import { addressText, type Cmsg, int32, mappedBytes, type Name } from './abi';
import { type Choice, Kernel } from './kernel';
import { RECEIVED_AT } from './linux';
import { bytesOf, type Interface, isAny, isIPv6, isLinkLocal, type Packet } from './net';
import type { Queued, Sock } from './sock';

/** udp_sendspace, "really max datagram size": darwin.json maxDatagram, P37 */
export const SEND_SPACE = 9216;

/** Bytes of an mbuf. */
const MSIZE = 256;

export abstract class KameKernel extends Kernel {
  protected readonly controlAtQueue = true; // J:optionTiming
  protected override readonly errorsBehindData = true; // soreceive: so_error and so_rerror where no datagram is left
  protected readonly portZero = 'EADDRNOTAVAIL'; // P28
  /** macOS and FreeBSD, whose stacks ran. */
  protected abstract readonly ran: boolean;

  protected override get defaultSendBuffer(): number {
    return SEND_SPACE;
  }

  // ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  protected arrivalOf(sock: Sock, queued: Queued): Cmsg[] {
    if (this.nameFamily(sock) !== sock.family && this.quietWithMappedNames) return [];
    const cmsgs = isIPv6(queued.packet.destination) || sock.family === 6 ? this.ipv6(queued) : this.ipv4(queued);
    if (!queued.flags.has('SO_TIMESTAMP')) return cmsgs;
    const time = this.timestamp(sock);
    return this.ran ? [time, ...cmsgs] : [...cmsgs, time]; // RUN
  }

  /** Does an AF_INET6 socket that says sockaddr_in say nothing else? RUN */
  protected get quietWithMappedNames(): boolean {
    return true;
  }

  protected timestamp(_sock: Sock): Cmsg {
    const timeval = this.abi.struct('timeval', { tv_sec: RECEIVED_AT[0], tv_usec: RECEIVED_AT[1] / 1000 });
    return this.cmsg('SOL_SOCKET', 'SCM_TIMESTAMP', timeval);
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

  /** sdl_len of what IP_RECVIF brings: as far as the link's name, where it did not run. */
  protected readonly sdlLength: number = 8;

  /** IP_RECVIF: a sockaddr_dl of sdl_len bytes. FreeBSD, OpenBSD and NetBSD */
  protected recvif({ iface }: Queued): Cmsg {
    const sdl_len = this.sdlLength;
    const rest: Record<string, number | Uint8Array> =
      this.facts.os === 'netbsd' ? { sdl_addr: Uint8Array.of(0x06) } : { sdl_type: 0x06 };
    const fields = { sdl_len, sdl_family: this.facts.number('AF_LINK'), sdl_index: iface.index, ...rest };
    const link = Buffer.concat([this.abi.struct('sockaddr_dl', fields), Buffer.alloc(8)]);
    return this.cmsg('IPPROTO_IP', 'IP_RECVIF', link.subarray(0, sdl_len));
  }

  protected recvdstaddr({ packet }: Queued): Cmsg {
    return this.cmsg('IPPROTO_IP', 'IP_RECVDSTADDR', Buffer.from(bytesOf(packet.destination)));
  }

  /** An AF_INET6 socket that is bound or connected to a mapped address says sockaddr_in. RUN */
  protected override nameFamily(sock: Sock): 4 | 6 {
    return this.ran && sock.only === 4 ? 4 : sock.family;
  }

  /** inp_vflag: such a socket has one family from then on, a connected one even when it is connected no more. RUN */
  protected override narrow(sock: Sock, to: Name): void {
    if (!this.ran || sock.family === 4) return;
    if (to.mapped) sock.only = 4;
    else if (!isAny(to.address)) sock.only = 6;
  }

  /**
   * Once any socket of the host has joined, IPv6 groups are heard by all sockets without multicast options, members or
   * not. RUN
   */
  protected override isMember(sock: Sock, iface: Interface, packet: Packet): boolean {
    if (super.isMember(sock, iface, packet)) return true;
    if (!this.ran || !isIPv6(packet.destination) || sock.groups.length > 0 || sock.multicastInterface !== 0)
      return false;
    return [...this.sockets.values()].some((other) => super.isMember(other, iface, packet));
  }

  /**
   * sbappendaddr: payload, name and control bytes count, and each has an mbuf of its own, eight times the buffer's size in
   * all. RUN: of 40 bytes 658 fit into 42080, 439 with IP_RECVDSTADDR, 276 with IP_RECVIF as well
   */
  protected override hasRoom(sock: Sock, queued: Queued): boolean {
    if (!this.ran) return super.hasRoom(sock, queued);
    const [bytes, mbufs] = [...sock.queue, queued].reduce(
      ([bytes, mbufs], { packet, control = [] }) => {
        const lengths = control.map(({ data }) => this.facts.cmsg.dataOffset + this.abi.align(data.length));
        const own = lengths.reduce((sum, length) => sum + length, this.abi.sockaddrSize[this.nameFamily(sock)]);
        return [bytes + own + packet.payload.length, mbufs + (2 + lengths.length) * MSIZE];
      },
      [0, 0],
    );
    const last = (2 + (queued.control?.length ?? 0)) * MSIZE;
    return bytes <= sock.receiveBuffer && mbufs - last < 8 * sock.receiveBuffer;
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
      const failed = v4 ? this.chooseIPv4(sock, message, choice, to) : this.#chooseIPv6(to, message, choice);
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
  protected abstract chooseIPv4(sock: Sock, message: Cmsg, choice: Choice, to: Name): string | undefined;

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
    if (isAny(source)) {
      if (this.ran && out !== undefined && !isLinkLocal(to.address) && !this.machine.reaches(out, to.address)) {
        // No route there: routing decides, and the interface gives its address. RUN
        choice.out = undefined;
        choice.source = this.machine.primary(out, to.address);
      }
      return undefined;
    }
    // A link-local address is looked up with the link; without one it is nobody's.
    const link = isLinkLocal(source) ? ifindex || -1 : this.sourceOfInterface ? ifindex : 0;
    if (!this.isLocal(source, link)) return 'EADDRNOTAVAIL';
    choice.source = source;
    return undefined;
  }

  /** IPV6_PKTINFO: has the address to be one of the interface that stands beside it? */
  protected readonly sourceOfInterface: boolean = false;

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
    if (name.mapped && sock.v6only && !this.mappedFromV6only) return 'EINVAL'; // freebsd.json v4mapped.v6onlySendToMapped
    return name;
  }

  /** Does a socket with IPV6_V6ONLY send to IPv4-mapped addresses? */
  protected readonly mappedFromV6only: boolean = false;

  /** udp_ctloutput hands everything on an AF_INET6 socket to IPv6, and the reverse. darwin.json v4mapped */
  protected optionError(sock: Sock, level: number): string | undefined {
    const foreign = this.facts.number(sock.family === 4 ? 'IPPROTO_IPV6' : 'IPPROTO_IP');
    return level === foreign ? 'EINVAL' : undefined;
  }

  /**
   * in_pcbbind: the same address and port only with SO_REUSEPORT on both; SO_REUSEADDR is not enough. RUN: it is enough on
   * the second one, and SO_REUSEADDR there for an address beside the wildcard.
   */
  protected mayShare(sock: Sock, other: Sock, address: string): boolean {
    if (!this.ran) return sock.flags.has('SO_REUSEPORT') && other.flags.has('SO_REUSEPORT');
    return sock.flags.has('SO_REUSEPORT') || (sock.flags.has('SO_REUSEADDR') && isAny(address) !== other.wildcard);
  }

  /** A dual-stack wildcard may be bound beside IPv4's. RUN */
  protected override overlap(sock: Sock, address: string, other: Sock): boolean {
    if (this.ran && sock.family === 6 && other.family === 4 && address === '::') return false;
    return super.overlap(sock, address, other);
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
