/** One host of a network in memory: an engine of its own around a kernel of its own, and the public functions on it. */
import type { networkInterfaces } from 'node:os';
import { nextTick, steadyClock } from '../captured';
import { Engine } from '../datagram/engine';
import { kState } from '../socket/core';
import { Server, type ServerOptions } from '../socket/server';
import { Socket } from '../socket/socket';
import type { LookupFunction, MessageListener, SocketOptions, SocketType } from '../types';
import type { Alive } from './alive';
import { LOOPBACK, parseIp } from './ip';
import { Kernel } from './kernel/kernel';
import type { Transmit } from './kernel/state';
import { Machine } from './machine';
import type { HostAddresses } from './types';

/** ms after which sockets ask for the host's addresses again. */
const STALE = 5000;

/** What a host has to know of its network. */
export interface Surroundings {
  /** The address of the host that has this name; undefined where there is none. */
  resolve(name: string, family: 4 | 6): string | undefined;
  /** @throws where an address may not be added: some host has it, or the network is closed */
  checkAddress(address: string): void;
  /** @throws where the network is closed */
  checkOpen(): void;
  readonly alive: Alive;
}

/**
 * A host. It has `createSocket()` and `createServer()` as the package itself: a program that takes the module as an
 * argument, or whose `require` a test replaces, gets this instead.
 */
export class NetworkHost {
  /** Its name in the network. */
  readonly name: string;
  /** @internal */
  readonly kernel: Kernel;
  /** @internal */
  readonly machine: Machine;
  readonly #network: Surroundings;
  readonly #engine: Engine;
  #open: (Socket | Server)[] = [];
  #prune = 64;
  /** Makes what is known of the addresses look old. */
  #skew = 0;

  /** @internal */
  constructor(
    name: string,
    addresses: HostAddresses,
    network: Surroundings,
    transmit: (host: NetworkHost) => Transmit,
  ) {
    this.name = name;
    this.#network = network;
    this.machine = new Machine(interfacesOf(addresses));
    this.kernel = new Kernel(this.machine, transmit(this), network.alive);
    const { platform, poll } = this.kernel.state;
    const host = {
      platform,
      syscalls: this.kernel,
      readiness: poll,
      networkInterfaces: () => this.networkInterfaces(),
      lookup: this.#lookup,
    };
    const now = steadyClock();
    this.#engine = new Engine(host, () => now() + this.#skew);
    // `const { createSocket } = …`: a module's functions are taken out of it
    this.createSocket = this.createSocket.bind(this);
    this.createServer = this.createServer.bind(this);
  }

  /** A socket on this host, as `createSocket()` of the package makes one. @throws as it; ERR_SOCKET_DGRAM_NOT_RUNNING */
  createSocket(type: SocketType | SocketOptions, listener?: MessageListener): Socket {
    this.#network.checkOpen();
    return this.#keep(new Socket(type, listener, this.#engine));
  }

  createServer(listener?: MessageListener): Server;
  createServer(options: ServerOptions, listener?: MessageListener): Server;
  /** A server on this host, as `createServer()` of the package makes one. @throws as it; ERR_SOCKET_DGRAM_NOT_RUNNING */
  createServer(first?: ServerOptions | MessageListener, second?: MessageListener): Server {
    this.#network.checkOpen();
    const [options, listener] = typeof first === 'function' ? [{}, first] : [first, second];
    return this.#keep(new Server(options, listener, this.#engine));
  }

  /** Its addresses, the loopback's left out. */
  get addresses(): string[] {
    return this.machine.interfaces.flatMap(({ loopback, addresses }) =>
      loopback ? [] : addresses.map(({ ip }) => ip.text),
    );
  }

  /**
   * Gives it one more address, from now on: `'10.0.0.8'`, `'10.0.0.8/16'`.
   * @param networkInterface its name; default: one that has an address of that network, or the first
   * @throws ERR_INVALID_ARG_VALUE where it is no address, or some host has it
   */
  addAddress(address: string, networkInterface?: string): void {
    this.#network.checkAddress(address);
    this.machine.add(address, networkInterface);
    this.#skew += STALE;
  }

  /** Takes an address away. Sockets that are bound to it hear nothing any more. → was it there? */
  removeAddress(address: string): boolean {
    this.#skew += STALE;
    return this.machine.remove(address);
  }

  /** As os.networkInterfaces() shows a host's: `lo`, `eth0` and so on. */
  networkInterfaces(): ReturnType<typeof networkInterfaces> {
    return this.machine.networkInterfaces();
  }

  /** @internal Closes what is open. */
  async close(): Promise<void> {
    const closing = this.#open.map(async (each) => {
      await each[Symbol.asyncDispose]();
    });
    this.#open = [];
    await Promise.allSettled(closing);
    this.kernel.shutDown();
  }

  /** @internal Grows while something happens. */
  get activity(): number {
    const { calls, poll } = this.kernel.state;
    return calls + poll.calls;
  }

  #keep<Kept extends Socket | Server>(made: Kept): Kept {
    if (this.#open.length >= this.#prune) {
      this.#open = this.#open.filter((each) => !(each instanceof Socket && each[kState].closed));
      this.#prune = Math.max(64, this.#open.length * 2);
    }
    this.#open.push(made);
    return made;
  }

  /** Literals, `localhost`, and the names of the network's hosts. Nothing is asked of any server. */
  readonly #lookup: LookupFunction = (hostname, options, callback) => {
    const asked = typeof options === 'number' ? options : Number(options?.family ?? 4);
    const family = asked === 6 ? 6 : 4;
    const address = this.#find(hostname, family);
    if (address !== undefined) nextTick(callback, null, address, family);
    else nextTick(callback, notFound(hostname), '', 0);
  };

  #find(hostname: string, family: 4 | 6): string | undefined {
    if (parseIp(hostname) !== undefined) return hostname;
    if (hostname === 'localhost') return LOOPBACK[family].text;
    return this.#network.resolve(hostname, family);
  }
}

function interfacesOf(addresses: HostAddresses): Record<string, readonly string[]> {
  const several = typeof addresses === 'string' || Array.isArray(addresses) ? { eth0: addresses } : addresses;
  const entries = Object.entries(several as Record<string, string | readonly string[]>);
  return Object.fromEntries(entries.map(([name, own]) => [name, typeof own === 'string' ? [own] : own]));
}

/** As dns.lookup() says it; the number is libuv's EAI_NONAME. */
function notFound(hostname: string): NodeJS.ErrnoException {
  const error = new Error(`getaddrinfo ENOTFOUND ${hostname}`);
  return Object.assign(error, { errno: -3008, code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname });
}
