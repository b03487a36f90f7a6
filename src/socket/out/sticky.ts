/**
 * For programs that answer with plain send(msg, port, address): from which local address, when they name none. The one on
 * which the remote was heard: of the message in whose async context the program runs, then of this socket's memory, then
 * of the memory of all sticky sockets of the process. send.ts decides whether it fits.
 *
 * Contexts cost every promise of the process something, so they begin only when one remote has been heard on two local
 * addresses: until then the memory gives the same answers. What was heard before that moment has no context; how many
 * answers to it are missing is counted, and those that come without a context get the address of then.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { mismatch } from '../../datagram/answer';
import { type Endpoint, ipv4WordOf, isSame } from '../../datagram/endpoint';
import type { Engine } from '../../datagram/engine';
import type { Names } from '../../datagram/names';
import { arrivalOf, remoteOf } from '../../datagram/remote-info';
import { WordMap } from '../../datagram/word-map';
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';
import { Routes, type Way } from './routes';

export interface StickySettings {
  /** Remotes remembered, at least; twice as many at most. */
  readonly max: number;
  /** How long, in ms since they were heard last. */
  readonly ttl: number;
  /** Is a source forgotten when the route to its remote leaves through another interface than the last request came by? */
  readonly follow?: 'route' | undefined;
}

export const STICKY_DEFAULTS: StickySettings = { max: 8192, ttl: 60_000 };

/** The message that a listener, and whatever it starts, was called with. */
interface Heard {
  readonly remote: Endpoint;
  readonly port: number;
  /** undefined: nothing to answer from was told, the kernel chooses. */
  readonly local: Endpoint | undefined;
  /** The message in whose context the socket that heard this one was made: a proxy's client, as its upstream answers. */
  readonly before: Heard | undefined;
  readonly depth: number;
}

/** A socket made in the context of a message of a socket made in the context of …: not for ever. */
const DEPTH = 4;
/** Answers that may be missing when contexts begin, and how late they may be, in ms. */
const LATE_ANSWERS = 64;
const LATE = 10_000;

/** A remote, as memory has it. */
class Entry implements Way {
  /** Where it was heard last. */
  local: Endpoint;
  /** When, in ms. */
  at = 0;
  /** Messages heard before contexts began whose answers are missing. */
  unanswered = 0;
  /** Where these were heard, once another address has been. */
  before: Endpoint | undefined;
  /** When that was, in ms. */
  changed = 0;
  // Way: of those that follow the route alone.
  ifindex = 0;
  through: readonly number[] | undefined;
  looked = Number.NEGATIVE_INFINITY;

  constructor(local: Endpoint) {
    this.local = local;
  }
}

const contexts = new AsyncLocalStorage<Heard | undefined>();
let contextual = false;
let shared: WordMap<Entry> | undefined;

export class Sticky {
  readonly #names: Names;
  readonly #now: () => number;
  readonly #ttl: number;
  readonly #max: number;
  readonly #routes: Routes | undefined;
  #own: WordMap<Entry> | undefined;

  constructor({ max, ttl, follow }: StickySettings, engine: Engine) {
    shared ??= new WordMap(max);
    shared.growTo(max);
    this.#names = engine.names;
    this.#now = engine.now;
    this.#routes = follow === undefined ? undefined : new Routes(engine);
    this.#ttl = ttl;
    this.#max = max;
  }

  /** Emits 'message', in a context of its own where that matters: late answers find it again. */
  deliver(core: Core, msg: Buffer, rinfo: RemoteInfo): void {
    this.hear(rinfo);
    if (!contextual) {
      core.socket.emit('message', msg, rinfo);
      return;
    }
    const outer = contexts.getStore();
    const before = outer !== undefined && outer.depth < DEPTH ? outer : undefined;
    const remote = remoteOf(rinfo) as Endpoint;
    const local = arrivalOf(rinfo)?.source;
    const heard = { remote, port: rinfo.port, local, before, depth: (before?.depth ?? 0) + 1 };
    contexts.run(heard, () => core.socket.emit('message', msg, rinfo));
  }

