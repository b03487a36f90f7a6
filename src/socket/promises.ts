/**
 * Sockets whose bind(), connect(), send(), reply(), sendMany() and close() return promises, and whose messages are read
 * with `for await`. Around a Socket with callbacks, which does the work and is there for all else.
 */
import { invalidArgType, notRunning } from '../errors';
import type {
  AddressInfo,
  BindOptions,
  Message,
  OutgoingDatagram,
  ReplyTo,
  SendOptions,
  SocketEvents,
  SocketOptions,
  SocketStats,
  SocketType,
} from '../types';
import { kState, UNBOUND } from './core';
import { closeInAnyCase } from './life/bind';
import { HIGH_WATER_MARK, Messages, type Received } from './messages';
import { checkInteger } from './options';
import { Socket as CallbackSocket } from './socket';

/** createSocket's options, and how much may wait unread. */
export type PromisesOptions = SocketOptions & {
  /** Messages that a loop may leave unread; what comes then is dropped and counted (`stats().unread`). Default 1024. */
  highWaterMark?: number | undefined;
};

/** How a loop reads messages. */
export interface MessagesOptions {
  /** Aborting it ends the loop with its reason; the socket stays open. */
  readonly signal?: AbortSignal | undefined;
  /** As {@link PromisesOptions.highWaterMark}, for this loop. */
  readonly highWaterMark?: number | undefined;
}

/** The counters of a Socket. */
export type PromisesStats = SocketStats;

const UINT32_MAX = 0xffff_ffff;

/** A UDP socket whose methods return promises; `socket` is the one with callbacks, which does the work. */
export class Socket {
  /** The socket with callbacks: every other member of it may be used as well. */
  readonly socket: CallbackSocket;
  readonly #highWaterMark: number;

  /** @throws ERR_SOCKET_BAD_TYPE and other errors of bad options; ERR_RECVFROMTO_UNSUPPORTED_PLATFORM */
  constructor(type: SocketType | PromisesOptions) {
    const given = type !== null && typeof type === 'object' ? type.highWaterMark : undefined;
    this.#highWaterMark = checkInteger('options.highWaterMark', given ?? HIGH_WATER_MARK, 1, UINT32_MAX);
    this.socket = new CallbackSocket(type);
    this.socket[kState].tells = true;
  }

