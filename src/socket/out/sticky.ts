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
import { type Endpoint, isSame } from '../../datagram/endpoint';
import type { Engine } from '../../datagram/engine';
import type { Names } from '../../datagram/names';
import { arrivalOf, remoteOf } from '../../datagram/remote-info';
import { WordMap } from '../../datagram/word-map';
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';
import { Remotes } from './remotes';
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
/** Remotes remembered, of one generation, that were heard elsewhere when contexts began. */
const BEFORES = 8192;

/** Where a remote was heard before it was heard on another address, while answers to what came there were missing. */
interface Before {
  readonly local: Endpoint;
  /** When it was heard on the other one, in ms. */
  readonly changed: number;
}

const contexts = new AsyncLocalStorage<Heard | undefined>();
let contextual = false;
/**
 * The memory of the process: where each remote was heard last, by whichever socket, and (as the record's count) how many of the
 * messages heard before contexts began are not answered yet.
 */
let shared: Remotes | undefined;
/** Of those whose answers were missing when contexts began. */
let befores: WordMap<Before> | undefined;
/** Of sockets that follow the route. */
let ways: WordMap<Way> | undefined;
/** The only sticky socket of the process: what it remembers and what all remember is the same. undefined: there are several. */
let only: Sticky | undefined;
let several = false;

export class Sticky {
  readonly #names: Names;
  readonly #now: () => number;
  readonly #ttl: number;
  readonly #max: number;
  readonly #routes: Routes | undefined;
  /** Where this socket has heard each remote last. Until there is a second sticky socket, `shared`. */
  #own: Remotes | undefined;
  /** Whose message is being delivered, outside of a context: most programs answer it before they return. */
  #asker: Endpoint | undefined;
  #port = 0;
  #answered = false;
  /** The same, where its answer needs no search: it has {@link local} for its source. */
  remote: Endpoint | undefined;
  /** undefined: the kernel chooses. */
  local: Endpoint | undefined;

  constructor({ max, ttl, follow }: StickySettings, engine: Engine) {
    shared ??= new Remotes(max);
    shared.growTo(max);
    this.#names = engine.names;
    this.#now = engine.now;
    this.#routes = follow === undefined ? undefined : new Routes(engine);
    this.#ttl = ttl;
    this.#max = max;
    if (several) return;
    if (only !== undefined) {
      only.#own = shared.copy(only.#max);
      several = true;
    }
    only = several ? undefined : this;
  }

  /** Emits 'message', in a context of its own where that matters: late answers find it again. */
  deliver(core: Core, msg: Buffer, rinfo: RemoteInfo): void {
    const remote = remoteOf(rinfo) as Endpoint;
    const local = arrivalOf(rinfo)?.source;
    const { port } = rinfo;
    this.#hear(rinfo, remote, local);
    if (contextual) {
      this.#deliverInContext(core, msg, rinfo, remote, local);
      return;
    }
    this.#asker = remote;
    this.#port = port;
    this.#answered = false;
    this.local = local;
    this.remote = this.#isPlain(core, remote, local) ? remote : undefined;
    try {
      core.socket.emit('message', msg, rinfo);
    } finally {
      if (!this.#answered && local !== undefined) countMissing(remote, port);
      this.#asker = undefined;
      this.remote = undefined;
      this.local = undefined;
    }
  }

  #deliverInContext(core: Core, msg: Buffer, rinfo: RemoteInfo, remote: Endpoint, local: Endpoint | undefined): void {
    const outer = contexts.getStore();
    const before = outer !== undefined && outer.depth < DEPTH ? outer : undefined;
    const heard = { remote, port: rinfo.port, local, before, depth: (before?.depth ?? 0) + 1 };
    contexts.run(heard, () => core.socket.emit('message', msg, rinfo));
  }

  /** Remembers where `rinfo`, which is as we made it, was heard. */
  hear(rinfo: RemoteInfo): void {
    const remote = remoteOf(rinfo) as Endpoint;
    const local = arrivalOf(rinfo)?.source;
    this.#hear(rinfo, remote, local);
    if (local !== undefined) countMissing(remote, rinfo.port);
  }