  /** Remembers where `rinfo`, which is as we made it, was heard. */
  hear(rinfo: RemoteInfo): void {
    const remote = remoteOf(rinfo);
    const local = arrivalOf(rinfo)?.source;
    if (remote === undefined) return;
    this.#own ??= new WordMap(this.#max);
    const now = this.#now();
    let entry = find(this.#own, remote, rinfo.port);
    if (local === undefined) {
      if (entry !== undefined) contextual = true; // what this is answered from is not what memory says
      return;
    }
    const common = find(shared as WordMap<Entry>, remote, rinfo.port);
    if (entry === undefined) {
      entry = new Entry(local);
      store(this.#own, entry, remote, rinfo.port);
    }
    for (const known of [entry, common]) {
      if (known === undefined || known.local === local || now - known.at > this.#ttl) continue;
      if (isSameRemote(known.local, local)) continue;
      contextual = true;
      if (known.unanswered === 0 || known.before !== undefined) continue;
      known.before = known.local;
      known.changed = now;
    }
    if (common !== entry) {
      if (common?.before !== undefined || common?.unanswered) {
        entry.unanswered = common.unanswered;
        entry.before ??= common.before;
        entry.changed = common.changed;
      }
      store(shared as WordMap<Entry>, entry, remote, rinfo.port);
    }
    entry.local = local;
    entry.at = now;
    if (this.#routes !== undefined) entry.ifindex = rinfo.destination?.ifindex ?? 0;
    if (!contextual && entry.unanswered < LATE_ANSWERS) entry.unanswered++;
  }

  /** `action`, to be called in the context of now. */
  carry<Args extends unknown[]>(action: (...args: Args) => void): (...args: Args) => void {
    const heard = contexts.getStore();
    return heard === undefined ? action : (...args) => contexts.run(heard, action, ...args);
  }

  /**
   * The address of this host to send from, if one is known that fits. An IPv4 remote is the same one whether a udp4
   * socket hears it or a dual-stack one; the answer is in the form that a socket of `to`'s family needs.
   */
  source(to: Endpoint, port: number): Endpoint | undefined {
    const local = this.#localFor(to, port);
    if (local === undefined || this.#hasLeft(to, port)) return undefined;
    const source = !local.ipv4 || local.family === to.family ? local : this.#otherForm(local);
    return mismatch(source, to) === undefined ? source : undefined;
  }

  /** `source` is not, or not any more, an address that `to` can be sent to from. */
  forget(to: Endpoint, port: number, source: Endpoint): void {
    for (const memory of [this.#own, shared]) {
      const entry = memory && find(memory, to, port);
      if (memory === undefined || entry === undefined) continue;
      if (isSameRemote(entry.local, source)) forget(memory, to, port);
    }
  }

  /** Does the route to it lead elsewhere than where it was heard? Until it is heard again, or the route is as it was. */
  #hasLeft(to: Endpoint, port: number): boolean {
    if (this.#routes === undefined) return false;
    const entry = (this.#own && find(this.#own, to, port)) ?? (shared && find(shared, to, port));
    return entry !== undefined && this.#routes.isAnother(entry, to, this.#now());
  }

  #localFor(to: Endpoint, port: number): Endpoint | undefined {
    const context = contextual ? contexts.getStore() : undefined;
    for (let heard = context; heard !== undefined; heard = heard.before) {
      if (heard.port === port && isSameRemote(heard.remote, to)) return heard.local;
    }
    const now = this.#now();
    for (const memory of [this.#own, shared]) {
      const entry = memory && find(memory, to, port);
      if (entry === undefined || now - entry.at > this.#ttl) continue;
      if (entry.unanswered === 0) return entry.local;
      // One question may bring several answers (CoAP: an acknowledgement, a response, and that again): once the address is in
      // doubt they are not counted any more.
      if (entry.before === undefined) entry.unanswered--;
      const late = context === undefined && now - entry.changed < LATE;
      return late ? (entry.before ?? entry.local) : entry.local;
    }
    return undefined;
  }

  /** 1.2.3.4 ↔ ::ffff:1.2.3.4 */
  #otherForm(end: Endpoint): Endpoint {
    if (!end.ipv4) return end;
    return end.family === 4 ? this.#names.endpointMapped(end.word0) : this.#names.endpointIPv4(end.word3);
  }
}

/** Mapped or not, an IPv4 remote is one remote. */
function isSameRemote(a: Endpoint, b: Endpoint): boolean {
  const ipv4 = ipv4WordOf(a);
  if (ipv4 !== undefined || b.ipv4) return ipv4 === ipv4WordOf(b);
  return isSame(a, b) && a.scope === b.scope;
}

function find(memory: WordMap<Entry>, end: Endpoint, port: number): Entry | undefined {
  const ipv4 = ipv4WordOf(end);
  if (ipv4 !== undefined) return memory.find(ipv4, 0, 0, 0, 4, port);
  return memory.find(end.word0, end.word1, end.word2, end.word3, 6, port, end.scope);
}

function store(memory: WordMap<Entry>, entry: Entry, end: Endpoint, port: number): void {
  const ipv4 = ipv4WordOf(end);
  if (ipv4 !== undefined) memory.store(entry, ipv4, 0, 0, 0, 4, port);
  else memory.store(entry, end.word0, end.word1, end.word2, end.word3, 6, port, end.scope);
}

function forget(memory: WordMap<Entry>, end: Endpoint, port: number): void {
  const ipv4 = ipv4WordOf(end);
  if (ipv4 !== undefined) memory.forget(ipv4, 0, 0, 0, 4, port);
  else memory.forget(end.word0, end.word1, end.word2, end.word3, 6, port, end.scope);
}
