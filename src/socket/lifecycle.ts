/**
 * A socket's life: unbound, binding, bound, connected, closed, with dgram's order of events (lib/dgram.js) and the
 * queue of what waits for 'listening'. It opens and closes the descriptor and what hangs on it; the Socket around it
 * takes arguments apart and has the public names.
 */
import type { AsyncResource } from 'node:async_hooks';
import { type EventEmitter, errorMonitor } from 'node:events';
import { ANY, Channel } from '../datagram/channel';
import type { Endpoint } from '../datagram/endpoint';
import type { Engine } from '../datagram/engine';
import { failure } from '../datagram/failure';
import type { SocketAddress } from '../datagram/sockaddr';
import { alreadyBound, alreadyConnected, ipBlocked, notConnected, notRunning } from '../errors';
import type { ReceivedMessage, RemoteInfo, SocketStats } from '../types';
import { bufferSize } from './buffer-size';
import { Dispatch } from './dispatch';
import { type Audience, Flow } from './flow';
import { Lookup } from './lookup';
import type { Settings } from './options';
import { Sticky } from './sticky';
import { Turn } from './turn';

type BindState = 'unbound' | 'binding' | 'bound';
type ConnectState = 'disconnected' | 'connecting' | 'connected';

const turns = new WeakMap<Engine, Turn>();

export class Lifecycle {
  readonly #socket: EventEmitter;
  readonly #settings: Settings;
  readonly #engine: Engine;
  readonly #resource: AsyncResource;
  readonly #stats: SocketStats;
  readonly #turn: Turn;
  readonly #lookup: Lookup;
  readonly #sticky: Sticky | undefined;
  #channel: Channel | undefined;
  #flow: Flow | undefined;
  #dispatch: Dispatch | undefined;
  #bindState: BindState = 'unbound';
  #connectState: ConnectState = 'disconnected';
  #refed = true;
  /** connect() has bound it to one address; it was bound to all. */
  #narrowed = false;
  /** What waits for 'listening'. */
  #queue: (() => void)[] | undefined;

  constructor(socket: EventEmitter, settings: Settings, engine: Engine, resource: AsyncResource, stats: SocketStats) {
    this.#socket = socket;
    this.#settings = settings;
    this.#engine = engine;
    this.#resource = resource;
    this.#stats = stats;
    this.#turn = turnOf(engine);
    this.#channel = new Channel(engine, settings.kind);
    this.#lookup = new Lookup(this.#channel.family, settings.lookup);
    this.#sticky = settings.sticky && new Sticky(settings.sticky, engine.names);
  }

  get closed(): boolean {
    return this.#channel === undefined;
  }

  get connected(): boolean {
    return this.#connectState === 'connected';
  }

  get flow(): Flow | undefined {
    return this.#flow;
  }

