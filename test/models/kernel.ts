/**
 * What every kernel model does: descriptors, names, queues, and messages in and out, by the fixtures' layouts. The OSes'
 * own rules (what they say of an arrival, how a source is chosen, what they refuse) are in linux.ts, kame.ts and
 * win32.ts. Strict: a value that the OS would not take is refused here too, with its errno.
 */
import { ERROR, READABLE, WRITABLE } from '../../src/ffi/readiness';
import type { Syscalls } from '../../src/ffi/syscalls';
import type { Facts } from '../abi/facts';
import { Abi, type Cmsg, type Message, type Name } from './abi';
import { Memory } from './memory';
import { type Interface, isAny, isIPv6, isLinkLocal, isLoopback, isMulticast, type Machine, type Packet } from './net';
import { Options, type Rules } from './options';
import { Poll } from './readiness';
import { type PeerName, type Queued, type QueuedError, Sock } from './sock';

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
}

/** Winsock's names where they are not WSA and the common one. */
const WINSOCK: Record<string, string> = { EAGAIN: 'WSAEWOULDBLOCK', ENOTSUP: 'WSAEOPNOTSUPP' };
/** UIO_MAXIOV: more messages are silently left. recvmmsg(2), sendmmsg(2) */
const MOST_MESSAGES = 1024;
const MOST_SEGMENTS = 64;
const LARGEST = { 4: 65507, 6: 65527 };

export abstract class Kernel implements Syscalls {
  readonly facts: Facts;
  readonly abi: Abi;
  readonly machine: Machine;
  readonly readiness: Poll;
  readonly sockets = new Map<number, Sock>();
  readonly #memory: Memory;
  readonly #options: Options;
  #nextFd = 20;
  #nextPort = 49152;
  /** System calls so far. */
  calls = 0;
  /** Control messages that come before and after the system's own. */
  readonly noise: { before: Cmsg[]; after: Cmsg[] } = { before: [], after: [] };

  /** OpenBSD, NetBSD and Windows: 1. */
  protected abstract readonly v6onlyByDefault: boolean;
  /** Does a datagram for one interface's address get in by another one (P11)? */
  protected readonly weakHost: boolean = true;

  constructor(facts: Facts, machine: Machine, rules: Rules) {
    this.facts = facts;
    this.abi = new Abi(facts);
    this.machine = machine;
    this.#memory = new Memory(this.abi.pointerSize, facts.os === 'android' ? 0xb4n : 0n);
    this.#options = new Options(this.abi, machine, rules);
    this.readiness = new Poll((fd) => this.sockets.get(fd));
    machine.receive = (iface, packet) => this.#input(iface, packet);
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
  protected abstract optionError(sock: Sock, level: number): string | undefined;
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

  /** Does a batch that ends with an error forget it? P24 */
  protected readonly losesLateErrors: boolean = false;

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

  // ── Syscalls ─────────────────────────────────────────────────────────────────────────────────────────────────────

  addressOf(bytes: Buffer): bigint {
    return this.#memory.addressOf(bytes);
  }

  socket(family: number): number {
    this.calls++;
    const { facts } = this;
    const known = family === facts.number('AF_INET') ? 4 : family === facts.number('AF_INET6') ? 6 : undefined;
    if (known === undefined) return this.errno('EAFNOSUPPORT');
    const fd = this.#nextFd++;
    this.sockets.set(fd, new Sock(fd, known, this.v6onlyByDefault, this.defaultSendBuffer, this.defaultReceiveBuffer));
    return fd;
  }

  protected get defaultSendBuffer(): number | undefined {
    return undefined;
  }

  protected get defaultReceiveBuffer(): number | undefined {
    return undefined;
  }

  adopt(fd: number): number {
    return this.sockets.has(fd) ? 0 : this.errno('EBADF');
  }

  close(fd: number): number {
    this.calls++;
    return this.sockets.delete(fd) ? 0 : this.errno('EBADF');
  }

  bind(fd: number, name: Buffer): number {
    return this.#with(fd, (sock) => {
      if (sock.bound) return 'EINVAL';
      const to = this.nameOf(sock, name);
      if (typeof to === 'string') return to;
      if (!isAny(to.address) && !this.#bindable(to) && !this.bindsForeign(sock)) return 'EADDRNOTAVAIL';
      const port = to.port || this.#freePort();
      const taken = [...this.sockets.values()].some(
        (other) =>
          other.port === port && this.overlap(sock, to.address, other) && !this.mayShare(sock, other, to.address),
      );
      if (taken) return 'EADDRINUSE';
      sock.local = to.address === '0.0.0.0' && sock.family === 6 ? '::' : to.address;
      sock.scope = to.scope;
      sock.named = !isAny(to.address);
      sock.port = port;
      this.narrow(sock, to);
      return undefined;
    });
  }

