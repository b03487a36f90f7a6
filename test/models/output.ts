/** The way out of every kernel model: from the caller's messages to a packet on a link. */
import type { Message, Name } from './abi';
import { Input, MOST_MESSAGES } from './input';
import { type Interface, isIPv6, isLinkLocal, isMulticast, type Packet } from './net';
import type { Choice } from './rules';
import type { Sock } from './sock';

const MOST_SEGMENTS = 64;
const LARGEST = { 4: 65507, 6: 65527 };

export abstract class Output extends Input {
  sendmmsg(fd: number, messages: Buffer, first: number, count: number, flags: number): number {
    return this.onSocket(fd, (sock) => {
      if (flags !== (this.facts.constant('MSG_DONTWAIT') ?? 0)) return 'EOPNOTSUPP';
      let sent = 0;
      while (sent < Math.min(count, MOST_MESSAGES)) {
        const message = this.abi.message(messages, first + sent);
        const result = message === undefined ? 'EFAULT' : this.send(sock, message);
        if (typeof result === 'string') return sent || result;
        message?.set('len', result);
        sent++;
      }
      return sent;
    });
  }

  protected send(sock: Sock, message: Message): number | string {
    const refused = sock.full ? 'EAGAIN' : (sock.refusals.shift() ?? this.pendingError(sock));
    if (refused !== undefined) return refused;
    const to = this.destinationOf(sock, message);
    if (typeof to === 'string') return to;
    const payload = this.gather(message);
    const control = this.controlOf(message);
    if (typeof payload === 'string') return payload;
    if (typeof control === 'string') return control;
    if (payload.length > LARGEST[sock.family === 4 || to.mapped ? 4 : 6]) return 'EMSGSIZE';
    if (to.port === 0) return this.portZero;
    const tooMuch = this.checkSize(sock, payload.length, control.length);
    if (tooMuch !== undefined) return tooMuch;
    this.autobind(sock);
    const choice = control.length === 0 ? {} : this.choose(sock, to, control);
    if (typeof choice === 'string') return choice;
    const failed = this.outputAll(sock, to, choice, payload);
    if (failed !== undefined) return failed;
    this.sentFrom(sock, choice);
    return payload.length;
  }

  /** udp_send_skb: a segment size cuts the payload, at most 64 times (P39). */
  protected outputAll(sock: Sock, to: Name, choice: Choice, payload: Buffer): string | undefined {
    const { segment = 0 } = choice;
    if (segment === 0 || payload.length <= segment) return this.output(sock, to, choice, payload);
    if (payload.length > segment * MOST_SEGMENTS) return 'EINVAL';
    if (sock.refuseSegments !== undefined) return sock.refuseSegments;
    for (let at = 0; at < payload.length; at += segment) {
      const failed = this.output(sock, to, choice, payload.subarray(at, at + segment));
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  /** A kept error is told by whatever call comes next, sends to others as well. P38 */
  protected pendingError(sock: Sock): string | undefined {
    if (sock.errors.length === 0) return undefined;
    const { error } = sock;
    sock.error = undefined;
    return error;
  }

  protected destinationOf(sock: Sock, message: Message): Name | string {
    const { peer, family } = sock;
    const namelen = message.get('namelen');
    if (message.pointer('name') === 0n || namelen === 0) {
      if (peer === undefined) return 'EDESTADDRREQ';
      return { ...peer, family, mapped: family === 6 && !isIPv6(peer.address) };
    }
    if (peer !== undefined && this.nameOnConnected !== undefined) return this.nameOnConnected;
    const name = this.memory.at(message.pointer('name'), namelen);
    return name === undefined ? 'EFAULT' : this.nameOf(sock, name);
  }

  protected gather(message: Message): Buffer | string {
    const count = message.get('iovlen');
    const iovecs = this.memory.at(message.pointer('iov'), count * this.abi.iovecSize);
    if (iovecs === undefined) return 'EFAULT';
    const parts: Buffer[] = [];
    for (let i = 0; i < count; i++) {
      const { base, len } = this.abi.iovec(iovecs.subarray(i * this.abi.iovecSize));
      const part = this.memory.at(base, len);
      if (part === undefined) return 'EFAULT';
      parts.push(Buffer.from(part));
    }
    return Buffer.concat(parts);
  }

  protected controlOf(message: Message): Buffer | string {
    const pointer = message.pointer('control');
    const length = message.get('controllen');
    const refused = this.checkControl(pointer, length);
    if (refused !== undefined) return refused;
    if (pointer === 0n || length === 0) return Buffer.alloc(0);
    const bytes = this.memory.at(pointer, length);
    return bytes === undefined ? 'EFAULT' : Buffer.from(bytes);
  }

  protected output(sock: Sock, to: Name, choice: Choice, payload: Buffer): string | undefined {
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
    const source = choice.source ?? (free ? this.sourceFor(address, out) : sock.local);
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
      ...(choice.mark !== undefined && { mark: choice.mark }),
      ...(choice.txTime !== undefined && { txTime: choice.txTime }),
    };
    machine.transmit(packet, via);
    const loops = sock.values.get(v6 ? 'IPV6_MULTICAST_LOOP' : 'IP_MULTICAST_LOOP') ?? 1;
    if ((group && loops !== 0) || broadcast) this.input(out, packet);
    return undefined;
  }

  /** The address that the kernel itself sends from. */
  protected sourceFor(destination: string, out: Interface): string | undefined {
    return this.machine.primary(this.machine.owner(destination, out.link ? out.index : 0) ?? out, destination);
  }
}
