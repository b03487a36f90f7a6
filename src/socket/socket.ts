/**
 * The Socket: every public name of dgram.Socket, and ours. It takes arguments apart and says what is wrong with them;
 * what then happens is its Lifecycle's, Dispatch's and multicast.ts' to know.
 */
import { AsyncResource } from 'node:async_hooks';
import { channel as diagnosticsChannel } from 'node:diagnostics_channel';
import { EventEmitter, on } from 'node:events';
import { promisify } from 'node:util';
import { type Engine, engineFor } from '../datagram/engine';
import { failure } from '../datagram/failure';
import type { Settle } from '../datagram/send-ring';
import { invalidArgType, missingArgs, notConnected } from '../errors';
import { openHost } from '../ffi/index';
import type { Platform } from '../platform/platform';
import type {
  AddressInfo,
  BindOptions,
  Message,
  MessageListener,
  OutgoingDatagram,
  ReceivedMessage,
  RemoteInfo,
  SendCallback,
  SendOptions,
  SocketOptions,
  SocketStats,
  SocketType,
} from '../types';
import { checkPort, payloadOf, sendArguments } from './arguments';
import { bufferSize } from './buffer-size';
import { Lifecycle } from './lifecycle';
import * as multicast from './multicast';
import { settings } from './options';
import { newStats } from './stats';

const created = diagnosticsChannel('udp.socket');

/** What one socket emits, beside dgram's own events. */
export interface SocketEvents {
  close: [];
  connect: [];
  error: [Error];
  listening: [];
  message: [Buffer, RemoteInfo];
  messages: [ReceivedMessage[]];
}

/** A UDP socket that knows where its datagrams were sent to. Everything node:dgram's Socket does, and more. */
export class Socket extends EventEmitter<SocketEvents> {
  readonly type: SocketType;
  readonly #resource = new AsyncResource('RECVFROMTO');
  readonly #stats = newStats();
  readonly #life: Lifecycle;
  readonly #platform: Platform;

  /**
   * @param engine for tests; the host's own otherwise
   * @throws ERR_SOCKET_BAD_TYPE and other errors of bad options; ERR_RECVFROMTO_UNSUPPORTED_PLATFORM
   */
  constructor(type: SocketType | SocketOptions, listener?: MessageListener, engine?: Engine) {
    super();
    const checked = settings(type);
    const { signal } = checked;
    this.type = checked.type;
    const opened = engine ?? engineFor(openHost());
    this.#platform = opened.host.platform;
    this.#life = new Lifecycle(this as EventEmitter, checked, opened, this.#resource, this.#stats);
    if (typeof listener === 'function') this.on('message', listener);
    if (signal !== undefined) this.#closeOn(signal);
    if (created.hasSubscribers) created.publish({ socket: this });
  }

  // ── binding ──────────────────────────────────────────────────────────────────────────────────────────────────────

  bind(port?: number | null, address?: string | null, callback?: () => void): this;
  bind(port: number | null | undefined, callback: () => void): this;
  bind(callback: () => void): this;
  bind(options: BindOptions, callback?: () => void): this;
  /**
   * Failures come as `'error'`.
   * @throws ERR_SOCKET_ALREADY_BOUND, ERR_SOCKET_DGRAM_NOT_RUNNING; ERR_SOCKET_BAD_PORT, where dgram would bind to the
   * port modulo 65536
   */
  bind(...args: unknown[]): this {
    const [first, second] = args;
    const options: BindOptions | undefined = first !== null && typeof first === 'object' ? first : undefined;
    const port = bindPort(options === undefined ? first : options.port);
    this.#life.beginBind();
    const callback = args.at(-1);
    if (typeof callback === 'function') this.#onceListening(callback as () => void);
    if (Number.isInteger(options?.fd) && (options?.fd as number) > 0) {
      this.#life.adopt(options?.fd as number);
      return this;
    }
    const host = options === undefined ? second : options.address;
    const any = this.type === 'udp4' ? '0.0.0.0' : '::';
    this.#life.bind(host && typeof host !== 'function' ? String(host) : any, port);
    return this;
  }

  /** @throws EBADF before the socket is bound, ERR_SOCKET_DGRAM_NOT_RUNNING */
  address(): AddressInfo {
    return this.#named(this.#life.health().localName(), 'getsockname');
  }

  // ── connecting ───────────────────────────────────────────────────────────────────────────────────────────────────

