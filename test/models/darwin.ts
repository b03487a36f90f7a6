/**
 * macOS, as read in xnu-11417: test/abi/fixtures/darwin.json `semantics` (`J:`), docs/pitfalls.md (`P`), and as xnu-7195
 * ran (`RUN`, see kame.ts).
 */
import { loop } from '../../src/ffi/calls/batch';
import { type PrivateCall, PrivateReceive } from '../../src/ffi/calls/private-receive';
import type { Syscalls } from '../../src/ffi/syscalls';
import { darwin } from '../../src/platform/darwin';
import type { Facts } from '../abi/facts';
import { addressText, type Cmsg, type Name } from './abi';
import { KameKernel } from './kame';
import type { Choice } from './kernel';
import { bytesOf, isAny, isLoopback, type Machine } from './net';
import { sourceSpecific, table } from './option-table';
import type { Queued, Sock } from './sock';

const options = table({
  SOL_SOCKET: { SO_REUSEPORT: 'flag', SO_TIMESTAMP: 'flag' },
  IPPROTO_IP: {
    IP_RECVDSTADDR: 'flag',
    IP_PKTINFO: 'flag',
    IP_RECVIF: 'flag',
    IP_RECVTTL: 'flag',
    IP_RECVTOS: 'flag',
    IP_BOUND_IF: 'device',
    IP_DONTFRAG: 'dont fragment',
    ...sourceSpecific.IPPROTO_IP,
  },
  IPPROTO_IPV6: {
    IPV6_RECVPKTINFO: 'flag',
    IPV6_RECVHOPLIMIT: 'flag',
    IPV6_RECVTCLASS: 'flag',
    IPV6_BOUND_IF: 'device',
    IPV6_DONTFRAG: 'dont fragment',
    IPV6_PATHMTU: 'path mtu',
    ...sourceSpecific.IPPROTO_IPV6,
  },
});

export class DarwinKernel extends KameKernel {
  protected readonly v6onlyByDefault = false; // J:v4mapped.v6onlyDefault
  protected override readonly hopLimitForMapped = false; // J:v4mapped.receive
  protected readonly ran = true;
  /**
   * The kernel: 7195 ran. From 8019 on (macOS 12; read) control messages come with an AF_INET name too, and 11417 (read)
   * connects a socket that is left with IPv4 to no IPv6 peer.
   */
  xnu: 7195 | 8019 | 11417 = 7195;
  protected override readonly bindsBroadcast = false; // RUN
  protected override readonly mappedFromV6only = true; // RUN: it leaves as IPv4
  protected override readonly sdlLength = 20; // RUN
  /** An interface index chose the source of this send. */
  #sourceForgotten = false;
  /** How libc's calls are used there: ours, with the private one behind it once it has been compared. */
  readonly #received: PrivateReceive;

