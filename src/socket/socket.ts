/**
 * The Socket: every public name of dgram.Socket, and ours. It takes arguments apart and says what is wrong with them;
 * life/, in/ and out/ do the rest. What is set on the descriptor is in tuned.ts.
 */
import { channel as diagnosticsChannel } from 'node:diagnostics_channel';
import { isIPText } from '../address/ip';
import type { Engine } from '../datagram/engine';
import { engineFor } from '../datagram/engines';
import { failure } from '../datagram/failure';
import { alreadyBound, alreadyConnected, invalidArgType, invalidArgValue, notConnected } from '../errors';
import { openHost } from '../ffi/index';
import type {
  AddressInfo,
  BindOptions,
  MessageBuffer,
  MessageListener,
  RemoteInfo,
  ReplyTo,
  SocketOptions,
  SocketStats,
  SocketType,
} from '../types';
import { bindArguments, checkPort } from './arguments';
import { BOUND, CONNECTED, Core, DISCONNECTED, kState, UNBOUND } from './core';
import { callable } from './dgram/callable';
import { defineDeprecatedNames } from './dgram/deprecated';
import { bindFailureEvent, DgramSocket, hasDeprecatedNames } from './dgram/node-line';
import { adopt, adoptHandle, beginBind, bind, bindSync, close, closeInAnyCase } from './life/bind';
import { connect, connectSync, disconnect } from './life/connect';
import { closeOn } from './life/signal';
import { splitOff } from './life/split';
import { HIGH_WATER_MARK, Messages } from './messages';
import { settings } from './options';
import { Sending } from './sending';

const created = diagnosticsChannel('udp.socket');

class DatagramSocket extends Sending {
  declare readonly type: SocketType;

  /** Fits no call. dgram's types say that its Socket takes nothing, and `typeof Socket` is to fit where theirs does. */
  constructor(...nothing: never);
  /** @throws ERR_SOCKET_BAD_TYPE and other errors of bad options; ERR_RECVFROMTO_UNSUPPORTED_PLATFORM */
  constructor(type: SocketType | SocketOptions, listener?: MessageListener);
  /** @internal for tests: an engine instead of the host's own */
  constructor(type: SocketType | SocketOptions, listener: MessageListener | undefined, engine: Engine | undefined);
  constructor(...given: unknown[]) {
    super();
    initialise(this, given);
  }

  // ── binding ──────────────────────────────────────────────────────────────────────────────────────────────────────

  bind(port?: number | null, address?: string | null, callback?: () => void): this;
  bind(port: number | null | undefined, callback: () => void): this;
  bind(callback: () => void): this;
  bind(options: BindOptions, callback?: (() => void) | null): this;
  /**
   * Failures come as `'error'`.
   * @throws ERR_SOCKET_ALREADY_BOUND, ERR_SOCKET_DGRAM_NOT_RUNNING; ERR_INVALID_FD_TYPE; ERR_SOCKET_BAD_PORT, where
   * dgram would bind to the port modulo 65536
   */
  bind(...args: unknown[]): this {
    const core = this[kState];
    core.openChannel();
    const wanted = bindArguments(args);
    beginBind(core);
    const callback = args.at(-1);
    if (typeof callback === 'function') onceListening(this, callback as () => void);
    if (wanted.handle !== undefined) adoptHandle(core, wanted.handle);
    else if (wanted.fd !== undefined) adopt(core, wanted.fd, wanted.exclusive);
    else bind(core, wanted.address || anyAddress(this), wanted.port, wanted.given, wanted.exclusive);
    return this;
  }

  /**
   * bind() to a literal address, at once; `'listening'` follows on the next tick.
   * @throws what bind() throws, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE; the kernel's errors
   */
  bindSync(options: { port?: number | undefined; address?: string | undefined } = {}): AddressInfo {
    const core = this[kState];
    core.openChannel();
    if (options === null || typeof options !== 'object' || Array.isArray(options)) {
      throw invalidArgType('options', 'of type object', options);
    }
    if (core.bindState !== UNBOUND) throw alreadyBound();
    const port = checkPort(options.port ?? 0, true, 'options.port');
    const address = literal('options.address', options.address || anyAddress(this), 'bindSync');
    beginBind(core);
    bindSync(core, address, port);
    return this.address();
  }

  /** @throws EBADF before the socket is bound, ERR_SOCKET_DGRAM_NOT_RUNNING */
  address(): AddressInfo {
    return named(this, this[kState].openChannel().localName(), 'getsockname');
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
    connect(this[kState], to, host, after as (() => void) | undefined);
  }

