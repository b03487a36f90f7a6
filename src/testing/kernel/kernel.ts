/** The system calls of one host in memory: Linux's, as far as programs with UDP sockets see it. */
import { isLinkLocal, isMulticast } from '../../address/ip';
import { wordsOf } from '../../datagram/ring';
import { ERROR, READABLE, WRITABLE } from '../../ffi/readiness';
import type { Syscalls } from '../../ffi/syscalls';
import { linuxConstants as c } from '../../platform/linux-constants';
import { linuxErrno } from '../../platform/linux-errno';
import type { Alive } from '../alive';
import { ANY, BROADCAST, type Ip, isAny } from '../ip';
import type { Interface, Machine } from '../machine';
import { Control, seenBy } from './control';
import { arrive, complain, type Fate, recvmmsg } from './input';
import { getOption, setOption } from './options';
import { bindEarly, readName, sendmmsg } from './output';
import { type Complaint, type Datagram, Sock } from './sock';
import { type Outcome, State, type Transmit } from './state';

/** Far from the descriptors that the process has: what is taken for one of those fails at once. */
const FIRST_DESCRIPTOR = 1 << 20;

export class Kernel implements Syscalls {
  readonly state: State;
  readonly #control: Control;
  #next = FIRST_DESCRIPTOR;

  constructor(machine: Machine, transmit: Transmit, alive: Alive) {
    this.state = new State(machine, transmit, alive);
    this.#control = new Control(this.state);
  }

  /** From outside. */
  arrive(iface: Interface, datagram: Datagram): Fate {
    this.state.calls++;
    return arrive(this.state, iface, datagram);
  }

  complain(complaint: Complaint): void {
    this.state.calls++;
    complain(this.state, complaint);
  }

  /** Drops what is open. */
  shutDown(): void {
    this.state.poll.close();
    this.state.sockets.clear();
  }

  addressOf(bytes: Uint8Array): bigint {
    return this.state.memory.addressOf(bytes);
  }

  socket(family: number): number {
    this.state.calls++;
    if (family !== c.AF_INET && family !== c.AF_INET6) return -linuxErrno.EAFNOSUPPORT;
    const fd = this.#next++;
    this.state.sockets.set(fd, new Sock(fd, family === c.AF_INET ? 4 : 6));
    return fd;
  }

  adopt(fd: number): number {
    return this.state.onSocket(fd, () => undefined);
  }

  close(fd: number): number {
    this.state.calls++;
    return this.state.sockets.delete(fd) ? 0 : -linuxErrno.EBADF;
  }

