/**
 * What all sockets of one host share: its calls, its caches, and the memory for batches. Made on first use.
 */
import { now as clock } from '../captured';
import type { Host } from '../ffi/index';
import { Names } from './names';
import { Receiver } from './receiver';
import { RingPool } from './ring-pool';
import { Sockaddrs, type SocketAddress } from './sockaddr';

/** Receivers kept for the next socket that wants their size; a program wants one or two. */
const MAX_RECEIVERS = 8;

export class Engine {
  readonly host: Host;
  readonly names: Names;
  readonly sockaddrs: Sockaddrs;
  readonly rings: RingPool;
  readonly #receivers = new Map<string, Receiver>();

  /** The clock of everything that is per host, in ms. */
  readonly now: () => number;

  constructor(host: Host, now: () => number = clock) {
    this.host = host;
    this.now = now;
    const { zoneIsIndex } = host.platform.quirks;
    this.names = new Names(host.syscalls, { now, list: host.networkInterfaces, zoneIsIndex });
    this.sockaddrs = new Sockaddrs(host.platform);
    this.rings = new RingPool(host.platform, host.syscalls);
  }

  /** Receivers are used synchronously, so sockets that want the same sizes share one. */
  receiver(batch: number, maxDatagramSize: number): Receiver {
    const key = `${batch}/${maxDatagramSize}`;
    let receiver = this.#receivers.get(key);
    if (receiver === undefined) {
      receiver = new Receiver(this.host.platform, this.host.syscalls, this.names, batch, maxDatagramSize);
      if (this.#receivers.size < MAX_RECEIVERS) this.#receivers.set(key, receiver);
    }
    return receiver;
  }

  /** Asks the kernel, which knows better than any list of interfaces: can a socket be bound to it? */
  isLocal(source: SocketAddress): boolean {
    const { syscalls } = this.host;
    const fd = syscalls.socket(this.sockaddrs.af(source.family));
    if (fd < 0) return true;
    const result = syscalls.bind(fd, this.sockaddrs.encode(source, 0));
    syscalls.close(fd);
    return result >= 0;
  }
}

const engines = new WeakMap<Host, Engine>();

export function engineFor(host: Host): Engine {
  let engine = engines.get(host);
  if (engine === undefined) {
    engine = new Engine(host);
    engines.set(host, engine);
  }
  return engine;
}
