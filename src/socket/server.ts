/**
 * "Listen on all addresses" as it should be: an IPv4 socket and an IPv6-only one on the same port, with one set of
 * events. Two plain sockets behave alike on every OS, which one dual-stack socket does not (pitfalls P13-P18).
 */
import { EventEmitter } from 'node:events';
import { nextTick } from '../captured';
import type { Engine } from '../datagram/engine';
import { invalidArgType, notRunning } from '../errors';
import type {
  AddressInfo,
  EmitterClass,
  Message,
  MessageListener,
  ReceivedMessage,
  RemoteInfo,
  ReplyTo,
  SendCallback,
  ServerEvents,
  SocketOptions,
  SocketStats,
} from '../types';
import { checkPort } from './arguments';
import { closeOn } from './life/signal';
import { settings } from './options';
import { Socket } from './socket';
import { newStats, sumOf } from './stats';

/** Those of createSocket without `type` and `ipv6Only`, for both of its sockets. */
export interface ServerOptions extends Omit<SocketOptions, 'type' | 'ipv6Only'> {
  /** Only this address. Default: all addresses of both families. */
  host?: string | undefined;
}

/** Where a server listens. A host without IPv6 has no `ipv6`, one without IPv4 no `ipv4`. */
export interface ServerAddress {
  /** The same for both families. */
  readonly port: number;
  /** Its IPv4 socket's. */
  readonly ipv4?: AddressInfo;
  /** Its IPv6 socket's. */
  readonly ipv6?: AddressInfo;
}

/** Port 0 asks for one that is free for both families: tried so often (WireGuard does as well). */
const TRIES = 100;
/** A host without this family says one of these. */
const FAMILY_MISSING = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT']);

/** Listens on all addresses of both families: two sockets on one port, with one set of events. */
export class Server extends (EventEmitter as unknown as EmitterClass<ServerEvents>) {
  readonly #options: ServerOptions;
  readonly #engine: Engine | undefined;
  /** Those that are bound. */
  readonly #sockets: Socket[] = [];
  #state: 'idle' | 'starting' | 'listening' | 'closed' = 'idle';
  #refed = true;
  #paused = false;

