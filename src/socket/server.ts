/**
 * "Listen on all addresses" as it should be: an IPv4 socket and an IPv6-only one on the same port, with one set of
 * events. Two plain sockets behave alike on every OS, which one dual-stack socket does not (pitfalls P13-P18).
 */
import { EventEmitter } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Engine } from '../datagram/engine';
import { invalidArgType, notRunning } from '../errors';
import type {
  AddressInfo,
  Message,
  MessageListener,
  ReceivedMessage,
  RemoteInfo,
  SendCallback,
  SocketOptions,
  SocketStats,
} from '../types';
import { checkPort } from './arguments';
import { Socket } from './socket';
import { newStats } from './stats';

export interface ServerOptions extends Omit<SocketOptions, 'type' | 'ipv6Only'> {
  /** Only this address. Default: all addresses of both families. */
  host?: string | undefined;
}

export interface ServerEvents {
  close: [];
  error: [Error];
  listening: [];
  message: [Buffer, RemoteInfo];
  messages: [ReceivedMessage[]];
}

/** Where a server listens. A host without IPv6 has no `ipv6`, one without IPv4 no `ipv4`. */
export interface ServerAddress {
  readonly port: number;
  readonly ipv4?: AddressInfo;
  readonly ipv6?: AddressInfo;
}

/** Port 0 asks for one that is free for both families: tried so often (WireGuard does as well). */
const TRIES = 100;
/** A host without this family says one of these. */
const FAMILY_MISSING = new Set(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EPROTONOSUPPORT']);

export class Server extends EventEmitter<ServerEvents> {
  readonly #options: ServerOptions;
  readonly #engine: Engine | undefined;
  #sockets: Socket[] = [];
  #state: 'idle' | 'starting' | 'listening' | 'closed' = 'idle';
  #refed = true;

  constructor(options: ServerOptions = {}, listener?: MessageListener, engine?: Engine) {
    super();
    this.#options = options;
    this.#engine = engine;
    if (listener !== undefined) this.on('message', listener);
  }

  /**
   * @param port 0 (the default) for any that is free for both families
   * @throws ERR_SOCKET_BAD_PORT, ERR_SOCKET_DGRAM_NOT_RUNNING; failures come as `'error'`
   */
  listen(port = 0, callback?: () => void): this {
    const number = checkPort(port, true);
    if (this.#state !== 'idle') throw notRunning();
    this.#state = 'starting';
    if (callback !== undefined) this.once('listening', callback);
    this.#start(number).then(
      (sockets) => this.#listening(sockets),
      (error: Error) => this.#failed(error),
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

  /** As Socket's reply(), through the socket that heard the request. */
  reply(msg: Message | readonly Message[], rinfo: RemoteInfo, callback?: SendCallback): void {
    if (rinfo === null || typeof rinfo !== 'object') throw invalidArgType('rinfo', 'of type object', rinfo);
    const type = rinfo.family === 'IPv4' ? 'udp4' : 'udp6';
    const socket = this.#sockets.find((candidate) => candidate.type === type);
    if (this.#state !== 'listening' || socket === undefined) throw notRunning();
    socket.reply(msg, rinfo, callback);
  }

  /** Its sockets, for what a server has no method for (groups, buffer sizes). */
  get sockets(): readonly Socket[] {
    return this.#sockets;
  }

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

  /** The sums of its sockets' counters. */
  stats(): SocketStats {
    const sum = newStats();
    for (const socket of this.#sockets) {
      const stats = socket.stats();
      for (const name of Object.keys(sum) as (keyof SocketStats)[]) sum[name] += stats[name];
    }
    return sum;
  }

  async #start(port: number): Promise<Socket[]> {
    const { host } = this.#options;
    if (host !== undefined) return [await this.#bind(isIPv6(host) ? 'udp6' : 'udp4', port, host)];
    for (let tries = 1; ; tries++) {
      const first = await this.#bindOr('udp4', port);
      if (first === undefined) return [await this.#bind('udp6', port)];
      try {
        const second = await this.#bindOr('udp6', first.address().port);
        return second === undefined ? [first] : [first, second];
      } catch (error) {
        await closeAll([first]);
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (!taken || port !== 0 || tries === TRIES) throw error;
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
    const { host: _, ...options } = this.#options;
    return new Promise((bound, failed) => {
      const socket = new Socket({ ...options, type, ipv6Only: true }, undefined, this.#engine);
      // Heard from the first moment on, or what is queued between bind and 'listening' would be lost.
      this.#forward(socket);
      socket.once('error', failed);
      socket.bind(port, address, () => {
        socket.off('error', failed);
        socket.on('error', (error) => this.emit('error', error));
        bound(socket);
      });
    });
  }

  /** 'messages' are asked for only while somebody wants them here: they replace 'message'. */
  #forward(socket: Socket): void {
    socket.on('message', (msg, rinfo) => this.emit('message', msg, rinfo));
    const forwardBatch = (batch: ReceivedMessage[]) => void this.emit('messages', batch);
    const watch = (): void => {
      socket.off('messages', forwardBatch);
      if (this.listenerCount('messages') > 0) socket.on('messages', forwardBatch);
    };
    watch();
    this.on(
      'newListener' as never,
      ((name: string) => {
        if (name === 'messages') process.nextTick(watch);
      }) as never,
    );
    this.on(
      'removeListener' as never,
      ((name: string) => {
        if (name === 'messages') process.nextTick(watch);
      }) as never,
    );
  }

  #listening(sockets: Socket[]): void {
    if (this.#state === 'closed') {
      void closeAll(sockets);
      return;
    }
    this.#sockets = sockets;
    this.#state = 'listening';
    if (!this.#refed) this.unref();
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
