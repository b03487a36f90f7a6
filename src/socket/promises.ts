/**
 * Sockets whose bind(), connect(), send(), reply(), sendMany() and close() return promises, and whose messages are read
 * with `for await`. Around a Socket with callbacks, which does the work and is there for all else.
 */
import { invalidArgType } from '../errors';
import type {
  AddressInfo,
  BindOptions,
  Message,
  MessageBuffer,
  OutgoingDatagram,
  RemoteInfo,
  ReplyTo,
  SendOptions,
  SocketEvents,
  SocketOptions,
  SocketStats,
  SocketType,
} from '../types';
import { kState } from './core';
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

/** The counters of a Socket, and what no loop has read. */
export interface PromisesStats extends SocketStats {
  /** Messages that no loop has read, because as many as `highWaterMark` waited already. */
  unread: number;
}

type Received = [msg: MessageBuffer, rinfo: RemoteInfo];

const HIGH_WATER_MARK = 1024;
const UINT32_MAX = 0xffff_ffff;

/** A UDP socket whose methods return promises; `socket` is the one with callbacks, which does the work. */
export class Socket {
  /** The socket with callbacks: every other member of it may be used as well. */
  readonly socket: CallbackSocket;
  readonly #highWaterMark: number;
  #unread = 0;

  /** @throws ERR_SOCKET_BAD_TYPE and other errors of bad options; ERR_RECVFROMTO_UNSUPPORTED_PLATFORM */
  constructor(type: SocketType | PromisesOptions) {
    const given = type !== null && typeof type === 'object' ? type.highWaterMark : undefined;
    this.#highWaterMark = checkInteger('options.highWaterMark', given ?? HIGH_WATER_MARK, 1, UINT32_MAX);
    this.socket = new CallbackSocket(type);
  }

  /** @returns where it is bound. @throws as Socket.bind(); rejects with the error of `'error'` */
  bind(port?: number, address?: string): Promise<AddressInfo>;
  bind(options: BindOptions): Promise<AddressInfo>;
  bind(first?: number | BindOptions, address?: string): Promise<AddressInfo> {
    const { socket } = this;
    return new Promise((resolve, reject) => {
      const listening = () => {
        socket.off('error', failed);
        resolve(socket.address());
      };
      const failed = (error: Error) => {
        socket.off('listening', listening);
        reject(error);
      };
      socket.once('error', failed).once('listening', listening);
      try {
        if (typeof first === 'object') socket.bind(first);
        else socket.bind(first, address);
      } catch (error) {
        socket.off('error', failed).off('listening', listening);
        reject(error);
      }
    });
  }

  /** Rejects with the error that the callback gets. */
  connect(port: number, address?: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: Error) => (error ? reject(error) : resolve());
      if (address === undefined) this.socket.connect(port, done);
      else this.socket.connect(port, address, done);
    });
  }

  send(msg: Message | readonly Message[], options: SendOptions): Promise<number>;
  send(msg: Message | readonly Message[], port: number, address?: string): Promise<number>;
  send(msg: Message | readonly Message[]): Promise<number>;
  /** @returns bytes, once the kernel has them. Rejects with the error that the callback gets, or that send() throws. */
  send(...args: [Message | readonly Message[], ...unknown[]]): Promise<number> {
    return new Promise((resolve, reject) => {
      const done = (error: Error | null, bytes: number) => (error ? reject(error) : resolve(bytes));
      (this.socket.send as (...all: unknown[]) => void).call(this.socket, ...args, done);
    });
  }

  /** As Socket.reply(). @returns bytes */
  reply(msg: Message | readonly Message[], rinfo: ReplyTo): Promise<number> {
    return new Promise((resolve, reject) => {
      this.socket.reply(msg, rinfo, (error, bytes) => (error ? reject(error) : resolve(bytes)));
    });
  }

  /**
   * As Socket.sendMany(). @returns how many datagrams the kernel took, which is all of them
   * Rejects with the first error, whose `sent` says how many went all the same.
   */
  sendMany(datagrams: Iterable<OutgoingDatagram>): Promise<number> {
    return new Promise((resolve, reject) => {
      this.socket.sendMany(datagrams, (error, sent) =>
        error ? reject(Object.assign(error, { sent })) : resolve(sent),
      );
    });
  }

  /** What was sent before it leaves first. Rejects with ERR_SOCKET_DGRAM_NOT_RUNNING where it is closed already. */
  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      try {
        this.socket.close(resolve);
      } catch (error) {
        reject(error);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.socket[Symbol.asyncDispose]();
  }

  /** Messages from now on, until the socket is closed. Leaving the loop closes it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Received, void, undefined> {
    try {
      yield* this.messages();
    } finally {
      if (!this.socket[kState].closed) this.socket.close(); // it may not be bound yet
    }
  }

  /** The same, and the socket stays open when the loop is left. */
  async *messages({ signal, highWaterMark }: MessagesOptions = {}): AsyncGenerator<Received, void, undefined> {
    if (signal !== undefined && typeof signal.aborted !== 'boolean') {
      throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
    }
    const most = checkInteger('options.highWaterMark', highWaterMark ?? this.#highWaterMark, 1, UINT32_MAX);
    const { socket } = this;
    const waiting: Received[] = [];
    let ended = false;
    let failure: unknown;
    let wake = (): void => {};
    const end = (reason?: unknown) => {
      ended = true;
      failure = reason;
      wake();
    };
    const message = (...received: Received) => {
      if (waiting.length >= most) this.#unread++;
      else waiting.push(received);
      wake();
    };
    const closed = () => end();
    const failed = (error: Error) => end(error);
    const aborted = () => end(signal?.reason);
    signal?.throwIfAborted();
    socket.on('message', message).on('close', closed).on('error', failed);
    signal?.addEventListener('abort', aborted, { once: true });
    try {
      for (;;) {
        const [next] = waiting;
        if (next !== undefined) {
          waiting.shift();
          yield next;
        } else if (ended) {
          if (failure !== undefined) throw failure;
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      socket.off('message', message).off('close', closed).off('error', failed);
      signal?.removeEventListener('abort', aborted);
    }
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
    return { ...this.socket.stats(), unread: this.#unread };
  }
}