  /** @returns where it is bound. @throws as Socket.bind(); rejects with the error of `'error'` */
  bind(port?: number, address?: string): Promise<AddressInfo>;
  bind(options: BindOptions): Promise<AddressInfo>;
  bind(first?: number | BindOptions, address?: string): Promise<AddressInfo> {
    const { socket } = this;
    let listening = () => {};
    let failed = (_: Error) => {};
    return this.#untilClosed<AddressInfo>((resolve, reject) => {
      listening = () => resolve(socket.address());
      failed = reject;
      socket.on('error', failed).on('listening', listening);
      if (typeof first === 'object') socket.bind(first);
      else socket.bind(first, address);
    }).finally(() => socket.off('error', failed).off('listening', listening));
  }

  /** Rejects with the error that the callback gets. */
  connect(port: number, address?: string): Promise<void> {
    return this.#untilClosed((resolve, reject) => {
      const done = (error?: Error) => (error ? reject(error) : resolve());
      this.#binding(() => this.socket.connect(port, address, done));
      const core = this.socket[kState];
      if (core.queue !== undefined) core.pending?.tell({ settle: reject });
    });
  }

  send(msg: Message | readonly Message[], options: SendOptions): Promise<number>;
  send(msg: Message | readonly Message[], port: number, address?: string): Promise<number>;
  send(msg: Message | readonly Message[]): Promise<number>;
  /** @returns bytes, once the kernel has them. Rejects with the error that the callback gets, or that send() throws. */
  send(...args: [Message | readonly Message[], ...unknown[]]): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, bytes: number) => (error ? reject(error) : resolve(bytes));
      this.#binding(() => (this.socket.send as (...all: unknown[]) => void).call(this.socket, ...args, done));
    });
  }

  /** As Socket.reply(). @returns bytes */
  reply(msg: Message | readonly Message[], rinfo: ReplyTo): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#binding(() => this.socket.reply(msg, rinfo, (error, bytes) => (error ? reject(error) : resolve(bytes))));
    });
  }

  /**
   * As Socket.sendMany(). @returns how many datagrams the kernel took, which is all of them
   * Rejects with the first error, whose `sent` says how many went all the same.
   */
  sendMany(datagrams: Iterable<OutgoingDatagram>): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, sent: number) =>
        error ? reject(Object.assign(error, { sent })) : resolve(sent);
      this.#binding(() => this.socket.sendMany(datagrams, done));
    });
  }

  /** What was sent before it leaves first. Rejects with ERR_SOCKET_DGRAM_NOT_RUNNING where it is closed already. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      const core = this.socket[kState];
      if (core.closed) reject(notRunning());
      else {
        this.socket.once('close', resolve);
        closeInAnyCase(core);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket[Symbol.asyncDispose]();
  }

  /** Messages from now on, until the socket is closed. Leaving the loop closes it. */
  [Symbol.asyncIterator](): AsyncGenerator<Received, void, undefined> {
    const core = this.socket[kState];
    return new Messages(core, { highWaterMark: this.#highWaterMark, left: () => closeInAnyCase(core) });
  }

  /** The same, and the socket stays open when the loop is left. @throws the reason of a signal that has been aborted */
  messages({ signal, highWaterMark }: MessagesOptions = {}): AsyncGenerator<Received, void, undefined> {
    if (signal !== undefined && typeof signal.aborted !== 'boolean') {
      throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
    }
    const most = checkInteger('options.highWaterMark', highWaterMark ?? this.#highWaterMark, 1, UINT32_MAX);
    return new Messages(this.socket[kState], { highWaterMark: most, signal });
  }

  address(): AddressInfo {
    return this.socket.address();
  }

  remoteAddress(): AddressInfo {
    return this.socket.remoteAddress();
  }

  on<Name extends keyof SocketEvents>(name: Name, listener: (...args: SocketEvents[Name]) => void): this {
    this.socket.on(name, listener as never);
    return this;
  }

  once<Name extends keyof SocketEvents>(name: Name, listener: (...args: SocketEvents[Name]) => void): this {
    this.socket.once(name, listener as never);
    return this;
  }

  off<Name extends keyof SocketEvents>(name: Name, listener: (...args: SocketEvents[Name]) => void): this {
    this.socket.off(name, listener as never);
    return this;
  }

  ref(): this {
    this.socket.ref();
    return this;
  }

  unref(): this {
    this.socket.unref();
    return this;
  }

  /** Counters since the socket was made. A snapshot. */
  stats(): PromisesStats {
    return this.socket.stats();
  }

  /** For what a close() would have forgotten: it rejects then. */
  #untilClosed<Result>(
    start: (resolve: (result: Result) => void, reject: (reason: unknown) => void) => void,
  ): Promise<Result> {
    const { socket } = this;
    let closed = () => {};
    return new Promise<Result>((resolve, reject) => {
      closed = () => reject(notRunning());
      socket.once('close', closed);
      start(resolve, reject);
    }).finally(() => socket.off('close', closed));
  }

  /** Does what binds the socket if nobody has. An error of that bind() rejects, and ends no process as an 'error'. */
  #binding(action: () => void): void {
    const { socket } = this;
    if (socket[kState].bindState !== UNBOUND) {
      action();
      return;
    }
    const over = () => socket.off('error', over).off('listening', over).off('close', over);
    socket.on('error', over).on('listening', over).on('close', over);
    try {
      action();
    } finally {
      if (socket[kState].bindState === UNBOUND) over(); // it was refused
    }
  }
}
