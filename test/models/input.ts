/** The way in of every kernel model: from a packet to the sockets that get it, and from a queue to the caller's messages. */
import type { Cmsg, Message } from './abi';
import { type Interface, isIPv6, isLinkLocal, isLoopback, isMulticast, type Packet } from './net';
import { KernelRules } from './rules';
import type { PeerName, Queued, QueuedError, Sock } from './sock';

/** UIO_MAXIOV: more messages are silently left. recvmmsg(2), sendmmsg(2) */
export const MOST_MESSAGES = 1024;

export abstract class Input extends KernelRules {
  #wholeLength = false;

  recvmmsg(fd: number, messages: Buffer, count: number, flags: number): number {
    return this.onSocket(fd, (sock) => {
      const dontwait = this.facts.constant('MSG_DONTWAIT') ?? 0;
      const errqueue = this.facts.constant('MSG_ERRQUEUE');
      if (errqueue !== undefined && flags === (dontwait | errqueue)) return this.receiveErrors(sock, messages, count);
      const MSG_TRUNC = this.tellsWholeLength ? this.facts.number('MSG_TRUNC') : 0;
      if ((flags & ~MSG_TRUNC) !== dontwait) return 'EINVAL';
      this.#wholeLength = (flags & MSG_TRUNC) !== 0;
      const behind = this.errorsBehindData && sock.queue.length > 0;
      const pending = behind ? undefined : sock.error;
      const error = pending ?? (sock.lateError?.after === 0 ? sock.lateError.name : undefined);
      if (!behind) sock.error = undefined;
      if (sock.lateError?.after === 0) sock.lateError = undefined;
      if (error !== undefined) return error;
      if (sock.queue.length === 0) return 'EAGAIN';
      let filled = 0;
      while (filled < Math.min(count, MOST_MESSAGES)) {
        const queued = sock.queue[0];
        const message = this.abi.message(messages, filled);
        if (queued === undefined) break;
        if (sock.lateError?.after === 0) {
          sock.error = sock.lateError.name;
          sock.lateError = undefined;
          break;
        }
        if (message === undefined || !this.fill(sock, message, queued)) return filled || 'EFAULT';
        sock.queue.shift();
        if (sock.lateError !== undefined) sock.lateError = { ...sock.lateError, after: sock.lateError.after - 1 };
        filled++;
      }
      return filled;
    });
  }