  /** undefined until bound. */
  get dispatch(): Dispatch | undefined {
    return this.#dispatch;
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_RUNNING after close() */
  health(): Channel {
    if (this.#channel === undefined) throw notRunning();
    return this.#channel;
  }

  /** First step of bind(). @throws ERR_SOCKET_ALREADY_BOUND, ERR_SOCKET_DGRAM_NOT_RUNNING */
  beginBind(): void {
    this.health();
    if (this.#bindState !== 'unbound') throw alreadyBound();
    this.#bindState = 'binding';
  }

  /** Second step: looks the host up, binds, listens. */
  bind(host: string, port: number): void {
    const channel = this.health();
    this.#resolve(host, (error, ip) => {
      if (this.closed) return; // in the meantime
      if (error === null) this.#open(channel, ip, port);
      else this.#bindFailed(error);
    });
  }

  /** Second step, with a descriptor that is bound already. @throws the kernel's error */
  adopt(fd: number): void {
    const channel = this.health();
    const result = channel.adopt(fd, this.#settings);
    if (result < 0) {
      this.#bindState = 'unbound';
      throw failure(this.#engine.host.platform, result, 'open');
    }
    this.#startListening(channel);
  }

  /** @throws ERR_SOCKET_DGRAM_IS_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING */
  connect(port: number, host: string, callback: (() => void) | undefined): void {
    if (this.#connectState !== 'disconnected') throw alreadyConnected();
    this.health();
    this.#connectState = 'connecting';
    this.#whenBound(this.#carry(() => this.#connect(port, host, callback)));
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED; the kernel's error */
  disconnect(): void {
    if (this.#connectState !== 'connected') throw notConnected();
    const result = this.health().disconnect();
    if (result < 0) throw failure(this.#engine.host.platform, result, 'connect');
    this.#connectState = 'disconnected';
    if (this.#dispatch !== undefined) this.#dispatch.peer = undefined;
    this.#widen(this.health());
  }

  /** Runs when there is something to send with: at once, or at 'listening'; binds to any port where nobody has. */
  outgoing(action: (dispatch: Dispatch) => void): void {
    this.health();
    this.#whenBound(
      this.#bindState === 'bound'
        ? () => this.#dispatch !== undefined && action(this.#dispatch)
        : this.#carry(() => this.#dispatch !== undefined && action(this.#dispatch)),
    );
  }

  /**
   * A membership needs a bound descriptor: libuv binds to any port then (uv__udp_maybe_deferred_bind). → 0 or -errno
   */
  openEarly(): number {
    const channel = this.health();
    if (channel.fd >= 0) return 0;
    return channel.open({ ...this.#settings, reuseAddr: true }) || channel.bindAny();
  }

  setRef(refed: boolean): void {
    this.#refed = refed;
    if (refed) this.#flow?.ref();
    else this.#flow?.unref();
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  close(): void {
    if (this.#queue !== undefined) {
      this.#queue.push(() => this.close());
      return;
    }
    const channel = this.health();
    this.#flow?.close();
    channel.close();
    this.#channel = undefined;
    this.#flow = undefined;
    this.#dispatch = undefined;
    process.nextTick(() => this.#resource.runInAsyncScope(() => this.#socket.emit('close')));
  }

  /** Calls back on a later tick, with a literal as it is. */
  #resolve(host: string, found: (error: Error | null, ip: string) => void): void {
    const literal = this.#lookup.literal(host);
    if (literal === undefined) this.#lookup.find(host, found);
    else process.nextTick(found, null, literal);
  }

  #open(channel: Channel, ip: string, port: number): void {
    const { platform } = this.#engine.host;
    const end = this.#engine.names.endpoint(ip);
    let result = end === undefined || end.family !== channel.family ? -platform.errno.EINVAL : 0;
    if (result === 0 && channel.fd < 0) result = channel.open(this.#settings);
    if (result === 0 && end !== undefined) result = channel.bind(end, port);
    if (result < 0) {
      channel.close();
      this.#bindFailed(failure(platform, result, 'bind', { address: ip, port }));
      return;
    }
    this.#startListening(channel);
  }

  #bindFailed(error: Error): void {
    this.#bindState = 'unbound';
    this.#socket.emit('error', error);
  }

  #startListening(channel: Channel): void {
    const { recvBufferSize, sendBufferSize } = this.#settings;
    const fail = (error: Error) => this.#socket.emit('error', error);
    const flow = new Flow(
      channel,
      this.#settings,
      this.#stats,
      this.#turn,
      this.#resource,
      audienceOf(this.#socket),
      this.#sticky,
    );
    flow.start(this.#refed);
    this.#flow = flow;
    this.#dispatch = new Dispatch(
      channel,
      flow.sender,
      this.#settings,
      this.#turn,
      this.#lookup,
      this.#stats,
      this.#sticky,
      fail,
    );
    this.#bindState = 'bound';
    if (recvBufferSize) bufferSize(channel, 'recv', recvBufferSize);
    if (sendBufferSize) bufferSize(channel, 'send', sendBufferSize);
    this.#socket.emit('listening');
  }

  #connect(port: number, host: string, callback: (() => void) | undefined): void {
    if (callback !== undefined) this.#socket.once('connect', callback);
    const found = (lookupError: Error | null, ip: string): void => {
      const channel = this.#channel;
      if (channel === undefined) return;
      const error = lookupError ?? this.#connectTo(channel, ip, host, port);
      if (error === undefined) {
        this.#connectState = 'connected';
        process.nextTick(() => this.#socket.emit('connect'));
        return;
      }
      this.#connectState = 'disconnected';
      process.nextTick(() => this.#connectFailed(error, callback));
    };
    this.#resolve(host, this.#sticky === undefined ? found : this.#sticky.carry(found));
  }

  #connectFailed(error: Error, callback: ((error: Error) => void) | undefined): void {
    if (callback === undefined) {
      this.#socket.emit('error', error);
      return;
    }
    this.#socket.removeListener('connect', callback);
    callback(error);
  }

  #connectTo(channel: Channel, ip: string, host: string, port: number): Error | undefined {
    const { platform } = this.#engine.host;
    const end = this.#engine.names.endpoint(ip);
    if (this.#settings.sendBlockList?.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4')) return ipBlocked(ip);
    const wrong = end === undefined || end.family !== channel.family;
    if (!wrong) this.#narrow(channel, end, port);
    let result = wrong ? -platform.errno.EINVAL : channel.connect(end, port);
    // From that address it cannot be reached (any more): then as the kernel thinks best.
    if (result < 0 && !wrong && this.#widen(channel)) result = channel.connect(end, port);
    if (result < 0) return failure(platform, result, 'connect', { address: host, port });
    if (this.#dispatch !== undefined) this.#dispatch.peer = end;
    return undefined;
  }

  /**
   * A connected socket sends from, and hears on, the one address that connect(2) chooses by route, unless it is bound
   * to one. A remote that was heard has asked a certain address, and goes on sending there.
   */
  #narrow(channel: Channel, remote: Endpoint, port: number): void {
    if (this.#sticky === undefined || !channel.wildcard) return;
    const source = this.#sticky.source(remote, port);
    if (source === undefined) return;
    this.#narrowed = this.#rebind(channel, source);
    if (!this.#narrowed) this.#sticky.forget(remote, port, source);
  }

  /** Undoes {@link #narrow}. → was there something to undo? */
  #widen(channel: Channel): boolean {
    if (!this.#narrowed) return false;
    this.#narrowed = false;
    return this.#rebind(channel, ANY[channel.family]);
  }

  #rebind(channel: Channel, address: SocketAddress): boolean {
    const twin = channel.twin(address, this.#settings);
    if (twin === undefined) return false;
    this.#flow?.pause();
    channel.become(twin);
    this.#flow?.start(this.#refed);
    return true;
  }

  /** Sticky sockets remember in whose context they were asked for something that is done later. */
  #carry(action: () => void): () => void {
    return this.#sticky === undefined ? action : this.#sticky.carry(action);
  }

  #whenBound(action: () => void): void {
    if (this.#bindState === 'unbound') {
      this.beginBind();
      this.bind(this.#settings.type === 'udp4' ? '0.0.0.0' : '::', 0);
    }
    if (this.#bindState === 'bound') {
      action();
      return;
    }
    if (this.#queue === undefined) {
      this.#queue = [];
      this.#socket.once(errorMonitor, this.#dropQueue);
      this.#socket.once('listening', this.#runQueue);
    }
    this.#queue.push(action);
  }

  readonly #runQueue = (): void => {
    this.#socket.removeListener(errorMonitor, this.#dropQueue);
    const queue = this.#queue ?? [];
    this.#queue = undefined;
    for (const action of queue) action();
  };

  readonly #dropQueue = (): void => {
    this.#socket.removeListener('listening', this.#runQueue);
    this.#queue = undefined;
  };
}

function audienceOf(socket: EventEmitter): Audience {
  const emitBatch = (batch: ReceivedMessage[]) => void socket.emit('messages', batch);
  return {
    message: (msg: Buffer, rinfo: RemoteInfo) => void socket.emit('message', msg, rinfo),
    error: (error: Error) => void socket.emit('error', error),
    get batches() {
      return socket.listenerCount('messages') > 0 ? emitBatch : undefined;
    },
  };
}

function turnOf(engine: Engine): Turn {
  let turn = turns.get(engine);
  if (turn === undefined) {
    turn = new Turn();
    turns.set(engine, turn);
  }
  return turn;
}