  bind(fd: number, name: Buffer): number {
    return this.state.onSocket(fd, (sock) => {
      if (sock.port !== 0) return 'EINVAL';
      const to = this.state.peerNamed(sock, readName(this.state, name));
      if (typeof to === 'string') return to;
      if (!isAny(to.ip) && !this.#bindable(to.ip, to.scope) && !sock.foreign) return 'EADDRNOTAVAIL';
      const port = to.port || this.state.freePort();
      if (port === undefined) return 'EADDRINUSE';
      for (const other of this.state.sockets.values()) {
        if (other.port === port && overlap(sock, to.ip, other) && !mayShare(sock, other)) return 'EADDRINUSE';
      }
      sock.local = isAny(to.ip) ? ANY[sock.family] : to.ip;
      sock.scope = to.scope;
      sock.named = !isAny(to.ip);
      sock.port = port;
      sock.portNamed = to.port !== 0;
      return undefined;
    });
  }

  connect(fd: number, name: Buffer): number {
    return this.state.onSocket(fd, (sock) => {
      if (name.readUInt16LE() === c.AF_UNSPEC) return dissolve(sock);
      const to = this.state.peerNamed(sock, readName(this.state, name));
      if (typeof to === 'string') return to;
      const { machine } = this.state;
      const out = machine.byIndex(to.scope || sock.device) ?? machine.route(to.ip);
      const source = out && (sock.wildcard ? machine.sourceFor(to.ip, out) : sock.local);
      if (out === undefined) return to.ip.family === 6 && isLinkLocal(to.ip) ? 'EINVAL' : 'ENETUNREACH';
      // Through the loopback interface alone only its own addresses are reached.
      if (source === undefined || (sock.device === 1 && machine.owner(to.ip)?.loopback !== true)) return 'ENETUNREACH';
      const refused = bindEarly(this.state, sock);
      if (refused !== undefined) return refused;
      sock.peer = to;
      sock.local = source;
      return undefined;
    });
  }

  getsockname(fd: number, name: Buffer): number {
    return this.state.onSocket(fd, (sock) => this.#write(name, sock, sock.local, sock.port, sock.scope));
  }

  getpeername(fd: number, name: Buffer): number {
    return this.state.onSocket(fd, (sock) => {
      return sock.peer === undefined
        ? 'ENOTCONN'
        : this.#write(name, sock, sock.peer.ip, sock.peer.port, sock.peer.scope);
    });
  }

  setsockopt(fd: number, level: number, name: number, value: Buffer): number {
    return this.state.onSocket(fd, (sock) => setOption(this.state, sock, level, name, value));
  }

  getsockopt(fd: number, level: number, name: number, value: Buffer): number {
    return this.state.onSocket(fd, (sock) => getOption(this.state, sock, level, name, value));
  }

  recvmmsg(fd: number, messages: Buffer, count: number, flags: number): number {
    return this.state.onSocket(fd, (sock) => recvmmsg(this.state, this.#control, sock, messages, count, flags));
  }

  sendmmsg(fd: number, messages: Buffer, first: number, count: number): number {
    return this.state.onSocket(fd, (sock) => sendmmsg(this.state, this.#control, sock, messages, first, count));
  }

  /** SIOCINQ: bytes of the datagram that is next. udp(7) */
  ioctlInt(fd: number, request: number): number {
    return this.state.onSocket(fd, ({ queue }) => {
      if (request === c.SIOCOUTQ) return 0;
      return request === c.FIONREAD ? (queue[0]?.datagram.payload.length ?? 0) : 'EINVAL';
    });
  }

  /** Never waits: nothing could happen meanwhile. */
  poll(fd: number, events: number): number {
    return this.state.onSocket(fd, ({ error, readable }) => {
      return (error === 0 ? 0 : ERROR | READABLE) | (events & ((readable ? READABLE : 0) | WRITABLE));
    });
  }

  if_indextoname(ifindex: number, name: Buffer): number {
    const iface = this.state.machine.byIndex(ifindex);
    if (iface === undefined) return -linuxErrno.ENXIO;
    name.write(`${iface.name}\0`);
    return 0;
  }

  if_nametoindex(name: string): number {
    return this.state.machine.byName(name)?.index ?? 0;
  }

  #bindable(ip: Ip, scope: number): boolean {
    if (ip.text === BROADCAST || isMulticast(ip)) return true;
    if (ip.family === 6 && isLinkLocal(ip)) return scope !== 0 && this.state.isLocal(ip, scope);
    return this.state.isLocal(ip) || this.state.machine.broadcastOn(ip.text) !== undefined;
  }

  #write(name: Buffer, sock: Sock, ip: Ip, port: number, scope: number): number {
    // What is everywhere of an IPv6 socket is ::, and not 0.0.0.0 mapped.
    const words = isAny(ip) ? ANY[sock.family] : seenBy(sock, ip);
    const own = { ...words, scope: ip.family === 6 && isLinkLocal(ip) ? scope : 0 };
    const bytes = Buffer.from(new ArrayBuffer(32));
    const length = this.state.sockaddrs.write(bytes, wordsOf(bytes), 0, own, port);
    bytes.copy(name, 0, 0, length);
    return length;
  }
}

/** Would both be bound to some address, were it not for the port? */
function overlap(sock: Sock, ip: Ip, other: Sock): boolean {
  const any = isAny(ip);
  const both = (each: Sock, wildcard: boolean) => each.family === 6 && wildcard && !each.v6only;
  if (any && other.wildcard) return sock.family === other.family || both(sock, any) || both(other, true);
  if (any) return other.local.family === sock.family || both(sock, any);
  if (other.wildcard) return ip.family === other.family || both(other, true);
  return ip.text === other.local.text;
}

function mayShare(sock: Sock, other: Sock): boolean {
  return [c.SO_REUSEADDR, c.SO_REUSEPORT].some((name) => sock.on(c.SOL_SOCKET, name) && other.on(c.SOL_SOCKET, name));
}

/** Back to where bind() put it, and nowhere where it was not. __udp_disconnect */
function dissolve(sock: Sock): Outcome {
  sock.peer = undefined;
  if (!sock.portNamed) sock.port = 0;
  if (!sock.named) sock.local = ANY[sock.family];
  return undefined;
}
