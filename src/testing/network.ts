/** A network in memory: its hosts, what goes between them, and the time that this takes. */
import { isLinkLocal, isLoopback, isMulticast } from '../address/ip';
import { setImmediate } from '../captured';
import { invalidArgType, invalidArgValue, notRunning } from '../errors';
import type { Server, ServerOptions } from '../socket/server';
import type { Socket } from '../socket/socket';
import type { MessageListener, SocketOptions, SocketType } from '../types';
import { Alive } from './alive';
import { type Clock, ManualClock, TimerClock } from './clock';
import { NetworkHost, type Surroundings } from './host';
import { BROADCAST, type Ip, parseIp, sharesPrefix } from './ip';
import { unreachable } from './kernel/output';
import type { Datagram } from './kernel/sock';
import { type Record as LogRecord, PacketLog } from './log';
import type { Interface } from './machine';
import type { LinkSettings, NetworkOptions, NetworkStats, Packet } from './types';
import { linkSettings, Wire } from './wire';

/** Turns of the event loop without a system call after which nothing happens any more. */
const STILL = 4;

/** A network in memory. Made by {@link createNetwork}. */
export class Network<Name extends string = string> {
  /** Its hosts, by name. */
  readonly hosts: Readonly<Record<Name, NetworkHost>>;
  /** What all chance depends on. */
  readonly seed: number;
  readonly #clock: Clock;
  readonly #wire: Wire;
  readonly #log: PacketLog;
  readonly #alive = new Alive();
  readonly #lose: NetworkOptions['lose'];
  /** Hosts of different groups do not reach each other; undefined: all do. */
  #groups: Map<string, number> | undefined;
  #closed = false;

  /** @internal */
  constructor(options: NetworkOptions<Name>) {
    if (options === null || typeof options !== 'object') throw invalidArgType('options', 'of type object', options);
    const { hosts, seed = 1, clock = 'timers', log = 10_000, lose } = options;
    if (hosts === null || typeof hosts !== 'object') throw invalidArgType('options.hosts', 'of type object', hosts);
    if (!Number.isInteger(seed)) throw invalidArgValue('options.seed', seed, 'must be an integer');
    if (clock !== 'timers' && clock !== 'manual')
      throw invalidArgValue('options.clock', clock, "must be 'timers' or 'manual'");
    this.seed = seed;
    this.#clock = clock === 'manual' ? new ManualClock() : new TimerClock();
    this.#wire = new Wire(this.#clock, seed, linkSettings(options));
    this.#log = new PacketLog(log);
    this.#lose = lose;
    this.hosts = {} as Record<Name, NetworkHost>;
    const surroundings = this.#surroundings();
    for (const [name, addresses] of Object.entries(hosts) as [Name, NetworkOptions['hosts'][string]][]) {
      const host = new NetworkHost(name, addresses, surroundings, (own) => (datagram, out) => {
        this.#transmit(own, datagram, out);
      });
      for (const address of host.addresses) surroundings.checkAddress(address);
      (this.hosts as Record<Name, NetworkHost>)[name] = host;
    }
  }

  /** A socket on a host, as {@link NetworkHost.createSocket}. @throws ERR_INVALID_ARG_VALUE where there is no such host */
  createSocket(host: Name, type: SocketType | SocketOptions, listener?: MessageListener): Socket {
    return this.#host(host).createSocket(type, listener);
  }

  createServer(host: Name, listener?: MessageListener): Server;
  createServer(host: Name, options: ServerOptions, listener?: MessageListener): Server;
  /** A server on a host, as {@link NetworkHost.createServer}. @throws ERR_INVALID_ARG_VALUE where there is no such host */
  createServer(host: Name, first?: ServerOptions | MessageListener, second?: MessageListener): Server {
    return this.#host(host).createServer(first as ServerOptions, second);
  }

  /**
   * Changes what happens between two hosts, in both directions. What is not named stays as it is.
   * @param oneWay only on the way from the first to the second
   * @throws ERR_INVALID_ARG_VALUE, ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE
   */
  link(from: Name, to: Name, settings: LinkSettings, { oneWay = false }: { oneWay?: boolean } = {}): void {
    this.#wire.set(this.#host(from).name, this.#host(to).name, settings);
    if (!oneWay) this.#wire.set(to, from, settings);
  }

