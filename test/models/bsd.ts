/**
 * FreeBSD, OpenBSD and NetBSD, as read in their sources: test/abi/fixtures/<os>.json `semantics` (`J:`) and
 * docs/pitfalls.md (`P`).
 */
import { type Batch, openBatch } from '../../src/ffi/calls/batch';
import type { Koffi, Library } from '../../src/ffi/koffi';
import { freebsd } from '../../src/platform/freebsd';
import type { Facts } from '../abi/facts';
import type { Cmsg, Name } from './abi';
import { addressText, isMapped } from './abi';
import { KameKernel } from './kame';
import type { Choice } from './kernel';
import { RECEIVED_AT } from './linux';
import { bytesOf, isAny, isIPv6, isMulticast, type Machine } from './net';
import { type OptionTable, sourceSpecific, table } from './option-table';
import type { Queued, Sock } from './sock';

const common: Partial<OptionTable> = {
  SOL_SOCKET: { SO_REUSEPORT: 'flag', SO_TIMESTAMP: 'flag' },
  IPPROTO_IP: { IP_RECVDSTADDR: 'flag', IP_RECVIF: 'flag', IP_RECVTTL: 'flag' },
  IPPROTO_IPV6: {
    IPV6_RECVPKTINFO: 'flag',
    IPV6_RECVHOPLIMIT: 'flag',
    IPV6_RECVTCLASS: 'flag',
    IPV6_DONTFRAG: 'dont fragment',
    IPV6_PATHMTU: 'path mtu',
  },
};

abstract class BsdKernel extends KameKernel {
  /** ip_savecontrol: destination, TTL, TOS, interface. */
  protected ipv4(queued: Queued): Cmsg[] {
    const { packet, flags } = queued;
    const cmsgs: Cmsg[] = [];
    if (flags.has('IP_RECVDSTADDR')) cmsgs.push(this.recvdstaddr(queued));
    if (flags.has('IP_RECVTTL')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_RECVTTL', Buffer.of(packet.ttl)));
    if (flags.has('IP_RECVTOS')) cmsgs.push(this.cmsg('IPPROTO_IP', 'IP_RECVTOS', Buffer.of(packet.tos)));
    if (flags.has('IP_RECVIF')) cmsgs.push(this.recvif(queued));
    return cmsgs;
  }
}

const freebsdOptions = table({
  SOL_SOCKET: { ...common.SOL_SOCKET, SO_REUSEPORT_LB: 'flag', SO_TS_CLOCK: 'choice', SO_RERROR: 'flag' },
  IPPROTO_IP: {
    ...common.IPPROTO_IP,
    IP_RECVTOS: 'flag',
    IP_BINDANY: 'flag',
    IP_DONTFRAG: 'dont fragment',
    IP_RECVORIGDSTADDR: 'flag',
    ...sourceSpecific.IPPROTO_IP,
  },
  IPPROTO_IPV6: {
    ...common.IPPROTO_IPV6,
    IPV6_BINDANY: 'flag',
    IPV6_RECVORIGDSTADDR: 'flag',
    ...sourceSpecific.IPPROTO_IPV6,
  },
});

export class FreeBSDKernel extends BsdKernel {
  protected readonly v6onlyByDefault = true; // J:v4mapped.v6onlyDefault
  protected readonly ran = true;
  protected override readonly bindsBroadcast = false; // RUN
  protected override readonly sendsFromGroups = true; // RUN
  protected override readonly cutsCmsgs = false; // RUN
  protected override readonly sourceOfInterface = true; // RUN: EADDRNOTAVAIL otherwise
  protected override readonly sdlLength = 56; // RUN

