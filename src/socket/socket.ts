/**
 * The Socket: dgram.Socket's states, events and rules (lib/dgram.js is the contract), around a channel and a flow.
 * It knows no bytes. What a method shares with another socket kind, or needs more than a few lines, stands beside it.
 */
import { AsyncResource } from 'node:async_hooks';
import { channel as diagnosticsChannel } from 'node:diagnostics_channel';
import { EventEmitter, errorMonitor, on } from 'node:events';
import { promisify } from 'node:util';
import { Channel } from '../datagram/channel';
import { type Engine, engineFor } from '../datagram/engine';
import { failure } from '../datagram/failure';
import type { Settle } from '../datagram/send-ring';
import {
  alreadyBound,
  alreadyConnected,
  invalidArgType,
  ipBlocked,
  missingArgs,
  notConnected,
  notRunning,
} from '../errors';
import { openHost } from '../ffi/index';
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
import { Dispatch } from './dispatch';
import { Flow } from './flow';
import { Lookup } from './lookup';
import * as multicast from './multicast';
import { type Settings, settings } from './options';
import { newStats } from './stats';
import { Turn } from './turn';

type BindState = 'unbound' | 'binding' | 'bound';
type ConnectState = 'disconnected' | 'connecting' | 'connected';

const created = diagnosticsChannel('udp.socket');
const turns = new WeakMap<Engine, Turn>();

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
  readonly #settings: Settings;
  readonly #engine: Engine;
  readonly #turn: Turn;
  readonly #lookup: Lookup;
  readonly #resource = new AsyncResource('RECVFROMTO');
  readonly #stats = newStats();
  #channel: Channel | undefined;
  #flow: Flow | undefined;
  #dispatch: Dispatch | undefined;
  #bindState: BindState = 'unbound';
  #connectState: ConnectState = 'disconnected';
  #refed = true;
  /** What waits for 'listening'. */
  #queue: (() => void)[] | undefined;

  /**
   * @param engine for tests; the host's own otherwise
   * @throws ERR_SOCKET_BAD_TYPE and other errors of bad options; ERR_RECVFROMTO_UNSUPPORTED_PLATFORM
   */
  constructor(type: SocketType | SocketOptions, listener?: MessageListener, engine?: Engine) {
    super();
    this.#settings = settings(type);
    this.type = this.#settings.type;
    this.#engine = engine ?? engineFor(openHost());
    this.#turn = turnOf(this.#engine);
    this.#channel = new Channel(this.#engine, this.#settings.kind);
    this.#lookup = new Lookup(this.#channel.family, this.#settings.lookup);
    if (typeof listener === 'function') this.on('message', listener);
    if (this.#settings.signal !== undefined) this.#closeOn(this.#settings.signal);
    if (created.hasSubscribers) created.publish({ socket: this });
  }

  // ── binding ──────────────────────────────────────────────────────────────────────────────────────────────────────

  bind(port?: number | null, address?: string | null, callback?: () => void): this;
  bind(port: number | null | undefined, callback: () => void): this;
  bind(callback: () => void): this;
  bind(options: BindOptions, callback?: () => void): this;
  /** @throws ERR_SOCKET_ALREADY_BOUND, ERR_SOCKET_DGRAM_NOT_RUNNING; failures come as `'error'` */
  bind(...args: unknown[]): this {
    const channel = this.#health();
    if (this.#bindState !== 'unbound') throw alreadyBound();
    this.#bindState = 'binding';
    const callback = args.at(-1);
    if (typeof callback === 'function') this.#onceListening(callback as () => void);
    const [first, second] = args;
    const options: BindOptions = first !== null && typeof first === 'object' ? first : {};
    if (Number.isInteger(options.fd) && (options.fd as number) > 0) {
      this.#adopt(channel, options.fd as number);
      return this;
    }
    const given = first !== null && typeof first === 'object' ? options.address : second;
    const port = first !== null && typeof first === 'object' ? options.port : first;
    const address = given && typeof given !== 'function' ? String(given) : this.type === 'udp4' ? '0.0.0.0' : '::';
    this.#resolve(address, (error, ip) => {
      if (this.#channel === undefined) return; // closed in the meantime
      if (error === null) this.#open(channel, ip, typeof port === 'function' ? 0 : port);
      else this.#bindFailed(error);
    });
    return this;
  }

  /** @throws EBADF before the socket is bound, ERR_SOCKET_DGRAM_NOT_RUNNING */
  address(): AddressInfo {
    return this.#named(this.#health().localName(), 'getsockname');
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
    if (this.#connectState !== 'disconnected') throw alreadyConnected();
    this.#health();
    this.#connectState = 'connecting';
    if (this.#bindState === 'unbound') this.bind({ port: 0, exclusive: true });
    this.#whenBound(() => this.#connect(to, host, typeof after === 'function' ? (after as () => void) : undefined));
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED */
  disconnect(): void {
    if (this.#connectState !== 'connected') throw notConnected();
    this.#check(this.#health().disconnect(), 'connect');
    this.#connectState = 'disconnected';
    if (this.#dispatch !== undefined) this.#dispatch.peer = undefined;
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING */
  remoteAddress(): AddressInfo {
    const channel = this.#health();
    if (this.#connectState !== 'connected') throw notConnected();
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
    const { payload, port, address, options, callback } = sendArguments(this.#connectState === 'connected', args);
    const settle = this.#bindCallback(callback);
    this.#outgoing((dispatch) => dispatch.send(payload, port, address, options, settle));
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
    if (this.#dispatch !== undefined) this.#dispatch.reply(payload, rinfo, settle);
    else this.#outgoing((dispatch) => dispatch.reply(payload, rinfo, settle));
  }

  /**
   * Sends many datagrams with as few system calls as the OS allows. One that fails never stops the others.
   * `callback(error, sent)`: the first error or null, and how many datagrams the kernel took.
   * @throws as send(), for the first datagram that is malformed; none has been sent then
   */
  sendMany(datagrams: Iterable<OutgoingDatagram>, callback?: (error: Error | null, sent: number) => void): void {
    const connected = this.#connectState === 'connected';
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
    if (left === 0) this.#outgoing(() => process.nextTick(() => done?.(null, 0)));
    for (const { payload, port, address, options } of all) {
      this.#outgoing((dispatch) => dispatch.send(payload, port, address, options, settle));
    }
  }

  /** Bytes that wait to be sent. */
  getSendQueueSize(): number {
    return this.#flow?.sender.pendingBytes ?? 0;
  }

  /** Datagrams that wait to be sent. */
  getSendQueueCount(): number {
    return this.#flow?.sender.pending ?? 0;
  }

  // ── closing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What was sent before it leaves first. @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  close(callback?: () => void): this {
    if (typeof callback === 'function') this.on('close', callback);
    if (this.#queue !== undefined) {
      this.#queue.push(() => this.close());
      return this;
    }
    const channel = this.#health();
    this.#flow?.close();
    channel.close();
    this.#channel = undefined;
    this.#flow = undefined;
    this.#dispatch = undefined;
    process.nextTick(() => this.#resource.runInAsyncScope(() => this.emit('close')));
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#channel !== undefined) await promisify((done: () => void) => this.close(done))();
  }

  /** Messages as `[msg, rinfo]`, from now until the socket is closed. Leaving the loop closes it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<[Buffer, RemoteInfo], void, undefined> {
    try {
      yield* on(this, 'message', { close: ['close'] }) as AsyncIterable<[Buffer, RemoteInfo]>;
    } finally {
      if (this.#channel !== undefined) this.close();
    }
  }

  ref(): this {
    this.#refed = true;
    this.#flow?.ref();
    return this;
  }

  unref(): this {
    this.#refed = false;
    this.#flow?.unref();
    return this;
  }

  /** Counters since the socket was made. A snapshot. */
  stats(): SocketStats {
    return { ...this.#stats };
  }

  // ── options of the socket ────────────────────────────────────────────────────────────────────────────────────────

  setBroadcast(flag: boolean): void {
    const { SOL_SOCKET, SO_BROADCAST } = this.#engine.host.platform.constants;
    this.#check(this.#health().setInt(SOL_SOCKET, SO_BROADCAST, flag ? 1 : 0), 'setBroadcast');
  }

  setTTL(ttl: number): number {
    this.#check(multicast.setTTL(this.#health(), checkNumber('ttl', ttl)), 'setTTL');
    return ttl;
  }

  setMulticastTTL(ttl: number): number {
    this.#check(multicast.setMulticastTTL(this.#health(), checkNumber('ttl', ttl)), 'setMulticastTTL');
    return ttl;
  }

  setMulticastLoopback(flag: boolean): boolean {
    this.#check(multicast.setMulticastLoopback(this.#health(), Boolean(flag)), 'setMulticastLoopback');
    return flag;
  }

  setMulticastInterface(multicastInterface: string): void {
    const channel = this.#health();
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
    bufferSize(this.#health(), 'recv', size);
  }

  setSendBufferSize(size: number): void {
    bufferSize(this.#health(), 'send', size);
  }

  getRecvBufferSize(): number {
    return bufferSize(this.#health(), 'recv', 0);
  }

  getSendBufferSize(): number {
    return bufferSize(this.#health(), 'send', 0);
  }

  // ── inside ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #health(): Channel {
    if (this.#channel === undefined) throw notRunning();
    return this.#channel;
  }

  #check(result: number, syscall: string): void {
    if (result < 0) throw failure(this.#engine.host.platform, result, syscall);
  }

  #named(name: AddressInfo | number, syscall: string): AddressInfo {
    if (typeof name === 'number') throw failure(this.#engine.host.platform, name, syscall);
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

  /** Calls back on a later tick, with a literal as it is. */
  #resolve(host: string, found: (error: Error | null, ip: string) => void): void {
    const literal = this.#lookup.literal(host);
    if (literal === undefined) this.#lookup.find(host, found);
    else process.nextTick(found, null, literal);
  }

  #open(channel: Channel, ip: string, port: unknown): void {
    const { platform } = this.#engine.host;
    const end = this.#engine.names.endpoint(ip);
    const number = Number(port ?? 0) & 0xffff;
    let result = end === undefined || end.family !== channel.family ? -platform.errno.EINVAL : 0;
    if (result === 0 && channel.fd < 0) result = channel.open(this.#settings);
    if (result === 0 && end !== undefined) result = channel.bind(end, number);
    if (result < 0) {
      channel.close();
      this.#bindFailed(failure(platform, result, 'bind', { address: ip, port: Number(port ?? 0) }));
      return;
    }
    this.#startListening(channel);
  }

  #adopt(channel: Channel, fd: number): void {
    const result = channel.adopt(fd, this.#settings);
    if (result < 0) {
      this.#bindState = 'unbound';
      throw failure(this.#engine.host.platform, result, 'open');
    }
    this.#startListening(channel);
  }

  #bindFailed(error: Error): void {
    this.#bindState = 'unbound';
    this.emit('error', error);
  }

  #startListening(channel: Channel): void {
    const { recvBufferSize, sendBufferSize } = this.#settings;
    const flow = new Flow(channel, this.#settings, this.#stats, this.#turn, this.#resource, this.#audience());
    flow.start(this.#refed);
    this.#flow = flow;
    this.#dispatch = new Dispatch(
      channel,
      flow.sender,
      this.#settings,
      this.#turn,
      this.#lookup,
      this.#stats,
      (error) => this.emit('error', error),
    );
    this.#bindState = 'bound';
    if (recvBufferSize) bufferSize(channel, 'recv', recvBufferSize);
    if (sendBufferSize) bufferSize(channel, 'send', sendBufferSize);
    this.emit('listening');
  }

  #audience() {
    const emitBatch = (batch: ReceivedMessage[]) => this.emit('messages', batch);
    const socket = this;
    return {
      message: (msg: Buffer, rinfo: RemoteInfo) => void socket.emit('message', msg, rinfo),
      error: (error: Error) => void socket.emit('error', error),
      get batches() {
        return socket.listenerCount('messages') > 0 ? emitBatch : undefined;
      },
    };
  }

  #connect(port: number, host: string, callback: (() => void) | undefined): void {
    if (callback !== undefined) this.once('connect', callback);
    this.#resolve(host, (lookupError, ip) => {
      const channel = this.#channel;
      if (channel === undefined) return;
      const error = lookupError ?? this.#connectTo(channel, ip, host, port);
      if (error === undefined) {
        this.#connectState = 'connected';
        process.nextTick(() => this.emit('connect'));
        return;
      }
      this.#connectState = 'disconnected';
      process.nextTick(() => {
        if (callback === undefined) {
          this.emit('error', error);
          return;
        }
        this.removeListener('connect', callback);
        (callback as (error: Error) => void)(error);
      });
    });
  }

  #connectTo(channel: Channel, ip: string, host: string, port: number): Error | undefined {
    const { platform } = this.#engine.host;
    const end = this.#engine.names.endpoint(ip);
    if (this.#settings.sendBlockList?.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4')) return ipBlocked(ip);
    const wrong = end === undefined || end.family !== channel.family;
    const result = wrong ? -platform.errno.EINVAL : channel.connect(end, port);
    if (result < 0) return failure(platform, result, 'connect', { address: host, port });
    if (this.#dispatch !== undefined) this.#dispatch.peer = end;
    return undefined;
  }

  /** Binds first where that is not done, as dgram does; runs at once where it is. */
  #outgoing(action: (dispatch: Dispatch) => void): void {
    this.#health();
    if (this.#bindState === 'unbound') this.bind({ port: 0, exclusive: true });
    this.#whenBound(() => {
      if (this.#dispatch !== undefined) action(this.#dispatch);
    });
  }

  #whenBound(action: () => void): void {
    if (this.#bindState === 'bound') {
      action();
      return;
    }
    if (this.#queue === undefined) {
      this.#queue = [];
      this.once(errorMonitor as unknown as 'error', this.#dropQueue);
      this.once('listening', this.#runQueue);
    }
    this.#queue.push(action);
  }

  readonly #runQueue = (): void => {
    this.removeListener(errorMonitor as unknown as 'error', this.#dropQueue);
    const queue = this.#queue ?? [];
    this.#queue = undefined;
    for (const action of queue) action();
  };

  readonly #dropQueue = (): void => {
    this.removeListener('listening', this.#runQueue);
    this.#queue = undefined;
  };

  /** In the async context of the call, as dgram's SendWrap does. */
  #bindCallback<Callback extends (...args: never[]) => void>(callback: Callback | undefined): Callback | undefined {
    return callback && (AsyncResource.bind(callback as () => void, 'RECVFROMTOSEND') as unknown as Callback);
  }

  #member(change: 'add' | 'drop', group: string, local: string | undefined): void {
    const channel = this.#health();
    const syscall = `${change}Membership`;
    if (!group) throw missingArgs('multicastAddress');
    this.#check(this.#openEarly(channel), syscall);
    this.#check(multicast.changeMembership(channel, change, String(group), local), syscall);
  }

  #sourceMember(change: 'add' | 'drop', source: string, group: string, local: string | undefined): void {
    const channel = this.#health();
    const syscall = `${change}SourceSpecificMembership`;
    checkString('sourceAddress', source);
    checkString('groupAddress', group);
    this.#check(this.#openEarly(channel), syscall);
    this.#check(multicast.changeSourceMembership(channel, change, source, group, local), syscall);
  }

  /** A membership needs a bound descriptor: libuv binds to any port then (uv__udp_maybe_deferred_bind), and so do we. */
  #openEarly(channel: Channel): number {
    if (channel.fd >= 0) return 0;
    return channel.open({ ...this.#settings, reuseAddr: true }) || channel.bindAny();
  }

  #closeOn(signal: AbortSignal): void {
    const close = () => {
      if (this.#channel !== undefined) this.close();
    };
    if (signal.aborted) {
      close();
      return;
    }
    signal.addEventListener('abort', close, { once: true });
    this.once('close', () => signal.removeEventListener('abort', close));
  }
}

function turnOf(engine: Engine): Turn {
  let turn = turns.get(engine);
  if (turn === undefined) {
    turn = new Turn();
    turns.set(engine, turn);
  }
  return turn;
}

function checkNumber(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  return value;
}

function checkString(name: string, value: unknown): void {
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
}