  constructor(facts: Facts, machine: Machine) {
    super(facts, machine, { options, saLen: true, doublesBuffers: false, dualStack: true });
    const platform = darwin(facts.arch)!;
    const one = loop({ receive: (...call) => this.#recvmsg(...call), send: () => 0 }, platform);
    const call = (...[fd, messages, count, flags]: Parameters<PrivateCall>) =>
      this.recvmsg_x(fd, messages, count, flags);
    this.#received = new PrivateReceive(one, platform, platform.privateBatch!, call, this);
  }

  override recvmmsg(fd: number, messages: Buffer, count: number, flags: number): number {
    return this.#received.recvmmsg(fd, messages, count, flags);
  }

  get late(): Syscalls['late'] {
    return this.#received.late;
  }

  get unproved(): string | undefined {
    return this.#received.unproved;
  }

  /** → bytes, or -errno */
  #recvmsg(fd: number, message: Buffer, flags: number): number {
    const result = super.recvmmsg(fd, message, 1, flags);
    return result < 0 ? result : this.abi.message(message, 0)!.get('len');
  }

  /** J:ipv4_receive: ipi_spec_dst is always 0. */
  protected ipv4(queued: Queued): Cmsg[] {
    const { packet, iface, flags } = queued;
    const cmsgs: Cmsg[] = [];
    if (flags.has('IP_RECVDSTADDR')) cmsgs.push(this.recvdstaddr(queued));
    if (flags.has('IP_RECVIF')) cmsgs.push(this.recvif(queued));
    if (flags.has('IP_RECVTTL')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_RECVTTL', Buffer.of(packet.ttl)));
    if (flags.has('IP_PKTINFO')) {
      const ipi_addr = Uint8Array.from(bytesOf(packet.destination));
      const info = this.abi.struct('in_pktinfo', { ipi_ifindex: iface.index, ipi_addr });
      cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_PKTINFO', info));
    }
    if (flags.has('IP_RECVTOS')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_RECVTOS', Buffer.of(packet.tos)));
    return cmsgs;
  }

  protected override get quietWithMappedNames(): boolean {
    return this.xnu < 8019;
  }

  protected override connectError(sock: Sock, to: Name): string | undefined {
    return this.xnu === 11417 && sock.only === 4 && !to.mapped ? 'EINVAL' : undefined;
  }

  /** What is not a whole message ends the walk, without an error. RUN */
  protected override walkIPv4(control: Buffer): Cmsg[] {
    const messages: Cmsg[] = [];
    for (let at = 0; control.length - at >= this.abi.headerSize; ) {
      const message = this.abi.cmsg(control, at);
      if (message.len < this.abi.headerSize || message.len > control.length - at) break;
      messages.push(message);
      at += this.abi.align(message.len);
    }
    return messages;
  }

  /** A subnet's broadcast address is accepted as a source. RUN */
  protected override foreignSources(source: string): boolean {
    return this.machine.broadcastOn(source) !== undefined;
  }

  /**
   * udp_check_pktinfo: IP_PKTINFO, of which the first counts (RUN), and an int IP_TOS; all else is skipped. J:ipv4_send, P3,
   * P21
   */
  protected chooseIPv4(sock: Sock, message: Cmsg, choice: Choice, to: Name): string | undefined {
    const { data } = message;
    if (this.is(message, 'IPPROTO_IP', 'IP_TOS') && data.length === 4) choice.tos = data.readInt32LE();
    if (!this.is(message, 'IPPROTO_IP', 'IP_PKTINFO')) return undefined;
    if (choice.source !== undefined || this.#sourceForgotten) return undefined;
    if (data.length !== this.facts.struct('in_pktinfo')!.size) return 'EINVAL';
    const ifindex = this.abi.number('in_pktinfo', 'ipi_ifindex', data);
    if (ifindex !== 0) {
      // The index wins: the address is forgotten, the interface's primary one is the source.
      const out = this.machine.byIndex(ifindex);
      if (out === undefined) return 'ENXIO';
      choice.out = out;
      this.#sourceForgotten = true;
      return undefined;
    }
    const specDst = this.abi.bytes('in_pktinfo', 'ipi_spec_dst', data);
    if (isAny(addressText(specDst))) return undefined;
    const failed = this.sourceIPv4(specDst, choice);
    if (failed !== undefined) return failed;
    if (!isLoopback(choice.source!)) return this.#scoped(to, choice);
    return sock.peer === undefined ? undefined : 'EADDRNOTAVAIL';
  }

  /** The route is looked up on the source's own interface: what has none from there does not leave. RUN */
  #scoped(to: Name, choice: Choice): string | undefined {
    const { machine } = this;
    const own = machine.owner(choice.source!) ?? machine.broadcastOn(choice.source!);
    if (own === undefined || machine.owner(to.address) !== undefined) return undefined;
    if (!machine.reaches(own, to.address)) return 'EHOSTUNREACH';
    choice.out = own;
    return undefined;
  }

  /** A send with IP_PKTINFO is a temporary bind, and leaves the socket bound to nothing. J:ipv4_send.boundSocket, P4 */
  protected override sentFrom(sock: Sock, { source }: Choice): void {
    const chosen = (source !== undefined && !source.includes(':')) || this.#sourceForgotten;
    this.#sourceForgotten = false;
    if (!chosen) return;
    sock.local = sock.family === 4 ? '0.0.0.0' : '::';
    sock.peer = undefined;
  }

  /** Just under SO_SNDBUF a datagram with control bytes never becomes sendable. P34 */
  protected override checkSize(sock: Sock, size: number, control: number): string | undefined {
    if (size > sock.sendBuffer) return 'EMSGSIZE';
    return size + control > sock.sendBuffer ? 'EAGAIN' : undefined;
  }

  /**
   * recvmsg_x(2), private: an array of struct msghdr_x, whose msg_flags have to be 0 and whose msg_datalen says how much
   * came. RUN; MSG_DONTWAIT alone is allowed since xnu-11417 (read).
   */
  recvmsg_x(fd: number, messages: Buffer, count: number, flags: number): number {
    const { facts } = this;
    const sock = this.sockets.get(fd);
    if (sock === undefined) return this.errno('EBADF');
    if (flags !== facts.number('MSG_DONTWAIT')) return this.errno('EINVAL');
    const { size } = facts.struct('msghdr_x')!;
    const [at, datalen] = ['msg_flags', 'msg_datalen'].map((field) => facts.field('msghdr_x', field).offset);
    const elements = Array.from({ length: count }, (_, i) => messages.subarray(i * size, (i + 1) * size));
    if (elements.some((element) => element.readInt32LE(at) !== 0)) return this.errno('EINVAL');
    let filled = 0;
    for (const element of elements) {
      // A pending error is told where the queue is empty when the call begins. soreceive_m_list (read, xnu-11417)
      if (filled > 0 && sock.lateError?.after === 0) sock.error = sock.lateError.name;
      if (filled > 0 && sock.lateError?.after === 0) sock.lateError = undefined;
      if (filled > 0 && (sock.error !== undefined || sock.queue.length === 0)) break;
      // The first fields are those of struct msghdr.
      const one = Buffer.concat([element.subarray(0, datalen), Buffer.alloc(this.abi.stride)]).subarray(
        0,
        this.abi.stride,
      );
      const result = this.#recvmsg(fd, one, flags);
      if (result < 0) return filled || result;
      one.copy(element, 0, 0, datalen);
      element.writeBigUInt64LE(BigInt(this.abi.message(one, 0)!.get('len')), datalen);
      filled++;
    }
    return filled;
  }
}