  constructor(facts: Facts, machine: Machine) {
    super(facts, machine, { options: freebsdOptions, saLen: true, doublesBuffers: false, dualStack: true });
    const func = (prototype: string) => {
      if (prototype.includes(' recvmmsg(')) return this.#libcRecvmmsg;
      return prototype.includes(' recvmsg(') ? this.#libcRecvmsg : () => -1;
    };
    const koffi = { errno: () => this.#errno } as unknown as Koffi;
    this.#batch = openBatch(koffi, { func } as unknown as Library, freebsd(facts.arch)!, this);
  }

  /** errno of libc, which a call that succeeds leaves alone. */
  #errno = 0;
  readonly #batch: Batch;

  /** Ours, on libc's. */
  override recvmmsg(fd: number, messages: Buffer, count: number, flags: number): number {
    this.calls++;
    return this.#batch.recvmmsg(fd, messages, count, flags);
  }

  get late(): Batch['late'] {
    return this.#batch.late;
  }

  override close(fd: number): number {
    this.#batch.forget(fd);
    return super.close(fd);
  }

  /** → bytes, or -1 */
  readonly #libcRecvmsg = (fd: number, message: Buffer, flags: number): number => {
    const result = super.recvmmsg(fd, message, 1, flags);
    if (result < 0) this.#errno = -result;
    return result < 0 ? -1 : this.abi.message(message, 0)!.get('len');
  };

  /** A loop over recvmsg(2), which says what it has received and not what has ended it. lib/libc/gen/recvmmsg.c */
  readonly #libcRecvmmsg = (fd: number, messages: Buffer, count: number, flags: number): number => {
    for (let received = 0; received < count; received++) {
      const result = super.recvmmsg(fd, messages.subarray(received * this.abi.stride), 1, flags);
      if (result < 0) this.#errno = -result;
      if (result < 0) return received || -1;
    }
    return count;
  };

  /** The same without us, for what is true of it. */
  libcRecvmmsg(fd: number, messages: Buffer, count: number, flags: number): number {
    const result = this.#libcRecvmmsg(fd, messages, count, flags);
    return result < 0 ? -this.#errno : result;
  }

  /** udp_append, udp6_append: one flag for both options; a socket address, before all other messages. */
  protected override arrivalOf(sock: Sock, queued: Queued): Cmsg[] {
    const own = super.arrivalOf(sock, queued);
    const { packet, flags } = queued;
    if (!flags.has('IP_RECVORIGDSTADDR') && !flags.has('IPV6_RECVORIGDSTADDR')) return own;
    const { address, port } = packet.original ?? { address: packet.destination, port: packet.destinationPort };
    return isIPv6(address)
      ? [this.cmsg('IPPROTO_IPV6', 'IPV6_ORIGDSTADDR', this.abi.writeName(6, address, port)), ...own]
      : [this.cmsg('IPPROTO_IP', 'IP_ORIGDSTADDR', this.abi.writeName(4, address, port)), ...own];
  }

  /** udp_send. J:ipv4_send.errors */
  protected chooseIPv4(sock: Sock, message: Cmsg, choice: Choice): string | undefined {
    const { data } = message;
    if (sock.family === 6 && this.is(message, 'IPPROTO_IPV6', 'IPV6_PKTINFO')) return this.#mapped(sock, data, choice);
    if (message.level !== this.facts.number('IPPROTO_IP')) return undefined;
    if (this.is(message, 'IPPROTO_IP', 'IP_SENDSRCADDR')) {
      if (data.length !== 4) return 'EINVAL';
      return this.#source(sock, data, choice);
    }
    if (!this.is(message, 'IPPROTO_IP', 'IP_TOS')) return 'ENOPROTOOPT';
    if (data.length !== 1) return 'EINVAL'; // J:ipv4_send.otherTypes
    choice.tos = data[0];
    return undefined;
  }

