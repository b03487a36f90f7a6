/**
 * The system calls of every kernel model: descriptors, names and options; messages are in input.ts and output.ts, by the
 * fixtures' layouts. The OSes' own rules are hooks of rules.ts.
 */
import { ERROR, READABLE, WRITABLE } from '../../src/ffi/readiness';
import type { Syscalls } from '../../src/ffi/syscalls';
import type { Facts } from '../abi/facts';
import type { Name } from './abi';
import { isAny, isLinkLocal, isMulticast, type Machine } from './net';
import { Options, type Rules } from './options';
import { Output } from './output';
import { Sock } from './sock';

export type { Choice } from './rules';

export abstract class Kernel extends Output implements Syscalls {
  protected readonly options: Options;
  protected nextFd = 20;

  constructor(facts: Facts, machine: Machine, rules: Rules) {
    super(facts, machine);
    this.options = new Options(this.abi, machine, rules);
    machine.receive = (iface, packet) => this.input(iface, packet);
  }

  addressOf(bytes: Buffer): bigint {
    return this.memory.addressOf(bytes);
  }

  socket(family: number): number {
    this.calls++;
    const { facts } = this;
    const known = family === facts.number('AF_INET') ? 4 : family === facts.number('AF_INET6') ? 6 : undefined;
    if (known === undefined) return this.errno('EAFNOSUPPORT');
    const fd = this.nextFd++;
    this.sockets.set(fd, new Sock(fd, known, this.v6onlyByDefault, this.defaultSendBuffer, this.defaultReceiveBuffer));
    return fd;
  }

  adopt(fd: number): number {
    return this.sockets.has(fd) ? 0 : this.errno('EBADF');
  }

  close(fd: number): number {
    this.calls++;
    return this.sockets.delete(fd) ? 0 : this.errno('EBADF');
  }

  bind(fd: number, name: Buffer): number {
    return this.onSocket(fd, (sock) => {
      if (sock.bound) return 'EINVAL';
      const to = this.nameOf(sock, name);
      if (typeof to === 'string') return to;
      if (!isAny(to.address) && !this.bindable(to) && !this.bindsForeign(sock)) return 'EADDRNOTAVAIL';
      const port = to.port || this.freePort();
      const taken = [...this.sockets.values()].some(
        (other) =>
          other.port === port && this.overlap(sock, to.address, other) && !this.mayShare(sock, other, to.address),
      );
      if (taken) return 'EADDRINUSE';
      sock.local = to.address === '0.0.0.0' && sock.family === 6 ? '::' : to.address;
      sock.scope = to.scope;
      sock.named = !isAny(to.address);
      sock.port = port;
      sock.chosen = to.port === 0;
      this.narrow(sock, to);
      return undefined;
    });
  }

  connect(fd: number, name: Buffer): number {
    return this.onSocket(fd, (sock) => {
      if (this.abi.family(name) === this.facts.number('AF_UNSPEC')) return this.dissolve(sock);
      const to = this.nameOf(sock, name);
      if (typeof to === 'string') return to;
      const refused = this.connectError(sock, to);
      if (refused !== undefined) return refused;
      const out = this.machine.route(to.address) ?? this.machine.byIndex(to.scope);
      // The routes of a device alone: through the loopback interface of Linux only what is routed to it (run on 6.18).
      const onLoopback = sock.device === this.machine.loopback.index && this.machine.loopback.index !== 0;
      if (out === undefined || (onLoopback && to.address !== '::1')) return this.unroutable(to);
      sock.peer = { address: to.address, port: to.port, scope: to.scope };
      this.autobind(sock);
      if (sock.wildcard) sock.local = this.sourceFor(to.address, out) ?? sock.local;
      if (!sock.v6only) this.narrow(sock, to);
      return undefined;
    });
  }

  getsockname(fd: number, name: Buffer): number {
    return this.onSocket(fd, (sock) => this.putName(name, sock.family, sock.local, sock.port, sock.scope));
  }

  getpeername(fd: number, name: Buffer): number {
    return this.onSocket(fd, ({ family, peer }) =>
      peer === undefined ? 'ENOTCONN' : this.putName(name, family, peer.address, peer.port, peer.scope),
    );
  }

  setsockopt(fd: number, level: number, name: number, value: Buffer): number {
    return this.onSocket(
      fd,
      (sock) => this.optionError(sock, level, name) ?? this.options.set(sock, level, name, Buffer.from(value)),
    );
  }

  ioctlInt(fd: number, request: number): number {
    return this.onSocket(fd, (sock) => {
      if (request !== this.facts.number('FIONREAD')) return 'EINVAL';
      // udp(7): the datagram that is next
      const linux = ['linux', 'android'].includes(this.facts.os);
      return linux ? (sock.queue[0]?.packet.payload.length ?? 0) : sock.queuedBytes;
    });
  }

  /** Never waits: nothing else happens on a machine in memory. */
  poll(fd: number, events: number): number {
    return this.onSocket(fd, (sock) => {
      const failed = sock.error === undefined ? 0 : ERROR | READABLE;
      return failed | (events & ((sock.readable ? READABLE : 0) | (sock.full ? 0 : WRITABLE)));
    });
  }

  getsockopt(fd: number, level: number, name: number, value: Buffer): number {
    return this.onSocket(fd, (sock) => {
      const found = this.optionError(sock, level, name) ?? this.options.get(sock, level, name);
      if (typeof found === 'string') return found;
      if (typeof found === 'number') value.writeInt32LE(found);
      else if (value.length < found.length) return 'EINVAL';
      else found.copy(value);
      return typeof found === 'number' ? 4 : found.length;
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

  protected bindable({ address, scope }: Name): boolean {
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

  protected putName(name: Buffer, family: 4 | 6, address: string, port: number, scope: number): number {
    const bytes = this.abi.writeName(family, address, port, isLinkLocal(address) ? scope : 0);
    bytes.copy(name);
    return bytes.length;
  }
}