  connect(port: number, callback?: () => void): void;
  connect(port: number, address?: string, callback?: () => void): void;
  /** @throws ERR_SOCKET_BAD_PORT, ERR_SOCKET_DGRAM_IS_CONNECTED; failures come to the callback or as `'error'` */
  connect(port: unknown, address?: unknown, callback?: unknown): void {
    const to = checkPort(port, false);
    const after = typeof address === 'function' ? address : callback;
    const host = typeof address === 'function' || address === undefined ? '' : address;
    if (typeof host !== 'string') throw invalidArgType('address', 'of type string', host);
    this.#life.connect(to, host, typeof after === 'function' ? (after as () => void) : undefined);
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED */
  disconnect(): void {
    this.#life.disconnect();
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING */
  remoteAddress(): AddressInfo {
    const channel = this.#life.health();
    if (!this.#life.connected) throw notConnected();
    return this.#named(channel.peerName(), 'getpeername');
  }

  // ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

  send(msg: Message | readonly Message[], options: SendOptions, callback?: SendCallback): void;
  send(msg: Message | readonly Message[], port: number, address?: string | null, callback?: SendCallback): void;
  send(msg: Message | readonly Message[], port: number, callback?: SendCallback): void;
  send(msg: Message | readonly Message[], callback?: SendCallback): void;
  send(
    msg: Message,
    offset: number,
    length: number,
    port: number,
    address?: string | null,
    callback?: SendCallback,
  ): void;
  send(msg: Message, offset: number, length: number, port: number, callback?: SendCallback): void;
  send(msg: Message, offset: number, length: number, callback?: SendCallback): void;
  /**
   * Every overload of dgram's, and one with options. The bytes are copied before this returns. Errors of the kernel
   * come to the callback; without one they are dropped, as in dgram, and counted.
   * @throws ERR_INVALID_ARG_TYPE, ERR_BUFFER_OUT_OF_BOUNDS, ERR_SOCKET_BAD_PORT, ERR_SOCKET_DGRAM_NOT_RUNNING,
   * ERR_SOCKET_DGRAM_IS_CONNECTED, ERR_INVALID_IP_ADDRESS (localAddress), ERR_RECVFROMTO_SOURCE_MISMATCH
   */
  send(...args: unknown[]): void {
    const { payload, port, address, options, callback } = sendArguments(this.#life.connected, args);
    const settle = this.#bindCallback(callback);
    this.#life.outgoing((dispatch) => dispatch.send(payload, port, address, options, settle));
  }

  /**
   * Answers `rinfo.address:rinfo.port` from `rinfo.localAddress`: right for unicast, broadcast, multicast, IPv4-mapped
   * and link-local requests. What cannot be answered (port 0, a group as the sender, this socket itself) is an error
   * in the callback and never sent.
   * @throws ERR_INVALID_ARG_TYPE, ERR_SOCKET_DGRAM_NOT_RUNNING; ERR_INVALID_IP_ADDRESS, ERR_SOCKET_BAD_PORT for what is
   * no rinfo
   */
  reply(msg: Message | readonly Message[], rinfo: RemoteInfo, callback?: SendCallback): void {
    if (rinfo === null || typeof rinfo !== 'object') throw invalidArgType('rinfo', 'of type object', rinfo);
    const payload = payloadOf(msg);
    const settle = typeof callback === 'function' ? this.#bindCallback(callback) : undefined;
    const { dispatch } = this.#life;
    if (dispatch !== undefined) dispatch.reply(payload, rinfo, settle);
    else this.#life.outgoing((bound) => bound.reply(payload, rinfo, settle));
  }

  /**
   * Sends many datagrams with as few system calls as the OS allows. One that fails never stops the others.
   * `callback(error, sent)`: the first error or null, and how many datagrams the kernel took.
   * @throws as send(), for the first datagram that is malformed; none has been sent then
   */
  sendMany(datagrams: Iterable<OutgoingDatagram>, callback?: (error: Error | null, sent: number) => void): void {
    const connected = this.#life.connected;
    const all = Array.from(datagrams, ({ msg, ...options }) => sendArguments(connected, [msg, options]));
    let left = all.length;
    let sent = 0;
    let first: Error | null = null;
    const done = this.#bindCallback(callback);
    const settle: Settle = (error) => {
      if (error === null) sent++;
      else first ??= error;
      if (--left === 0) done?.(first, sent);
    };
    if (left === 0) this.#life.outgoing(() => process.nextTick(() => done?.(null, 0)));
    for (const { payload, port, address, options } of all) {
      this.#life.outgoing((dispatch) => dispatch.send(payload, port, address, options, settle));
    }
  }

  /** Bytes that wait to be sent. */
  getSendQueueSize(): number {
    return this.#life.flow?.sender.pendingBytes ?? 0;
  }

  /** Datagrams that wait to be sent. */
  getSendQueueCount(): number {
    return this.#life.flow?.sender.pending ?? 0;
  }

  // ── closing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What was sent before it leaves first. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  close(callback?: () => void): this {
    if (typeof callback === 'function') this.on('close', callback);
    this.#life.close();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#life.closed) await promisify((done: () => void) => this.close(done))();
  }

  /** Messages as `[msg, rinfo]`, from now until the socket is closed. Leaving the loop closes it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<[Buffer, RemoteInfo], void, undefined> {
    try {
      yield* on(this, 'message', { close: ['close'] }) as AsyncIterable<[Buffer, RemoteInfo]>;
    } finally {
      if (!this.#life.closed) this.close();
    }
  }

  ref(): this {
    this.#life.setRef(true);
    return this;
  }

  unref(): this {
    this.#life.setRef(false);
    return this;
  }

  /** Counters since the socket was made. A snapshot. */
  stats(): SocketStats {
    return { ...this.#stats };
  }

  // ── options of the socket ────────────────────────────────────────────────────────────────────────────────────────

  setBroadcast(flag: boolean): void {
    const { SOL_SOCKET, SO_BROADCAST } = this.#platform.constants;
    this.#check(this.#life.health().setInt(SOL_SOCKET, SO_BROADCAST, flag ? 1 : 0), 'setBroadcast');
  }

  setTTL(ttl: number): number {
    this.#check(multicast.setTTL(this.#life.health(), checkNumber('ttl', ttl)), 'setTTL');
    return ttl;
  }

  setMulticastTTL(ttl: number): number {
    this.#check(multicast.setMulticastTTL(this.#life.health(), checkNumber('ttl', ttl)), 'setMulticastTTL');
    return ttl;
  }

  setMulticastLoopback(flag: boolean): boolean {
    this.#check(multicast.setMulticastLoopback(this.#life.health(), Boolean(flag)), 'setMulticastLoopback');
    return flag;
  }

  setMulticastInterface(multicastInterface: string): void {
    const channel = this.#life.health();
    checkString('interfaceAddress', multicastInterface);
    this.#check(multicast.setMulticastInterface(channel, multicastInterface), 'setMulticastInterface');
  }

  addMembership(multicastAddress: string, multicastInterface?: string): void {
    this.#member('add', multicastAddress, multicastInterface);
  }

  dropMembership(multicastAddress: string, multicastInterface?: string): void {
    this.#member('drop', multicastAddress, multicastInterface);
  }

  addSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    this.#sourceMember('add', sourceAddress, groupAddress, multicastInterface);
  }

  dropSourceSpecificMembership(sourceAddress: string, groupAddress: string, multicastInterface?: string): void {
    this.#sourceMember('drop', sourceAddress, groupAddress, multicastInterface);
  }

  setRecvBufferSize(size: number): void {
    bufferSize(this.#life.health(), 'recv', size);
  }

  setSendBufferSize(size: number): void {
    bufferSize(this.#life.health(), 'send', size);
  }

  getRecvBufferSize(): number {
    return bufferSize(this.#life.health(), 'recv', 0);
  }

  getSendBufferSize(): number {
    return bufferSize(this.#life.health(), 'send', 0);
  }

  // ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #check(result: number, syscall: string): void {
    if (result < 0) throw failure(this.#platform, result, syscall);
  }

  #named(name: AddressInfo | number, syscall: string): AddressInfo {
    if (typeof name === 'number') throw failure(this.#platform, name, syscall);
    return name;
  }

  /** As bind(port, callback) does: called at 'listening', forgotten after an error. */
  #onceListening(callback: () => void): void {
    const forget = () => {
      this.removeListener('error', forget);
      this.removeListener('listening', listening);
    };
    const listening = () => {
      forget();
      callback.call(this);
    };
    this.on('error', forget);
    this.on('listening', listening);
  }

  /** In the async context of the call, as dgram's SendWrap does. */
  #bindCallback<Callback extends (...args: never[]) => void>(callback: Callback | undefined): Callback | undefined {
    return callback && (AsyncResource.bind(callback as () => void, 'RECVFROMTOSEND') as unknown as Callback);
  }

  #member(change: 'add' | 'drop', group: string, local: string | undefined): void {
    const channel = this.#life.health();
    const syscall = `${change}Membership`;
    if (!group) throw missingArgs('multicastAddress');
    this.#check(this.#life.openEarly(), syscall);
    this.#check(multicast.changeMembership(channel, change, String(group), local), syscall);
  }

  #sourceMember(change: 'add' | 'drop', source: string, group: string, local: string | undefined): void {
    const channel = this.#life.health();
    const syscall = `${change}SourceSpecificMembership`;
    checkString('sourceAddress', source);
    checkString('groupAddress', group);
    this.#check(this.#life.openEarly(), syscall);
    this.#check(multicast.changeSourceMembership(channel, change, source, group, local), syscall);
  }

  #closeOn(signal: AbortSignal): void {
    const close = () => {
      if (!this.#life.closed) this.close();
    };
    if (signal.aborted) {
      close();
      return;
    }
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
  }
}

/** As lenient as dgram with what is no number (null, undefined, a callback: any port), but a number must be a port. */
function bindPort(port: unknown): number {
  if (typeof port === 'number') return checkPort(port, true);
  const number = typeof port === 'string' ? Number(port) : 0;
  return Number.isNaN(number) ? 0 : checkPort(number, true);
}

function checkNumber(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  return value;
}

function checkString(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}
