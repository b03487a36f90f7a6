/**
 * What the kernel models differ in, and what all of them know: the state, and a hook for each rule of an OS. linux.ts,
 * kame.ts and win32.ts fill them in; input.ts and output.ts ask them. Strict: a value that the OS would not take is refused
 * here too, with its errno.
 */
import type { Facts } from '../abi/facts';
import { Abi, type Cmsg, type Name } from './abi';
import { Memory } from './memory';
import type { Interface, Machine, Packet } from './net';
import { Poll } from './readiness';
import type { Queued, Sock } from './sock';

/** What the control messages of one send ask for. */
export interface Choice {
  /** The source address. */
  source?: string;
  /** Leave through this interface, whatever routing says. */
  out?: Interface;
  ttl?: number;
  tos?: number;
  /** Cut the payload into datagrams of so many bytes. */
  segment?: number;
  mark?: number;
  txTime?: bigint;
}

/** Winsock's names where they are not WSA and the common one. */
const WINSOCK: Record<string, string> = { EAGAIN: 'WSAEWOULDBLOCK', ENOTSUP: 'WSAEOPNOTSUPP' };

export abstract class KernelRules {
  readonly facts: Facts;
  readonly abi: Abi;
  readonly machine: Machine;
  readonly readiness: Poll;
  readonly sockets = new Map<number, Sock>();
  protected readonly memory: Memory;
  protected nextPort = 49152;
  /** System calls so far. */
  calls = 0;
  /** Control messages that come before and after the system's own. */
  readonly noise: { before: Cmsg[]; after: Cmsg[] } = { before: [], after: [] };
  /** OpenBSD, NetBSD and Windows: 1. */
  protected abstract readonly v6onlyByDefault: boolean;
  /** Does a datagram for one interface's address get in by another one (P11)? */
  protected readonly weakHost: boolean = true;

  constructor(facts: Facts, machine: Machine) {
    this.facts = facts;
    this.abi = new Abi(facts);
    this.machine = machine;
    this.memory = new Memory(this.abi.pointerSize, facts.os === 'android' ? 0xb4n : 0n);
    this.readiness = new Poll((fd) => this.sockets.get(fd));
  }

  // ── the OS's own ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the OS says of an arrival, with the options that were on when it was queued. In its order. */
  protected abstract arrivalOf(sock: Sock, queued: Queued): Cmsg[];
  /** Are control messages made when a datagram is queued, or when it is received? */
  protected abstract readonly controlAtQueue: boolean;
  /** What the control bytes of one send ask for, or errno's name. */
  protected abstract choose(sock: Sock, to: Name, control: Buffer): Choice | string;
  /** Is this control pointer and length to be had at all? errno's name, or undefined. */
  protected abstract checkControl(pointer: bigint, length: number): string | undefined;
  /** Is this a name for such a socket? errno's name, or the address. */
  protected abstract nameOf(sock: Sock, name: Buffer): Name | string;
  /** What is wrong with a socket option of the other family on such a socket. */
  protected abstract optionError(sock: Sock, level: number, name: number): string | undefined;
  /** May the first share the other's port, by its bind()? */
  protected abstract mayShare(sock: Sock, other: Sock, address: string): boolean;
  /** Does the kernel spread unicast datagrams over sockets that share a port? */
  protected abstract balances(sock: Sock): boolean;
  /** Is a connected socket told a name (sendmsg)? errno's name, or undefined where it overrides. */
  protected readonly nameOnConnected: string | undefined = 'EISCONN';
  /** errno's name for a payload of this size beside these control bytes. */
  protected abstract checkSize(sock: Sock, size: number, control: number): string | undefined;
  /** Routing's choice, or what a link-local destination without a link gets. */
  protected abstract unroutable(to: Name): string;

  /** The family of the name that a datagram comes with: of the socket, whatever the datagram's. */
  protected nameFamily(sock: Sock): 4 | 6 {
    return sock.family;
  }

  /** Why a socket of what is left cannot be connected to that peer; errno's name. */
  protected connectError(_sock: Sock, _to: Name): string | undefined {
    return undefined;
  }

  /** What bind() and connect() leave of a dual-stack socket. */
  protected narrow(_sock: Sock, _to: Name): void {}