  /**
   * connect() to a literal address, at once; `'connect'` follows on the next tick.
   * @throws what connect() and bindSync() throw; ERR_IP_BLOCKED; the kernel's errors
   */
  connectSync(port: number, address?: string | null): void {
    const core = this[kState];
    core.openChannel();
    const to = checkPort(port, false);
    if (core.connectState !== DISCONNECTED) throw alreadyConnected();
    const loopback = this.type === 'udp4' ? '127.0.0.1' : '::1';
    const host = address === undefined || address === null || address === '' ? loopback : address;
    const ip = literal('address', host, 'connectSync');
    if (core.bindState === UNBOUND) this.bindSync();
    else if (core.bindState !== BOUND) throw alreadyBound();
    connectSync(core, to, ip);
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED */
  disconnect(): void {
    disconnect(this[kState]);
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING */
  remoteAddress(): AddressInfo {
    const core = this[kState];
    const channel = core.openChannel();
    if (core.connectState !== CONNECTED) throw notConnected();
    return named(this, channel.peerName(), 'getpeername');
  }

  /**
   * A socket of its own for one peer, connected to it and bound to the address that it asked: what it sends from now on comes
   * there. For peers that stay (QUIC, DTLS, TFTP).
   * @throws ERR_INVALID_IP_ADDRESS, ERR_SOCKET_BAD_PORT; ERR_RECVFROMTO_UNANSWERABLE; the kernel's errors; ENOTSUP where the
   * descriptor is shared with others
   */
  split(rinfo: ReplyTo, listener?: MessageListener): Socket {
    const core = this[kState];
    core.openChannel();
    const { given, registered } = core.settings;
    const child = Reflect.construct(Socket, [given, listener, core.engine, registered]) as DatagramSocket;
    try {
      splitOff(core, child[kState], rinfo);
    } catch (error) {
      child[kState].end();
      throw error;
    }
    return child;
  }

  // ── flow ─────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Stops reading: the kernel's queue holds what it can, and the rest is lost. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  pause(): this {
    this[kState].openChannel();
    this[kState].listen(false);
    return this;
  }

  /** Reads again. What had been received before pause() comes first. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  resume(): this {
    this[kState].openChannel();
    this[kState].listen(true);
    return this;
  }

  /** Its descriptor, such as a child's `stdio` takes; -1 before bind() and after close(). */
  get fd(): number {
    const { closed, channel } = this[kState];
    return closed ? -1 : channel.fd;
  }

  // ── closing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What was sent before it leaves first. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  close(callback?: () => void): this {
    if (typeof callback === 'function') this.on('close', callback);
    close(this[kState]);
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const core = this[kState];
    if (core.closed) return;
    await new Promise<void>((done) => {
      this.once('close', done);
      closeInAnyCase(core);
    });
  }

  /**
   * Messages as `[msg, rinfo]`, from now until the socket is closed. Leaving the loop closes it. What comes while 1024 wait
   * unread is dropped, and counted (`stats().unread`).
   */
  [Symbol.asyncIterator](): AsyncGenerator<[MessageBuffer, RemoteInfo], void, undefined> {
    const core = this[kState];
    return new Messages(core, { highWaterMark: HIGH_WATER_MARK, left: () => closeInAnyCase(core) });
  }

  ref(): this {
    this[kState].setRef(true);
    return this;
  }

  unref(): this {
    this[kState].setRef(false);
    return this;
  }

  /** Counters since the socket was made. A snapshot. */
  stats(): SocketStats {
    const { stats } = this[kState];
    return { ...stats, errors: { ...stats.errors } };
  }
}

function initialise(self: DatagramSocket, [type, listener, engine, registered]: Iterable<unknown>): void {
  const checked = settings(type as SocketType | SocketOptions, registered === true);
  const core = new Core(self, checked, (engine as Engine | undefined) ?? engineFor(openHost()));
  (self as { type: SocketType }).type = checked.type;
  Object.defineProperty(self, kState, { value: core, writable: true, configurable: true }); // hidden from console.log(socket)
  if (typeof listener === 'function') self.on('message', listener as MessageListener);
  if (checked.signal !== undefined) closeOn(self, checked.signal, () => closeInAnyCase(core));
  if (created.hasSubscribers) created.publish({ socket: self });
}

/** A UDP socket that knows where its datagrams were sent to. Everything node:dgram's Socket does, and more. */
export type Socket = DatagramSocket;
export const Socket = callable('Socket', DatagramSocket, initialise, DgramSocket);
if (hasDeprecatedNames) defineDeprecatedNames(Socket.prototype);

function anyAddress({ type }: DatagramSocket): string {
  return type === 'udp4' ? '0.0.0.0' : '::';
}

function literal(name: string, address: unknown, method: string): string {
  if (typeof address !== 'string') throw invalidArgType(name, 'of type string', address);
  if (isIPText(address)) return address;
  throw invalidArgValue(name, address, `must be a numeric IP address; ${method} does not perform DNS resolution`);
}

function named(socket: DatagramSocket, name: AddressInfo | number, syscall: string): AddressInfo {
  if (typeof name === 'number') throw failure(socket[kState].engine.host.platform, name, syscall);
  return name;
}

/** As bind(port, callback) does: called at 'listening', forgotten after an error. */
function onceListening(socket: DatagramSocket, callback: () => void): void {
  const failed = bindFailureEvent() as 'error';
  const forget = () => {
    socket.removeListener(failed, forget);
    socket.removeListener('listening', listening);
  };
  const listening = () => {
    forget();
    callback.call(socket);
  };
  socket.on(failed, forget);
  socket.on('listening', listening);
}
