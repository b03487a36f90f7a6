/**
 * What all sockets of one host share: its calls, its caches, and the memory for batches. Made on first use.
 */
import type { Host } from '../ffi/index';
import { Names } from './names';
import { Receiver } from './receiver';
import { RingPool } from './ring-pool';
import { Sockaddrs } from './sockaddr';

/** Receivers kept for the next socket that wants their size; a program wants one or two. */
const MAX_RECEIVERS = 8;

export class Engine {
  readonly host: Host;
  readonly names: Names;
  readonly sockaddrs: Sockaddrs;
  readonly rings: RingPool;
  readonly #receivers = new Map<string, Receiver>();

  constructor(host: Host, now?: () => number) {
    this.host = host;
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
      receiver = this.newReceiver(batch, maxDatagramSize);
      if (this.#receivers.size < MAX_RECEIVERS) this.#receivers.set(key, receiver);
    }
    return receiver;
  }

  /** One that nobody else uses. */
  newReceiver(batch: number, maxDatagramSize: number): Receiver {
    const { platform, syscalls } = this.host;
    return new Receiver(platform, syscalls, this.names, batch, maxDatagramSize);
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