  /** in_pcbbind_setup: not on a socket that is bound to an address or connected, and not 0.0.0.0. P5 */
  #source(sock: Sock, address: Buffer, choice: Choice): string | undefined {
    if (!sock.wildcard || sock.peer !== undefined || isAny(addressText(address))) return 'EINVAL';
    return this.sourceIPv4(address, choice);
  }

  /** udp_v4mapped_pktinfo. J:v4mapped.send, P16 */
  #mapped(sock: Sock, data: Buffer, choice: Choice): string | undefined {
    const address = this.abi.bytes('in6_pktinfo', 'ipi6_addr', data);
    if (!isMapped(address)) return 'EINVAL';
    const ifindex = this.abi.number('in6_pktinfo', 'ipi6_ifindex', data);
    if (ifindex !== 0 && this.machine.byIndex(ifindex) === undefined) return 'ENXIO';
    return this.#source(sock, address.subarray(12), choice);
  }

  /** A group is not refused as a source, and a subnet broadcast may be found. J:ipv4_send.multicastSource */
  protected override foreignSources(source: string): boolean {
    return isMulticast(source) || this.machine.broadcastOn(source) !== undefined;
  }

  protected override balances(sock: Sock): boolean {
    return sock.flags.has('SO_REUSEPORT_LB'); // J:reuseport
  }

  /** SO_TS_CLOCK chooses the clock and the message. setsockopt(2) */
  protected override timestamp(sock: Sock): Cmsg {
    const clock = sock.values.get('SO_TS_CLOCK') ?? this.facts.number('SO_TS_REALTIME_MICRO');
    if (clock === this.facts.number('SO_TS_REALTIME_MICRO')) return super.timestamp(sock);
    if (clock !== this.facts.number('SO_TS_REALTIME')) throw new Error(`clock ${clock} is not modelled`);
    const timespec = this.abi.struct('timespec', { tv_sec: RECEIVED_AT[0], tv_nsec: RECEIVED_AT[1] });
    return this.cmsg('SOL_SOCKET', 'SCM_REALTIME', timespec);
  }

  /** udp_recvspace. RUN */
  protected override get defaultReceiveBuffer(): number {
    return 42080;
  }

  /** sosend: control bytes count as well. RUN */
  protected override checkSize(sock: Sock, size: number, control: number): string | undefined {
    return size + control > sock.sendBuffer ? 'EMSGSIZE' : undefined;
  }

  protected override mayShare(sock: Sock, other: Sock, address: string): boolean {
    return super.mayShare(sock, other, address) || (this.balances(sock) && this.balances(other));
  }

  /** recvmmsg is a loop in libc that leaves its own flag in the messages; sendmsg does not mind. RUN, against P24 */
  protected override get leftoverFlags(): number {
    return this.facts.number('MSG_WAITFORONE');
  }
}

/** IP_MULTICAST_TTL and IP_MULTICAST_LOOP are a u_char there. ip(4) */
const bytesForGroups = { IP_MULTICAST_TTL: 'byte', IP_MULTICAST_LOOP: 'byte' } as const;

const openbsdOptions = table({
  ...common,
  SOL_SOCKET: { ...common.SOL_SOCKET, SO_BINDANY: 'flag' },
  IPPROTO_IP: { ...common.IPPROTO_IP, ...bytesForGroups, IP_RECVDSTPORT: 'flag' },
  IPPROTO_IPV6: { ...common.IPPROTO_IPV6, IPV6_RECVDSTPORT: 'flag' },
});

export class OpenBSDKernel extends BsdKernel {
  protected readonly v6onlyByDefault = true; // J:v4mapped.v6onlyDefault
  protected readonly ran = false;

  constructor(facts: Facts, machine: Machine) {
    super(facts, machine, { options: openbsdOptions, saLen: true, doublesBuffers: false, dualStack: false });
  }

  /** udp_sbappend: uh_dport, as the datagram has it, behind all other messages. What pf diverts keeps its address and port. */
  protected override arrivalOf(sock: Sock, queued: Queued): Cmsg[] {
    const own = super.arrivalOf(sock, queued);
    const { packet, flags } = queued;
    const v6 = isIPv6(packet.destination);
    if (!flags.has(v6 ? 'IPV6_RECVDSTPORT' : 'IP_RECVDSTPORT')) return own;
    const port = Buffer.alloc(2);
    port.writeUInt16BE(packet.original?.port ?? packet.destinationPort);
    const [level, type] = v6 ? ['IPPROTO_IPV6', 'IPV6_RECVDSTPORT'] : ['IPPROTO_IP', 'IP_RECVDSTPORT'];
    return [...own, this.cmsg(level!, type!, port)];
  }

