/**
 * A kernel in memory that fails when it is told to: any call may return any errno, take or give less than it could, or
 * leave out, cut and garble what comes with a datagram. What it was asked for is counted, so that every call of a
 * scenario can be made to fail in turn.
 */
import { Engine } from '../../../src/datagram/engine';
import { Socket } from '../../../src/socket/socket';
import type { SocketOptions } from '../../../src/types';
import { FakeHost, FakeSyscalls, type Incoming } from '../../support/fake-host';
import { linux64 } from '../../support/layouts';

/** What becomes of one call. */
export type Fault =
  /** It fails. close(2) closes nevertheless. */
  | { readonly errno: number }
  /** recvmmsg and sendmmsg do so many at most; 0 is no error and no progress. */
  | { readonly short: number }
  /** What is received has no control messages, fewer, cut ones (MSG_CTRUNC), or noise in their place. */
  | { readonly control: 'none' | 'ctrunc' | 'half' | 'noise' }
  /** A sender whose address is missing, or of a family that nobody knows. */
  | { readonly name: 'none' | 'unknown' };

export type CallName =
  | 'socket'
  | 'adopt'
  | 'close'
  | 'bind'
  | 'connect'
  | 'getsockname'
  | 'getpeername'
  | 'setsockopt'
  | 'getsockopt'
  | 'recvmmsg'
  | 'sendmmsg'
  | 'if_indextoname';

export const CALLS: readonly CallName[] = [
  'socket',
  'adopt',
  'close',
  'bind',
  'connect',
  'getsockname',
  'getpeername',
  'setsockopt',
  'getsockopt',
  'recvmmsg',
  'sendmmsg',
  'if_indextoname',
];

export class FaultySyscalls extends FakeSyscalls {
  /** Asked before each call. */
  plan: (name: CallName, index: number) => Fault | undefined = () => undefined;
  /** The calls made so far, in order. */
  readonly made: CallName[] = [];
  /** Datagrams that the kernel gave and took. */
  given = 0;
  taken = 0;

  override socket(family: number): number {
    return this.#failing('socket', () => super.socket(family));
  }
  override adopt(fd: number): number {
    return this.#failing('adopt', () => super.adopt(fd));
  }
  override close(fd: number): number {
    const fault = this.#next('close');
    const result = super.close(fd);
    return fault !== undefined && 'errno' in fault ? -fault.errno : result;
  }
  override bind(fd: number, name: Buffer): number {
    return this.#failing('bind', () => super.bind(fd, name));
  }
  override connect(fd: number, name: Buffer): number {
    return this.#failing('connect', () => super.connect(fd, name));
  }
  override getsockname(fd: number, name: Buffer): number {
    return this.#failing('getsockname', () => super.getsockname(fd, name));
  }
  override getpeername(fd: number, name: Buffer): number {
    return this.#failing('getpeername', () => super.getpeername(fd, name));
  }
  override setsockopt(fd: number, level: number, name: number, value: Buffer): number {
    return this.#failing('setsockopt', () => super.setsockopt(fd, level, name, value));
  }
  override getsockopt(fd: number, level: number, name: number, value: Buffer): number {
    return this.#failing('getsockopt', () => super.getsockopt(fd, level, name, value));
  }
  override if_indextoname(ifindex: number, name: Buffer): number {
    return this.#failing('if_indextoname', () => super.if_indextoname(ifindex, name));
  }

  override recvmmsg(fd: number, messages: Buffer, count: number): number {
    const fault = this.#next('recvmmsg');
    if (fault !== undefined && 'errno' in fault) return -fault.errno;
    const short = fault !== undefined && 'short' in fault ? fault.short : count;
    if (short === 0) return 0;
    const { incoming } = this.sockets.get(fd)!;
    for (const [i, one] of incoming.entries()) {
      if (typeof one === 'object' && fault !== undefined) incoming[i] = garbled(one, fault);
    }
    const received = super.recvmmsg(fd, messages, Math.min(count, short));
    if (received > 0) this.given += received;
    return received;
  }

  override sendmmsg(fd: number, messages: Buffer, first: number, count: number): number {
    const fault = this.#next('sendmmsg');
    if (fault !== undefined && 'errno' in fault) return -fault.errno;
    const short = fault !== undefined && 'short' in fault ? fault.short : count;
    if (short === 0) return 0;
    const before = this.sent.length;
    const sent = super.sendmmsg(fd, messages, first, Math.min(count, short));
    this.taken += this.sent.length - before;
    return sent;
  }

  /** As another process would: without faults. → a bound descriptor */
  open(port: number): number {
    const fd = super.socket(2);
    this.sockets.get(fd)!.name = { address: '0.0.0.0', port };
    return fd;
  }

  shut(fd: number): void {
    this.sockets.delete(fd);
  }

  #failing(name: CallName, call: () => number): number {
    const fault = this.#next(name);
    return fault !== undefined && 'errno' in fault ? -fault.errno : call();
  }

  #next(name: CallName): Fault | undefined {
    const index = this.made.length;
    this.made.push(name);
    return this.plan(name, index);
  }
}

const MSG_CTRUNC = linux64.numbers.MSG_CTRUNC;

function garbled(one: Incoming, fault: Fault): Incoming {
  if ('name' in fault) return { ...one, from: { address: fault.name === 'none' ? '0.0.0.0' : '::', port: 0 } };
  if (!('control' in fault)) return one;
  switch (fault.control) {
    case 'none':
      return { ...one, control: [] };
    case 'ctrunc':
      return { ...one, flags: MSG_CTRUNC };
    case 'half':
      return { ...one, rawControl: Buffer.from([28, 0, 0, 0, 0, 0, 0, 0, 0, 0]), flags: MSG_CTRUNC };
    case 'noise':
      return { ...one, rawControl: Buffer.alloc(96, 0xff) };
  }
}

/** Sockets of one engine on such a kernel. */
export class FaultyNet {
  readonly host = new FakeHost(linux64);
  readonly syscalls = new FaultySyscalls(linux64);
  readonly engine: Engine;

  constructor() {
    Object.assign(this.host, { syscalls: this.syscalls });
    this.engine = new Engine(this.host);
  }

  make(options: Partial<SocketOptions> = {}): Socket {
    return new Socket({ type: 'udp4', ...options }, undefined, this.engine);
  }

  /** What the event loop would do: tells whoever waits, where something can be done. */
  poll(fds: Iterable<number> = [...this.host.readiness.watchers.keys()]): void {
    for (const fd of fds) {
      const watcher = this.host.readiness.watchers.get(fd);
      if (watcher === undefined) continue;
      const readable = (this.syscalls.sockets.get(fd)?.incoming.length ?? 0) > 0 ? 1 : 0;
      const events = watcher.events & (readable | 2);
      if (events !== 0) watcher.ready(events);
    }
  }
}