  /**
   * Opens nothing yet.
   * @throws the errors of bad options, as createSocket. ERR_RECVFROMTO_UNSUPPORTED_PLATFORM comes as `'error'` of listen()
   */
  constructor(options?: ServerOptions, listener?: MessageListener);
  /** @internal for tests: an engine instead of the host's own */
  constructor(options: ServerOptions | undefined, listener: MessageListener | undefined, engine: Engine | undefined);
  constructor(options: ServerOptions = {}, listener?: MessageListener, engine?: Engine) {
    super();
    this.#options = options;
    this.#engine = engine;
    if (listener !== undefined) this.on('message', listener);
    this.#watchListeners();
    const { signal } = settings({ ...options, type: 'udp4' }); // what is wrong with them is thrown now, not at listen()
    if (signal === undefined) return;
    closeOn(this, signal, () => {
      if (this.#state !== 'closed') this.close();
    });
  }

  listen(port?: number, callback?: () => void): this;
  listen(callback: () => void): this;
  /**
   * @param port 0 (the default) for any that is free for both families
   * @throws ERR_SOCKET_BAD_PORT, ERR_SOCKET_DGRAM_NOT_RUNNING; failures come as `'error'`
   */
  listen(first: number | (() => void) = 0, second?: () => void): this {
    const [port, callback] = typeof first === 'function' ? [0, first] : [first, second];
    const number = checkPort(port, true);
    if (this.#state !== 'idle') throw notRunning();
    this.#state = 'starting';
    if (callback !== undefined) this.once('listening', callback);
    this.#start(number).then(
      () => this.#listening(),
      (error: Error) => {
        if (callback !== undefined) this.off('listening', callback);
        this.#failed(error);
      },
    );
    return this;
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_RUNNING unless listening */
  address(): ServerAddress {
    if (this.#state !== 'listening') throw notRunning();
    const all = this.#sockets.map((socket) => socket.address());
    const ipv4 = all.find((address) => address.family === 'IPv4');
    const ipv6 = all.find((address) => address.family === 'IPv6');
    return { port: all[0].port, ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) };
  }

  /** As Socket's reply(), through the socket that heard the request. @throws as it; ERR_SOCKET_DGRAM_NOT_RUNNING */
  reply(msg: Message | readonly Message[], rinfo: ReplyTo, callback?: SendCallback): void {
    this.#heardBy(rinfo).reply(msg, rinfo, callback);
  }

  /** Its socket that hears such senders. */
  #heardBy(rinfo: ReplyTo): Socket {
    if (rinfo === null || typeof rinfo !== 'object') throw invalidArgType('rinfo', 'of type object', rinfo);
    // By the address, which has to be right: a program may have kept no more than that.
    const type = String(rinfo.address).includes(':') ? 'udp6' : 'udp4';
    const socket = this.#sockets.find((candidate) => candidate.type === type);
    if (this.#state === 'closed' || socket === undefined) throw notRunning();
    return socket;
  }

  /** Its sockets, for what a server has no method for (groups, buffer sizes). */
  get sockets(): readonly Socket[] {
    return this.#sockets;
  }

  /** Closes its sockets; what they were sent before leaves first. `'close'` follows. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  close(callback?: () => void): this {
    if (this.#state === 'closed') throw notRunning();
    if (callback !== undefined) this.once('close', callback);
    this.#state = 'closed';
    closeAll(this.#sockets).then(() => this.emit('close'));
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== 'closed') await new Promise<void>((done) => this.close(done));
  }

  ref(): this {
    this.#refed = true;
    for (const socket of this.#sockets) socket.ref();
    return this;
  }

  unref(): this {
    this.#refed = false;
    for (const socket of this.#sockets) socket.unref();
    return this;
  }

  /** As Socket's split(), through the socket that heard the request. @throws as it; ERR_SOCKET_DGRAM_NOT_RUNNING */
  split(rinfo: ReplyTo, listener?: MessageListener): Socket {
    return this.#heardBy(rinfo).split(rinfo, listener);
  }

  /** As Socket's pause(), both families. */
  pause(): this {
    this.#paused = true;
    for (const socket of this.#sockets) socket.pause();
    return this;
  }

  /** As Socket's resume(), both families. */
  resume(): this {
    this.#paused = false;
    for (const socket of this.#sockets) socket.resume();
    return this;
  }

  /** The sums of its sockets' counters. */
  stats(): SocketStats {
    return this.#sockets.reduce((sum, socket) => sumOf(sum, socket.stats()), newStats());
  }

  async #start(port: number): Promise<void> {
    const { host } = this.#options;
    if (host !== undefined) {
      await this.#bind(host.includes(':') ? 'udp6' : 'udp4', port, host);
      return;
    }
    for (let tries = 1; ; tries++) {
      const first = await this.#bindOr('udp4', port);
      if (first === undefined) {
        await this.#bind('udp6', port);
        return;
      }
      try {
        await this.#bindOr('udp6', first.address().port);
        return;
      } catch (error) {
        await closeAll(this.#sockets.splice(0));
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (!taken || port !== 0 || tries === TRIES || this.#state === 'closed') throw error;
      }
    }
  }

  /** undefined when the host has no such family. */
  async #bindOr(type: 'udp4' | 'udp6', port: number): Promise<Socket | undefined> {
    try {
      return await this.#bind(type, port);
    } catch (error) {
      if (FAMILY_MISSING.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
      throw error;
    }
  }

  #bind(type: 'udp4' | 'udp6', port: number, address?: string): Promise<Socket> {
    const { host: _, signal: __, ...options } = this.#options;
    return new Promise((bound, failed) => {
      const socket = new Socket({ ...options, type, ipv6Only: true }, undefined, this.#engine);
      // Heard from the first moment on, or what is queued between bind and 'listening' would be lost.
      socket.on('message', this.#forward);
      if (this.listenerCount('messages') > 0) socket.on('messages', this.#forwardBatch);
      if (this.#paused) socket.pause();
      const giveUp = (error: Error): void => {
        socket.close(); // it keeps its descriptor for another try, as dgram's do
        failed(error);
      };
      socket.once('error', giveUp);
      socket.bind(port, address, () => {
        socket.off('error', giveUp);
        socket.on('error', (error) => this.emit('error', error));
        socket.on('icmp', (error) => this.emit('icmp', error)).on('drain', () => this.emit('drain'));
        if (!this.#refed) socket.unref();
        if (this.#paused) socket.pause();
        else socket.resume();
        this.#sockets.push(socket);
        bound(socket);
      });
    });
  }

  readonly #forward = (msg: Buffer, rinfo: RemoteInfo): void => void this.emit('message', msg, rinfo);
  readonly #forwardBatch = (batch: ReceivedMessage[]): void => void this.emit('messages', batch);

  /** Sockets are asked for 'messages' only while somebody wants them here: they replace 'message'. */
  #watchListeners(): void {
    const watch = (): void => {
      for (const socket of this.#sockets) {
        socket.off('messages', this.#forwardBatch);
        if (this.listenerCount('messages') > 0) socket.on('messages', this.#forwardBatch);
      }
    };
    for (const change of ['newListener', 'removeListener']) {
      EventEmitter.prototype.on.call(this, change, (name: string) => {
        if (name === 'messages') nextTick(watch); // 'newListener' comes before there is one
      });
    }
  }

  #listening(): void {
    if (this.#state === 'closed') {
      void closeAll(this.#sockets); // those that were bound since
      return;
    }
    this.#state = 'listening';
    this.emit('listening');
  }

  #failed(error: Error): void {
    if (this.#state === 'closed') return;
    this.#state = 'idle';
    this.emit('error', error);
  }
}

async function closeAll(sockets: readonly Socket[]): Promise<void> {
  await Promise.all(sockets.map((socket) => socket[Symbol.asyncDispose]()));
}