  /**
   * Parts the network: hosts of different groups do not reach each other from now on; hosts in no group are one more
   * group. What is on the way arrives. Replaces an earlier partition. @throws ERR_INVALID_ARG_VALUE
   */
  partition(...groups: readonly Name[][]): void {
    const parts = new Map<string, number>();
    for (const [number, group] of groups.entries()) for (const name of group) parts.set(this.#host(name).name, number);
    this.#groups = parts;
  }

  /** Ends a partition. */
  heal(): void {
    this.#groups = undefined;
  }

  /** ms since the network was made, by its clock. */
  get now(): number {
    return this.#clock.now();
  }

  /** The datagrams between hosts, oldest first; `fate` is what has become of them by now. */
  get log(): readonly Packet[] {
    return this.#log.packets;
  }

  /** Counters. A snapshot. */
  get stats(): NetworkStats {
    return { ...this.#log.stats, travelling: this.#wire.travelling };
  }

  /**
   * Resolves when nothing is on the way and no socket has anything to read or to send. A manual clock is moved on for it;
   * with fake timers it resolves when they have been.
   */
  async settle(): Promise<void> {
    this.#alive.hold();
    try {
      for (await this.#quiet(); !this.#closed && this.#wire.travelling > 0; await this.#quiet()) {
        const { next } = this.#clock;
        if (this.#clock instanceof ManualClock && next !== undefined) this.#clock.set(next);
        else await this.#wire.arrival();
      }
    } finally {
      this.#alive.release();
    }
  }

  /**
   * Moves a manual clock on; what arrives meanwhile is answered in its time. Resolves when all that is due has been worked
   * on. @throws ERR_INVALID_ARG_VALUE without `clock: 'manual'`, or for less than 0 ms
   */
  async advance(ms: number): Promise<void> {
    const clock = this.#clock;
    if (!(clock instanceof ManualClock))
      throw invalidArgValue('options.clock', 'timers', "must be 'manual' to advance");
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw invalidArgValue('ms', ms, 'must be 0 or more');
    const until = clock.now() + ms;
    this.#alive.hold();
    try {
      for (await this.#quiet(); clock.next !== undefined && clock.next <= until; await this.#quiet()) {
        clock.set(clock.next);
      }
      clock.set(until);
    } finally {
      this.#alive.release();
    }
  }

  /** Closes all sockets; what is on the way is lost. Nothing of it keeps the process alive then. Idempotent. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wire.clear();
    await Promise.all(this.#all.map((host) => host.close()));
    this.#wire.clear(); // what they have sent at last
  }

  /** As {@link close}: `await using network = createNetwork(…)`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #all(): NetworkHost[] {
    return Object.values(this.hosts);
  }

  #host(name: Name): NetworkHost {
    if (!Object.hasOwn(this.hosts, name)) throw invalidArgValue('host', name, 'is no host of this network');
    return this.hosts[name];
  }

  #surroundings(): Surroundings {
    return {
      alive: this.#alive,
      checkOpen: () => {
        if (this.#closed) throw notRunning();
      },
      checkAddress: (address) => {
        const ip = parseIp(String(address).replace(/\/.*/, ''));
        const owner = ip && this.#all.find(({ machine }) => machine.owner(ip) !== undefined);
        if (owner !== undefined) throw invalidArgValue('address', address, `is an address of ${owner.name}`);
      },
      resolve: (name, family) => {
        if (!Object.hasOwn(this.hosts, name)) return undefined;
        return this.hosts[name as Name].addresses.find((address) => parseIp(address)?.family === family);
      },
    };
  }

  /** Waits until nothing happens any more, whatever is on the way. */
  async #quiet(): Promise<void> {
    const activity = () => this.#all.reduce((sum, host) => sum + host.activity, this.#wire.count);
    for (let still = 0, before = activity(); still < STILL && !this.#closed; still++) {
      await new Promise((done) => setImmediate(done));
      if (before !== activity()) still = -1;
      before = activity();
    }
  }

  #transmit(from: NetworkHost, datagram: Datagram, out: Interface): void {
    if (this.#closed) return;
    const receivers = this.#receivers(from, datagram, out);
    if (receivers.length === 0) this.#log.add(from.name, undefined, datagram, this.now);
    for (const { host, iface } of receivers) this.#carry(from, host, iface, datagram);
  }

  #carry(from: NetworkHost, host: NetworkHost, iface: Interface, datagram: Datagram): void {
    const record = this.#log.add(from.name, host.name, datagram, this.now);
    if (this.#groups !== undefined && this.#groups.get(from.name) !== this.#groups.get(host.name)) {
      this.#log.settle(record, 'partitioned');
      return;
    }
    if (this.#lose?.(record)) {
      this.#log.settle(record, 'lost');
      return;
    }
    const verdict = this.#wire.carry(from.name, host.name, () => this.#arrive(from, host, iface, datagram, record));
    this.#log.judge(record, verdict);
  }

  #arrive(from: NetworkHost, host: NetworkHost, iface: Interface, datagram: Datagram, record: LogRecord): void {
    const { destination } = datagram;
    const unicast = !isMulticast(destination) && destination.text !== BROADCAST;
    // The address may have been taken away meanwhile.
    const here = (!unicast || host.machine.owner(destination)) ?? host.machine.broadcastOn(destination.text);
    const fate = here ? host.kernel.arrive(iface, datagram) : 'no-host';
    this.#log.settle(record, fate === 'full' ? 'dropped' : fate === 'nobody' ? 'refused' : fate);
    if (fate === 'nobody') this.#wire.carry(host.name, from.name, () => from.kernel.complain(unreachable(datagram)));
  }

  /** Who is there: one host for an address, all others on the link for a group. */
  #receivers(from: NetworkHost, datagram: Datagram, out: Interface): { host: NetworkHost; iface: Interface }[] {
    const { source, destination } = datagram;
    if (isLoopback(source)) return []; // nobody takes it (P47)
    const linkLocal = destination.family === 6 && isLinkLocal(destination);
    const directed = from.machine.broadcastOn(destination.text) !== undefined;
    const all = isMulticast(destination) || destination.text === BROADCAST || directed;
    return this.#all.flatMap((host) => {
      const others = host.machine.interfaces.filter((iface) => host !== from && !iface.loopback);
      const near = others.filter((iface) => onLink(iface, out));
      if (all) return near.map((iface) => ({ host, iface }));
      const owner = (linkLocal ? near : others).find((iface) => has(iface, destination));
      if (owner === undefined) return [];
      // One that asks for the address of another interface comes in by the one that it is connected to (P11).
      return [{ host, iface: near.includes(owner) ? owner : (near[0] ?? owner) }];
    });
  }
}

function has({ addresses }: Interface, { text }: Ip): boolean {
  return addresses.some(({ ip }) => ip.text === text);
}

/** Do two interfaces share a network? */
function onLink(one: Interface, other: Interface): boolean {
  return one.addresses.some(
    ({ ip, prefix }) => !isLinkLocal(ip) && other.addresses.some((each) => sharesPrefix(ip, each.ip, prefix)),
  );
}