  connect(fd: number, name: Buffer): number {
    return this.#with(fd, (sock) => {
      if (this.abi.family(name) === this.facts.number('AF_UNSPEC')) return this.dissolve(sock);
      const to = this.nameOf(sock, name);
      if (typeof to === 'string') return to;
      const out = this.machine.route(to.address) ?? this.machine.byIndex(to.scope);
      if (out === undefined) return this.unroutable(to);
      sock.peer = { address: to.address, port: to.port, scope: to.scope };
      if (!sock.bound) sock.port = this.#freePort();
      if (sock.wildcard) sock.local = this.#sourceFor(to.address, out) ?? sock.local;
      if (!sock.v6only) this.narrow(sock, to);
      return undefined;
    });
  }

  getsockname(fd: number, name: Buffer): number {
    return this.#with(fd, (sock) => this.#put(name, sock.family, sock.local, sock.port, sock.scope));
  }

  getpeername(fd: number, name: Buffer): number {
    return this.#with(fd, ({ family, peer }) =>
      peer === undefined ? 'ENOTCONN' : this.#put(name, family, peer.address, peer.port, peer.scope),
    );
  }

  setsockopt(fd: number, level: number, name: number, value: Buffer): number {
    return this.#with(
      fd,
      (sock) => this.optionError(sock, level) ?? this.#options.set(sock, level, name, Buffer.from(value)),
    );
  }

  ioctlInt(fd: number, request: number): number {
    return this.#with(fd, (sock) => {
      if (request !== this.facts.number('FIONREAD')) return 'EINVAL';
      // udp(7): the datagram that is next
      const linux = ['linux', 'android'].includes(this.facts.os);
      return linux ? (sock.queue[0]?.packet.payload.length ?? 0) : sock.queuedBytes;
    });
  }

  /** Never waits: nothing else happens on a machine in memory. */
  poll(fd: number, events: number): number {
    return this.#with(fd, (sock) => {
      const failed = sock.error === undefined ? 0 : ERROR | READABLE;
      return failed | (events & ((sock.readable ? READABLE : 0) | (sock.full ? 0 : WRITABLE)));
    });
  }

  getsockopt(fd: number, level: number, name: number, value: Buffer): number {
    return this.#with(fd, (sock) => {
      const found = this.optionError(sock, level) ?? this.#options.get(sock, level, name);
      if (typeof found === 'string') return found;
      value.writeInt32LE(found);
      return 4;
    });
  }

  if_indextoname(ifindex: number, name: Buffer): number {
    const iface = this.machine.byIndex(ifindex);
    if (iface === undefined) return this.errno('ENXIO');
    name.write(`${iface.name}\0`);
    return 0;
  }

  if_nametoindex(name: string): number {
    return this.machine.byName(name)?.index ?? 0;
  }

  recvmmsg(fd: number, messages: Buffer, count: number, flags: number): number {
    return this.#with(fd, (sock) => {
      const dontwait = this.facts.constant('MSG_DONTWAIT') ?? 0;
      const errqueue = this.facts.constant('MSG_ERRQUEUE');
      if (errqueue !== undefined && flags === (dontwait | errqueue)) return this.#receiveErrors(sock, messages, count);
      if (flags !== dontwait) return 'EINVAL';
      const error = sock.error ?? (sock.lateError?.after === 0 ? sock.lateError.name : undefined);
      sock.error = undefined;
      if (sock.lateError?.after === 0) sock.lateError = undefined;
      if (error !== undefined) return error;
      if (sock.queue.length === 0) return 'EAGAIN';
      let filled = 0;
      while (filled < Math.min(count, MOST_MESSAGES)) {
        const queued = sock.queue[0];
        const message = this.abi.message(messages, filled);
        if (queued === undefined) break;
        if (sock.lateError?.after === 0) {
          if (!this.losesLateErrors) sock.error = sock.lateError.name;
          sock.lateError = undefined;
          break;
        }
        if (message === undefined || !this.#fill(sock, message, queued)) return filled || 'EFAULT';
        sock.queue.shift();
        if (sock.lateError !== undefined) sock.lateError = { ...sock.lateError, after: sock.lateError.after - 1 };
        filled++;
      }
      return filled;
    });
  }

  /** recvmsg(2) with MSG_ERRQUEUE: the peer's name, what was sent to it, and one control message. ip(7) */
  #receiveErrors(sock: Sock, messages: Buffer, count: number): number | string {
    let filled = 0;
    while (filled < count && sock.errors.length > 0) {
      const message = this.abi.message(messages, filled);
      const error = sock.errors[0];
      const { to, payload } = error;
      const packet = {
        source: to.address,
        sourcePort: to.port,
        destination: '',
        destinationPort: 0,
        ttl: 0,
        tos: 0,
        payload,
      };
      const queued = { packet, iface: this.machine.loopback, flags: sock.flags, drops: 0 };
      const control = [this.errorCmsg(sock, error)];
      if (message === undefined || !this.#fill(sock, message, { ...queued, control })) return filled || 'EFAULT';
      message.set('flags', message.get('flags') | this.facts.number('MSG_ERRQUEUE'));
      sock.errors.shift();
      sock.error = sock.errors[0]?.errno; // sock_dequeue_err_skb
      filled++;
    }
    return filled || 'EAGAIN';
  }

  /** What the error queue says of an error. */
  protected errorCmsg(_sock: Sock, _error: QueuedError): Cmsg {
    throw new Error('there is no error queue');
  }

  sendmmsg(fd: number, messages: Buffer, first: number, count: number, flags: number): number {
    return this.#with(fd, (sock) => {
      if (flags !== (this.facts.constant('MSG_DONTWAIT') ?? 0)) return 'EOPNOTSUPP';
      let sent = 0;
      while (sent < Math.min(count, MOST_MESSAGES)) {
        const message = this.abi.message(messages, first + sent);
        const result = message === undefined ? 'EFAULT' : this.#send(sock, message);
        if (typeof result === 'string') return sent || result;
        message?.set('len', result);
        sent++;
      }
      return sent;
    });
  }

  /**
   * An ICMP message about something that this socket has sent, or that was not sent at all. Linux keeps it where
   * IP_RECVERR is on, and its errno is the next call's; elsewhere, and without it, connected sockets alone hear of it.
   */
  complain(fd: number, error: QueuedError): void {
    const sock = this.sockets.get(fd);
    if (sock === undefined) return;
    const kept = this.keepsErrors(sock, error.to);
    if (kept) sock.errors.push(error);
    if (kept || sock.peer !== undefined) sock.error = error.errno;
    this.readiness.wake();
  }

  /** Has this socket asked for the errors of such peers? */
  protected keepsErrors(_sock: Sock, _to: PeerName): boolean {
    return false;
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

  // ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #with(fd: number, action: (sock: Sock) => number | string | undefined): number {
    this.calls++;
    const sock = this.sockets.get(fd);
    if (sock === undefined) return this.errno('EBADF');
    const result = action(sock) ?? 0;
    return typeof result === 'string' ? this.errno(result) : result;
  }

  #bindable({ address, scope }: Name): boolean {
    if (address === '255.255.255.255') return this.bindsBroadcast;
    if (isMulticast(address)) return true;
    if (isLinkLocal(address)) return scope !== 0 && this.isLocal(address, scope);
    return this.isLocal(address) || this.machine.broadcastOn(address) !== undefined;
  }

  /** Would both be bound to some address, were it not for the port? */
  protected overlap(sock: Sock, address: string, other: Sock): boolean {
    const any = isAny(address);
    const bothFamilies = (each: Sock, wildcard: boolean) => each.family === 6 && wildcard && !each.v6only;
    const sameFamily = sock.family === other.family;
    if (!sameFamily && !bothFamilies(sock, any) && !bothFamilies(other, other.wildcard)) return false;
    return any || other.wildcard || address === other.local;
  }

  #freePort(): number {
    return this.#nextPort++;
  }

  #put(name: Buffer, family: 4 | 6, address: string, port: number, scope: number): number {
    const bytes = this.abi.writeName(family, address, port, isLinkLocal(address) ? scope : 0);
    bytes.copy(name);
    return bytes.length;
  }

  #input(iface: Interface, packet: Packet): void {
    const { machine } = this;
    const { destination, source, destinationPort } = packet;
    const wire = iface.link !== undefined;
    if (wire && (isLoopback(destination) || isLoopback(source))) return; // martians (P47)
    const owner = machine.owner(destination, isLinkLocal(destination) && wire ? iface.index : 0);
    const group = isMulticast(destination);
    const broadcast = destination === '255.255.255.255' || machine.broadcastOn(destination) === iface;
    if (!group && !broadcast && owner === undefined) return;
    if (owner !== undefined && wire && owner !== iface && !this.weakHost) return;
    const fits = [...this.sockets.values()].filter(
      (sock) =>
        sock.port === destinationPort &&
        (isIPv6(destination)
          ? sock.family === 6 && sock.only !== 4
          : sock.family === 4 || (!sock.v6only && sock.only !== 6)) &&
        (sock.device === 0 || sock.device === iface.index) &&
        (sock.wildcard || sock.local === destination) &&
        (sock.peer === undefined || (sock.peer.address === source && sock.peer.port === packet.sourcePort)) &&
        (!group || (this.isMember(sock, iface, packet) && !blocks(sock, iface, packet))),
    );
    for (const sock of group || broadcast ? fits : this.#best(fits, packet)) {
      const plain: Queued = { packet, iface, flags: new Set(sock.flags), control: undefined, drops: sock.drops };
      const queued = this.controlAtQueue ? { ...plain, control: this.arrivalOf(sock, plain) } : plain;
      if (!this.hasRoom(sock, queued)) {
        sock.drops++;
        if (sock.flags.has('SO_RERROR')) sock.error = 'ENOBUFS';
        continue;
      }
      sock.queue.push(queued);
      this.readiness.wake();
    }
  }

  /** The most specific socket, by connection, address and family; among equals one, by the sender where it balances. */
  #best(fits: readonly Sock[], { sourcePort, destination }: Packet): Sock[] {
    const score = ({ peer, wildcard, family }: Sock) =>
      (peer === undefined ? 0 : 4) + (wildcard ? 0 : 2) + (isIPv6(destination) === (family === 6) ? 1 : 0);
    const top = Math.max(...fits.map(score));
    const best = fits.filter((sock) => score(sock) === top);
    if (best.length === 0) return [];
    return [best.every((sock) => this.balances(sock)) ? best[sourcePort % best.length] : best[best.length - 1]];
  }

  /** → false: some pointer leads nowhere */
  #fill(sock: Sock, message: Message, queued: Queued): boolean {
    const { packet, iface } = queued;
    const iovecs = this.#memory.at(message.pointer('iov'), message.get('iovlen') * this.abi.iovecSize);
    if (iovecs === undefined || message.get('iovlen') !== 1) return false;
    const { base, len } = this.abi.iovec(iovecs);
    const payload = this.#memory.at(base, len);
    const nameSpace = this.#space(message.pointer('name'), message.get('namelen'));
    const controlSpace = this.#space(message.pointer('control'), message.get('controllen'));
    if (payload === undefined || nameSpace === undefined || controlSpace === undefined) return false;
    packet.payload.copy(payload);
    const name = this.abi.writeName(
      this.nameFamily(sock),
      packet.source,
      packet.sourcePort,
      isLinkLocal(packet.source) ? iface.index : 0,
    );
    name.copy(nameSpace);
    const flags: string[] = packet.payload.length > len ? ['MSG_TRUNC'] : [];
    if (packet.destination !== '' && isMulticast(packet.destination)) flags.push('MSG_MCAST');
    else if (packet.destination.endsWith('255')) flags.push('MSG_BCAST');
    const own = queued.control ?? this.arrivalOf(sock, queued);
    const [written, cut] = this.#putControl([...this.noise.before, ...own, ...this.noise.after], controlSpace);
    if (cut) flags.push('MSG_CTRUNC');
    message.set('namelen', name.length);
    message.set('controllen', written);
    message.set(
      'flags',
      flags.reduce((all, flag) => all | (this.facts.constant(flag) ?? 0), this.leftoverFlags),
    );
    message.set('len', Math.min(packet.payload.length, len));
    return true;
  }

  /** → bytes written, and whether some could not be */
  #putControl(cmsgs: readonly Cmsg[], space: Buffer): [written: number, cut: boolean] {
    let at = 0;
    for (const cmsg of cmsgs) {
      const bytes = this.abi.encodeCmsg(cmsg);
      const left = space.length - at;
      const fits = bytes.length <= left;
      if (!fits && (!this.cutsCmsgs || left < this.abi.headerSize)) return [at, true];
      if (!fits && this.shortensCmsg) this.abi.setCmsgLength(bytes, left);
      bytes.copy(space, at);
      if (!fits) return [space.length, true];
      at += bytes.length;
    }
    return [at, false];
  }

  /** Does cmsg_len of a message that was cut say so? */
  protected readonly shortensCmsg: boolean = false;

  #space(pointer: bigint, length: number): Buffer | undefined {
    return length === 0 ? Buffer.alloc(0) : this.#memory.at(pointer, length);
  }

  /** What a batch receive leaves in msg_flags. */
  protected get leftoverFlags(): number {
    return 0;
  }

  #send(sock: Sock, message: Message): number | string {
    const refused = sock.full ? 'EAGAIN' : (sock.refusals.shift() ?? this.#pendingError(sock));
    if (refused !== undefined) return refused;
    const to = this.#destination(sock, message);
    if (typeof to === 'string') return to;
    const payload = this.#gather(message);
    const control = this.#control(message);
    if (typeof payload === 'string') return payload;
    if (typeof control === 'string') return control;
    if (payload.length > LARGEST[sock.family === 4 || to.mapped ? 4 : 6]) return 'EMSGSIZE';
    if (to.port === 0) return this.portZero;
    const tooMuch = this.checkSize(sock, payload.length, control.length);
    if (tooMuch !== undefined) return tooMuch;
    if (!sock.bound) sock.port = this.#freePort();
    const choice = control.length === 0 ? {} : this.choose(sock, to, control);
    if (typeof choice === 'string') return choice;
    const failed = this.#outputAll(sock, to, choice, payload);
    if (failed !== undefined) return failed;
    this.sentFrom(sock, choice);
    return payload.length;
  }

  /** udp_send_skb: a segment size cuts the payload, at most 64 times (P39). */
  #outputAll(sock: Sock, to: Name, choice: Choice, payload: Buffer): string | undefined {
    const { segment = 0 } = choice;
    if (segment === 0 || payload.length <= segment) return this.#output(sock, to, choice, payload);
    if (payload.length > segment * MOST_SEGMENTS) return 'EINVAL';
    if (sock.refuseSegments !== undefined) return sock.refuseSegments;
    for (let at = 0; at < payload.length; at += segment) {
      const failed = this.#output(sock, to, choice, payload.subarray(at, at + segment));
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  /** A kept error is told by whatever call comes next, sends to others as well. P38 */
  #pendingError(sock: Sock): string | undefined {
    if (sock.errors.length === 0) return undefined;
    const { error } = sock;
    sock.error = undefined;
    return error;
  }

  #destination(sock: Sock, message: Message): Name | string {
    const { peer, family } = sock;
    const namelen = message.get('namelen');
    if (message.pointer('name') === 0n || namelen === 0) {
      if (peer === undefined) return 'EDESTADDRREQ';
      return { ...peer, family, mapped: family === 6 && !isIPv6(peer.address) };
    }
    if (peer !== undefined && this.nameOnConnected !== undefined) return this.nameOnConnected;
    const name = this.#memory.at(message.pointer('name'), namelen);
    return name === undefined ? 'EFAULT' : this.nameOf(sock, name);
  }

  #gather(message: Message): Buffer | string {
    const count = message.get('iovlen');
    const iovecs = this.#memory.at(message.pointer('iov'), count * this.abi.iovecSize);
    if (iovecs === undefined) return 'EFAULT';
    const parts: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const { base, len } = this.abi.iovec(iovecs.subarray(i * this.abi.iovecSize));
      const part = this.#memory.at(base, len);
      if (part === undefined) return 'EFAULT';
      parts.push(Buffer.from(part));
    }
    return Buffer.concat(parts);
  }

  #control(message: Message): Buffer | string {
    const pointer = message.pointer('control');
    const length = message.get('controllen');
    const refused = this.checkControl(pointer, length);
    if (refused !== undefined) return refused;
    if (pointer === 0n || length === 0) return Buffer.alloc(0);
    const bytes = this.#memory.at(pointer, length);
    return bytes === undefined ? 'EFAULT' : Buffer.from(bytes);
  }

  #output(sock: Sock, to: Name, choice: Choice, payload: Buffer): string | undefined {
    const { machine } = this;
    const { address } = to;
    const group = isMulticast(address);
    const broadcast = address === '255.255.255.255' || machine.broadcastOn(address) !== undefined;
    if (broadcast && !sock.flags.has('SO_BROADCAST')) return 'EACCES';
    const named = choice.source === undefined ? undefined : machine.owner(choice.source);
    const out =
      choice.out ??
      (sock.device || sock.egress ? machine.byIndex(sock.device || sock.egress) : undefined) ??
      (to.scope === 0 ? undefined : machine.byIndex(to.scope)) ??
      (group ? (machine.byIndex(sock.multicastInterface) ?? named) : undefined) ??
      machine.broadcastOn(address) ??
      machine.route(address);
    if (out === undefined) return this.unroutable(to);
    const via = machine.owner(address, isLinkLocal(address) ? out.index : 0) === undefined ? out : machine.loopback;
    const free = sock.wildcard || (isMulticast(sock.local) && !this.sendsFromGroups);
    const source = choice.source ?? (free ? this.#sourceFor(address, out) : sock.local);
    if (source === undefined) return 'ENETUNREACH';
    const [family, headers] = isIPv6(address) ? ([6, 48] as const) : ([4, 28] as const);
    if (sock.dontFragment.has(family) && payload.length + headers > (via.mtu ?? 65535)) return 'EMSGSIZE';
    const v6 = isIPv6(address);
    const ttl = group
      ? (sock.values.get(v6 ? 'IPV6_MULTICAST_HOPS' : 'IP_MULTICAST_TTL') ?? 1)
      : (sock.values.get(v6 ? 'IPV6_UNICAST_HOPS' : 'IP_TTL') ?? 64);
    const packet: Packet = {
      source,
      sourcePort: sock.port,
      destination: address,
      destinationPort: to.port,
      payload,
      ttl: choice.ttl ?? ttl,
      tos: choice.tos ?? 0,
    };
    machine.transmit(packet, via);
    const loops = sock.values.get(v6 ? 'IPV6_MULTICAST_LOOP' : 'IP_MULTICAST_LOOP') ?? 1;
    if ((group && loops !== 0) || broadcast) this.#input(out, packet);
    return undefined;
  }

  /** The address that the kernel itself sends from. */
  #sourceFor(destination: string, out: Interface): string | undefined {
    return this.machine.primary(this.machine.owner(destination, out.link ? out.index : 0) ?? out, destination);
  }
}

function blocks({ blocked }: Sock, iface: Interface, { destination, source }: Packet): boolean {
  return blocked.some((one) => one.group === destination && one.ifindex === iface.index && one.source === source);
}
