/**
 * For programs that answer with plain send(msg, port, address): from which local address, when they name none. That on
 * which the remote was heard, looked up in the message in whose async context the program runs, then in the socket's
 * memory, then in that of all sticky sockets of the process. Answers a question; who asks decides what fits.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { formatIPv4 } from '../address/ip';
import { type Endpoint, mismatch } from '../datagram/endpoint';
import type { Names } from '../datagram/names';
import type { RemoteInfo } from '../types';
import { StickyMemory } from './sticky-memory';

export interface StickySettings {
  /** Remotes remembered. */
  readonly max: number;
  /** How long, in ms since they were heard last. */
  readonly ttl: number;
}

export const STICKY_DEFAULTS: StickySettings = { max: 8192, ttl: 60_000 };

/** The message that a listener, and whatever it starts, was called with. */
interface Heard {
  readonly remote: string;
  /** undefined: nothing to answer from was told, the kernel chooses. */
  readonly local: string | undefined;
  /** The message in whose context the socket that heard this one was made: a proxy's client, as its upstream answers. */
  readonly before: Heard | undefined;
  readonly depth: number;
}

/** A socket made in the context of a message of a socket made in the context of …: not for ever. */
const DEPTH = 4;

const contexts = new AsyncLocalStorage<Heard | undefined>();
let shared: StickyMemory | undefined;

export class Sticky {
  readonly #names: Names;
  readonly #ttl: number;
  readonly #own: StickyMemory;
  readonly #shared: StickyMemory;

  constructor({ max, ttl }: StickySettings, names: Names) {
    shared ??= new StickyMemory(max);
    shared.growTo(max);
    this.#names = names;
    this.#ttl = ttl;
    this.#own = new StickyMemory(max);
    this.#shared = shared;
  }

  /** Remembers where `rinfo` was heard. → who it is from */
  hear({ address, port, localAddress }: RemoteInfo): string {
    const remote = `${plain(address)} ${port}`;
    if (localAddress !== undefined) {
      const local = plain(localAddress);
      const now = performance.now();
      this.#own.remember(remote, local, now);
      this.#shared.remember(remote, local, now);
    }
    return remote;
  }

  /** Hands a message over, in a context of its own: late answers find it again. */
  deliver(msg: Buffer, rinfo: RemoteInfo, listener: (msg: Buffer, rinfo: RemoteInfo) => void): void {
    const remote = this.hear(rinfo);
    const { localAddress } = rinfo;
    const local = localAddress === undefined ? undefined : plain(localAddress);
    const outer = contexts.getStore();
    const before = outer !== undefined && outer.depth < DEPTH ? outer : undefined;
    contexts.run({ remote, local, before, depth: (before?.depth ?? 0) + 1 }, listener, msg, rinfo);
  }

  /** `action`, to be called in the context of now. */
  carry<Args extends unknown[]>(action: (...args: Args) => void): (...args: Args) => void {
    const heard = contexts.getStore();
    return (...args) => contexts.run(heard, action, ...args);
  }

  /**
   * The address of this host to send from, if one is known that fits. An IPv4 remote is the same one whether a udp4
   * socket hears it or a dual-stack one; the answer is in the form that a socket of `to`'s family needs.
   */
  source(to: Endpoint, port: number): Endpoint | undefined {
    const local = this.#find(this.#remote(to, port));
    if (local === undefined) return undefined;
    const source = this.#names.endpoint(to.family === 6 && !local.includes(':') ? `::ffff:${local}` : local);
    return source === undefined || mismatch(source, to) !== undefined ? undefined : source;
  }

  /** `source` is not, or not any more, an address that `to` can be sent to from. */
  forget(to: Endpoint, port: number, source: Endpoint): void {
    const remote = this.#remote(to, port);
    const local = plain(source.text);
    this.#own.forget(remote, local);
    this.#shared.forget(remote, local);
  }

  #find(remote: string): string | undefined {
    for (let heard = contexts.getStore(); heard !== undefined; heard = heard.before) {
      if (heard.remote === remote) return heard.local;
    }
    const now = performance.now();
    return this.#own.find(remote, now, this.#ttl) ?? this.#shared.find(remote, now, this.#ttl);
  }

  /** As {@link hear} writes it, however the program has spelt the address. */
  #remote(to: Endpoint, port: number): string {
    if (to.family === 4) return `${to.text} ${port}`;
    return `${to.mapped ? formatIPv4(to.word3) : this.#names.remoteText(to)} ${port}`;
  }
}

/** '1.2.3.4' for '::ffff:1.2.3.4', which is how rinfo spells mapped addresses. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}