  #hear(rinfo: RemoteInfo, remote: Endpoint, local: Endpoint | undefined): void {
    const { port } = rinfo;
    const common = shared as Remotes;
    if (this !== only) this.#own ??= new Remotes(this.#max);
    const own = this.#own ?? common;
    if (local === undefined) {
      if (own.find(remote, port)) contextual = true; // what this is answered from is not what memory says
      return;
    }
    const names = this.#names;
    const changed = own === common ? undefined : own.hear(names, remote, port, local, names.time, this.#ttl);
    const before = common.hear(names, remote, port, local, names.time, this.#ttl) ?? changed;
    if (before !== undefined) {
      contextual = true;
      if (common.count > 0) noteBefore(remote, port, before, names.time);
    }
    if (this.#routes !== undefined) noteWay(remote, port, rinfo.destination?.ifindex ?? 0, this.#max);
  }

  /**
   * Do the addresses of a message fit together, whatever the interfaces are, and is there nothing of the program's that has a
   * say in its answer?
   */
  #isPlain(core: Core, remote: Endpoint, local: Endpoint | undefined): boolean {
    if (this.#routes !== undefined || core.settings.sendBlockList !== undefined) return false;
    // A zone may be another interface's by the time of the answer.
    return remote.scope === 0 && local?.linkLocal !== true && remote.family === core.channel.family;
  }

  /**
   * Is send() to this address and port the answer to the message that is being delivered, and {@link local} its source? Asked
   * when nothing else stands in the way: it counts as answered then.
   */
  answers(host: string | undefined, port: number): boolean {
    // Others may have been heard since, on other addresses: by a loop inside the listener.
    if (this.remote === undefined || host !== this.remote.text || port !== this.#port || contextual) return false;
    this.#answered = true;
    return true;
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
    const source = local.family === to.family || !local.ipv4 ? local : this.#otherForm(local);
    return mismatch(source, to) === undefined ? source : undefined;
  }

  /** `source` is not, or not any more, an address that `to` can be sent to from. */
  forget(to: Endpoint, port: number, source: Endpoint): void {
    for (const memory of [this.#own, shared]) {
      if (memory?.find(to, port) && memory.wasHeardOn(source)) memory.forget(to, port);
    }
    if (this.#asker === undefined || !isSameRemote(this.#asker, to)) return;
    this.#asker = undefined;
    this.remote = undefined;
  }

  /** Does the route to it lead elsewhere than where it was heard? Until it is heard again, or the route is as it was. */
  #hasLeft(to: Endpoint, port: number): boolean {
    if (this.#routes === undefined) return false;
    const way = ways && findIn(ways, to, port);
    return way !== undefined && this.#routes.isAnother(way, to, this.#now());
  }

  #localFor(to: Endpoint, port: number): Endpoint | undefined {
    if (!contextual && this.#asker !== undefined && port === this.#port && isSameRemote(this.#asker, to)) {
      this.#answered = true;
      return this.local;
    }
    const context = contextual ? contexts.getStore() : undefined;
    for (let heard = context; heard !== undefined; heard = heard.before) {
      if (heard.port === port && isSameRemote(heard.remote, to)) return heard.local;
    }
    const now = this.#now();
    const local = this.#recalled(this.#own, to, port, now) ?? this.#recalled(shared, to, port, now);
    if (local === undefined || shared?.find(to, port) !== true || shared.count === 0) return local;
    const before = befores && findIn(befores, to, port);
    // One question may bring several answers (CoAP: an acknowledgement, a response, and that again): once the address is in
    // doubt they are not counted any more.
    if (before === undefined) shared.count--;
    const late = before !== undefined && context === undefined && now - before.changed < LATE;
    return late ? before.local : local;
  }

  #recalled(memory: Remotes | undefined, to: Endpoint, port: number, now: number): Endpoint | undefined {
    if (memory?.find(to, port) !== true || !memory.isFresh(now, this.#ttl)) return undefined;
    return memory.local(this.#names, to.family);
  }

  /** 1.2.3.4 ↔ ::ffff:1.2.3.4 */
  #otherForm(end: Endpoint): Endpoint {
    return end.family === 4 ? this.#names.endpointMapped(end.word0) : this.#names.endpointIPv4(end.word3);
  }
}

/** Mapped or not, an IPv4 remote is one remote. */
function isSameRemote(a: Endpoint, b: Endpoint): boolean {
  const ipv4 = a.ipv4Word;
  if (ipv4 !== undefined || b.ipv4) return ipv4 === b.ipv4Word;
  return isSame(a, b) && a.scope === b.scope;
}

/** Until contexts begin: so many messages of this remote are not answered yet. */
function countMissing(remote: Endpoint, port: number): void {
  if (contextual || shared?.find(remote, port) !== true || shared.count >= LATE_ANSWERS) return;
  shared.count++;
}

function noteBefore(remote: Endpoint, port: number, local: Endpoint, changed: number): void {
  befores ??= new WordMap(BEFORES);
  if (findIn(befores, remote, port) === undefined) storeIn(befores, { local, changed }, remote, port);
}

function noteWay(remote: Endpoint, port: number, ifindex: number, max: number): void {
  ways ??= new WordMap(max);
  ways.growTo(max);
  const way = findIn(ways, remote, port);
  if (way !== undefined) way.ifindex = ifindex;
  else storeIn(ways, { ifindex, through: undefined, looked: Number.NEGATIVE_INFINITY }, remote, port);
}

function findIn<Value>(map: WordMap<Value>, end: Endpoint, port: number): Value | undefined {
  const ipv4 = end.ipv4Word;
  if (ipv4 !== undefined) return map.find(ipv4, 0, 0, 0, 4, port);
  return map.find(end.word0, end.word1, end.word2, end.word3, 6, port, end.scope);
}

function storeIn<Value>(map: WordMap<Value>, value: Value, end: Endpoint, port: number): void {
  const ipv4 = end.ipv4Word;
  if (ipv4 !== undefined) map.store(value, ipv4, 0, 0, 0, 4, port);
  else map.store(value, end.word0, end.word1, end.word2, end.word3, 6, port, end.scope);
}