  /** Is there room for this datagram in the receive queue? */
  protected hasRoom(sock: Sock, { packet }: Queued): boolean {
    return sock.queuedBytes + packet.payload.length <= sock.receiveBuffer;
  }

  /** Does the kernel take port 0 as a destination? errno's name. P28 */
  protected abstract readonly portZero: string;
  /** May 255.255.255.255 be bound? */
  protected readonly bindsBroadcast: boolean = true;

  /** May addresses of others be bound by this socket? IP_FREEBIND and its like. */
  protected bindsForeign(sock: Sock): boolean {
    const options = [
      'IP_FREEBIND',
      'IPV6_FREEBIND',
      'IP_TRANSPARENT',
      'IPV6_TRANSPARENT',
      'IP_BINDANY',
      'IPV6_BINDANY',
    ];
    return [...options, 'SO_BINDANY'].some((option) => sock.flags.has(option));
  }

  /** Does a datagram leave from the group that its socket is bound to? */
  protected readonly sendsFromGroups: boolean = false;
  /** Is what does not fit the caller's control buffer delivered in part? */
  protected readonly cutsCmsgs: boolean = true;
  /** Does a pending error wait until the queue is empty? P24 */
  protected readonly errorsBehindData: boolean = false;
  /** Does MSG_TRUNC, asked for, have it tell the length of what it cuts? recv(2) */
  protected readonly tellsWholeLength: boolean = false;
  /** After a send that chose a source. macOS un-binds. */
  protected sentFrom(_sock: Sock, _choice: Choice): void {}

  protected dissolve(sock: Sock): string | undefined {
    sock.peer = undefined;
    sock.local = sock.family === 4 ? '0.0.0.0' : '::';
    return 'EAFNOSUPPORT';
  }

  /** Does this socket get datagrams to that group? */
  protected isMember(sock: Sock, iface: Interface, { destination, source }: Packet): boolean {
    return sock.groups.some(
      (member) =>
        member.group === destination &&
        member.ifindex === iface.index &&
        (member.source === undefined || member.source === source),
    );
  }

  protected get defaultSendBuffer(): number | undefined {
    return undefined;
  }

  protected get defaultReceiveBuffer(): number | undefined {
    return undefined;
  }

  // ── for the OSes ─────────────────────────────────────────────────────────────────────────────────────────────────

  protected cmsg(level: string, type: string, data: Buffer): Cmsg {
    return { level: this.facts.number(level), type: this.facts.number(type), data };
  }

  /** Is this the message of that level and type? */
  protected is(message: { level: number; type: number }, level: string, type: string): boolean {
    return message.level === this.facts.number(level) && message.type === this.facts.constant(type);
  }

  errno(name: string): number {
    const { facts } = this;
    if (facts.os === 'win32') return -facts.number(WINSOCK[name] ?? `WSA${name}`);
    return -(facts.constant(name) ?? facts.number(name === 'ENOTSUP' ? 'EOPNOTSUPP' : 'ENOTSUP'));
  }

  /** Is this address one of the machine's, on that interface if one is given? */
  protected isLocal(address: string, scope = 0): boolean {
    return this.machine.owner(address, scope) !== undefined;
  }

  protected onSocket(fd: number, action: (sock: Sock) => number | string | undefined): number {
    this.calls++;
    const sock = this.sockets.get(fd);
    if (sock === undefined) return this.errno('EBADF');
    const result = action(sock) ?? 0;
    return typeof result === 'string' ? this.errno(result) : result;
  }

  protected freePort(): number {
    return this.nextPort++;
  }

  /** A socket that sends or connects without having been bound. */
  protected autobind(sock: Sock): void {
    if (sock.bound) return;
    sock.port = this.freePort();
    sock.chosen = true;
  }

  /** What is left of a datagram by the socket's own filter; undefined: nothing. */
  protected filtered(_sock: Sock, packet: Packet): Packet | undefined {
    return packet;
  }

  /** Which of the sockets that share a port gets it. */
  protected steered(group: readonly Sock[], { sourcePort }: Packet): Sock {
    return group[sourcePort % group.length]!;
  }
}