  /** recvmsg(2) with MSG_ERRQUEUE: the peer's name, what was sent to it, and one control message. ip(7) */
  protected receiveErrors(sock: Sock, messages: Buffer, count: number): number | string {
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
      const control = [...this.beforeError(sock, error), this.errorCmsg(sock, error)];
      if (message === undefined || !this.fill(sock, message, { ...queued, control })) return filled || 'EFAULT';
      message.set('flags', message.get('flags') | this.facts.number('MSG_ERRQUEUE'));
      sock.errors.shift();
      sock.error = sock.errors[0]?.errno; // sock_dequeue_err_skb
      filled++;
    }
    return filled || 'EAGAIN';
  }

  /** What the host that complained has sent us, told as of any datagram: ip_cmsg_recv in ip_recv_error. */
  protected beforeError(sock: Sock, { origin, offender, type }: QueuedError): Cmsg[] {
    if (offender === undefined || !origin.includes('ICMP')) return [];
    const iface = this.machine.route(offender) ?? this.machine.loopback;
    const destination = sock.wildcard ? this.machine.primary(iface, offender) : sock.local;
    if (destination === undefined) return [];
    const about = { source: offender, sourcePort: 0, destination, destinationPort: 0, ttl: 61, tos: 0xc0 };
    const packet = { ...about, payload: Buffer.of(type) };
    return this.arrivalOf(sock, { packet, iface, flags: sock.flags, control: undefined, drops: 0 });
  }

  /** What the error queue says of an error. */
  protected errorCmsg(_sock: Sock, _error: QueuedError): Cmsg {
    throw new Error('there is no error queue');
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

  /** Port unreachable, to whoever sent it on this machine: connected sockets hear of it. */
  protected refuse({ source, sourcePort, destination, destinationPort, payload }: Packet): void {
    const v6 = isIPv6(destination);
    const about = v6
      ? { origin: 'SO_EE_ORIGIN_ICMP6', type: 1, code: 4, info: 0 }
      : { origin: 'SO_EE_ORIGIN_ICMP', type: 3, code: 3, info: 0 };
    const to = { address: destination, port: destinationPort, scope: 0 };
    for (const { fd, port, local, wildcard } of this.sockets.values()) {
      if (port !== sourcePort || (!wildcard && local !== source)) continue;
      this.complain(fd, { errno: 'ECONNREFUSED', ...about, to, payload, offender: destination });
    }
  }

  /** Has this socket asked for the errors of such peers? */
  protected keepsErrors(_sock: Sock, _to: PeerName): boolean {
    return false;
  }

  protected input(iface: Interface, packet: Packet): void {
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
    if (fits.length === 0 && owner !== undefined && !wire) this.refuse(packet);
    for (const sock of group || broadcast ? fits : this.best(fits, packet)) {
      const kept = this.filtered(sock, packet);
      if (kept === undefined) continue;
      const plain: Queued = { packet: kept, iface, flags: new Set(sock.flags), control: undefined, drops: sock.drops };
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
  protected best(fits: readonly Sock[], packet: Packet): Sock[] {
    const { destination } = packet;
    const score = ({ peer, wildcard, family }: Sock) =>
      (peer === undefined ? 0 : 4) + (wildcard ? 0 : 2) + (isIPv6(destination) === (family === 6) ? 1 : 0);
    const top = Math.max(...fits.map(score));
    const best = fits.filter((sock) => score(sock) === top);
    if (best.length === 0) return [];
    return [best.every((sock) => this.balances(sock)) ? this.steered(best, packet) : best[best.length - 1]];
  }

  /** Where the payload goes: each of its iovecs in turn. */
  #partsOf(message: Message): Buffer[] | undefined {
    const { iovecSize } = this.abi;
    const count = message.get('iovlen');
    const iovecs = this.memory.at(message.pointer('iov'), count * iovecSize);
    if (iovecs === undefined || count < 1) return undefined;
    const parts: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const { base, len } = this.abi.iovec(iovecs.subarray(i * iovecSize, (i + 1) * iovecSize));
      const part = len === 0 ? Buffer.alloc(0) : this.memory.at(base, len);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return parts;
  }

  /** → false: some pointer leads nowhere */
  protected fill(sock: Sock, message: Message, queued: Queued): boolean {
    const { packet, iface } = queued;
    const parts = this.#partsOf(message);
    const nameSpace = this.space(message.pointer('name'), message.get('namelen'));
    const controlSpace = this.space(message.pointer('control'), message.get('controllen'));
    if (parts === undefined || nameSpace === undefined || controlSpace === undefined) return false;
    let len = 0;
    for (const part of parts) {
      packet.payload.copy(part, 0, Math.min(len, packet.payload.length));
      len += part.length;
    }
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
    const [written, cut] = this.putControl([...this.noise.before, ...own, ...this.noise.after], controlSpace);
    if (cut) flags.push('MSG_CTRUNC');
    message.set('namelen', name.length);
    message.set('controllen', written);
    message.set(
      'flags',
      flags.reduce((all, flag) => all | (this.facts.constant(flag) ?? 0), this.leftoverFlags),
    );
    message.set('len', this.#wholeLength ? packet.payload.length : Math.min(packet.payload.length, len));
    return true;
  }

  /** → bytes written, and whether some could not be */
  protected putControl(cmsgs: readonly Cmsg[], space: Buffer): [written: number, cut: boolean] {
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

  protected space(pointer: bigint, length: number): Buffer | undefined {
    return length === 0 ? Buffer.alloc(0) : this.memory.at(pointer, length);
  }

  /** What a batch receive leaves in msg_flags. */
  protected get leftoverFlags(): number {
    return 0;
  }
}

function blocks({ blocked }: Sock, iface: Interface, { destination, source }: Packet): boolean {
  return blocked.some((one) => one.group === destination && one.ifindex === iface.index && one.source === source);
}