  /** sendit: a whole header with its padding. J:control.emptyPointer */
  protected override checkControl(pointer: bigint, length: number): string | undefined {
    return pointer !== 0n && length < this.abi.align(this.abi.headerSize) ? 'EINVAL' : undefined;
  }

  /** udp_output: every message with its padding, and nothing behind the last. J:ipv4_send.errors, P6 */
  protected override walkIPv4(control: Buffer): Cmsg[] | string {
    const messages: Cmsg[] = [];
    for (let at = 0; at < control.length; ) {
      const left = control.length - at;
      if (left < this.facts.cmsg.dataOffset) return 'EINVAL';
      const message = this.abi.cmsg(control, at);
      if (message.len < this.facts.cmsg.dataOffset || this.abi.align(message.len) > left) return 'EINVAL';
      messages.push(message);
      at += this.abi.align(message.len);
    }
    return messages;
  }

  /** Only IP_SENDSRCADDR of exactly its length counts, on bound sockets too. J:ipv4_send */
  protected chooseIPv4(_sock: Sock, message: Cmsg, choice: Choice): string | undefined {
    if (!this.is(message, 'IPPROTO_IP', 'IP_SENDSRCADDR') || message.data.length !== 4) return undefined;
    return this.sourceIPv4(message.data, choice);
  }

  /** in_pcbaddrisavail exempts broadcasts and groups. J:ipv4_send.broadcastSource */
  protected override foreignSources(source: string): boolean {
    return isMulticast(source) || source === '255.255.255.255' || this.machine.broadcastOn(source) !== undefined;
  }

  /** No IPv4-mapped addresses at all, and port 0 is nowhere. J:v4mapped, P28 */
  protected override nameOf(sock: Sock, bytes: Buffer): Name | string {
    const name = super.nameOf(sock, bytes);
    return typeof name !== 'string' && name.mapped ? 'EADDRNOTAVAIL' : name;
  }
}

const netbsdOptions = table({
  SOL_SOCKET: { ...common.SOL_SOCKET, SO_RERROR: 'flag' },
  IPPROTO_IP: { ...common.IPPROTO_IP, IP_PKTINFO: 'flag', IP_RECVPKTINFO: 'flag', IP_BINDANY: 'flag' },
  IPPROTO_IPV6: { ...common.IPPROTO_IPV6, IPV6_BINDANY: 'flag' },
});

export class NetBSDKernel extends BsdKernel {
  protected readonly v6onlyByDefault = true; // J:v4mapped.v6onlyDefault
  protected readonly ran = false;

  constructor(facts: Facts, machine: Machine) {
    super(facts, machine, { options: netbsdOptions, saLen: true, doublesBuffers: false, dualStack: true });
  }

  /** ip_savecontrol: IP_RECVPKTINFO brings an IP_PKTINFO of {address, interface}. J:ipv4_receive */
  protected override ipv4(queued: Queued): Cmsg[] {
    const cmsgs = super.ipv4(queued);
    if (!queued.flags.has('IP_RECVPKTINFO')) return cmsgs;
    const ipi_addr = Uint8Array.from(bytesOf(queued.packet.destination));
    const info = this.abi.struct('in_pktinfo', { ipi_addr, ipi_ifindex: queued.iface.index });
    return [...cmsgs, this.cmsg('IPPROTO_IP', 'IP_PKTINFO', info)];
  }

  /** ip_setpktopts. J:ipv4_send */
  protected chooseIPv4(_sock: Sock, message: Cmsg, choice: Choice): string | undefined {
    if (message.level !== this.facts.number('IPPROTO_IP')) return undefined;
    if (!this.is(message, 'IPPROTO_IP', 'IP_SENDSRCADDR')) return 'ENOPROTOOPT';
    return message.data.length === 4 ? this.sourceIPv4(message.data, choice) : 'EINVAL';
  }

  /** What happens to mapped addresses is UNVERIFIED there: the model gives them nothing. J:v4mapped */
  protected override ipv6(queued: Queued): Cmsg[] {
    return isIPv6(queued.packet.destination) ? super.ipv6(queued) : [];
  }
}
