/**
 * A socket's life: unbound, binding, bound, closed, with dgram's order of events (lib/dgram.js). It opens and closes the
 * descriptor and what hangs on it; the Socket around it takes arguments apart and has the public names. What waits for
 * 'listening' is in queue.ts; whom it is connected to is connection.ts' to know.
 */
import type { AsyncResource } from 'node:async_hooks';
import type { EventEmitter } from 'node:events';
import { Channel } from '../datagram/channel';
import type { Engine } from '../datagram/engine';
import { errnoName, failure } from '../datagram/failure';
import type { Settle } from '../datagram/send-ring';
import { alreadyBound, type ErrorPlace, invalidFdType, notRunning, systemError } from '../errors';
import type { ReceivedMessage, RemoteInfo, SocketStats } from '../types';
import { bufferSize } from './buffer-size';
import { bindFlags, primary, type Query, type UdpHandle } from './cluster';
import { Connection } from './connection';
import type { Audience } from './delivery';
import { descriptorType } from './descriptor';
import { Dispatch } from './dispatch';
import { Flow } from './flow';
import { Lookup } from './lookup';
import type { Settings } from './options';
import { Queue } from './queue';
import { Sticky } from './sticky';
import { type Turn, turnFor } from './turn';

/** The socket around it: an emitter whose bind() may be a subclass's. */
export interface Bindable extends EventEmitter {
  bind(options: { port: number; exclusive: boolean }, callback: null): unknown;
}

export class Lifecycle {
  readonly lookup: Lookup;
  readonly connection: Connection;
  bindState: 'unbound' | 'binding' | 'bound' = 'unbound';
  refed = true;
  readonly queue: Queue;
  readonly #socket: Bindable;
  readonly #settings: Settings;
  readonly #engine: Engine;
  readonly #resource: AsyncResource;
  readonly #stats: SocketStats;
  readonly #turn: Turn;
  readonly #sticky: Sticky | undefined;
  #channel: Channel | undefined;
  #flow: Flow | undefined;
  #dispatch: Dispatch | undefined;

  constructor(socket: Bindable, settings: Settings, engine: Engine, resource: AsyncResource, stats: SocketStats) {
    this.#socket = socket;
    this.#settings = settings;
    this.#engine = engine;
    this.#resource = resource;
    this.#stats = stats;
    this.#turn = turnFor(engine);
    this.queue = new Queue(socket);
    this.#channel = new Channel(engine, settings.kind);
    this.lookup = new Lookup(this.#channel.family, settings.lookup);
    this.#sticky = settings.sticky && new Sticky(settings.sticky, engine.names);
    this.connection = new Connection(socket, this, settings, this.#sticky);
  }

  get closed(): boolean {
    return this.#channel === undefined;
  }

  get connected(): boolean {
    return this.connection.state === 'connected';
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
    if (this.bindState !== 'unbound') throw alreadyBound();
    this.bindState = 'binding';
  }

  /**
   * Second step: looks the host up, binds (or has the primary bind), listens. Failures come as 'error'.
   * @param given the port as the user wrote it, for the error
   */
  bind(host: string, port: number, given: unknown, exclusive: boolean): void {
    this.lookup.later(host, (error, ip) => {
      if (this.closed) return; // in the meantime
      if (error) {
        this.#bindFailed(error);
        return;
      }
      const { kind, reuseAddr, reusePort, type } = this.#settings;
      const place = { address: ip, port: given as number };
      const getServer = exclusive || reusePort ? undefined : primary();
      if (getServer !== undefined) {
        const query = {
          address: ip,
          port: given,
          addressType: type,
          fd: -1,
          flags: bindFlags(kind, Boolean(reuseAddr)),
        };
        this.#share(getServer, query, 'bind', place);
        return;
      }
      const result = this.#open(ip, port);
      if (result < 0) this.#bindFailed(failure(this.#engine.host.platform, result, 'bind', place));
      else if (this.#canReceive()) this.#socket.emit('listening');
    });
  }

  /** bind() without events of failure, to a literal; 'listening' follows on the next tick. @throws the kernel's error */
  bindSync(ip: string, port: number): void {
    const result = this.#open(ip, port);
    if (result < 0) {
      this.bindState = 'unbound';
      throw failure(this.#engine.host.platform, result, 'bind', { address: ip, port });
    }
    this.#startReceiving();
    process.nextTick(() => {
      if (!this.closed) this.#socket.emit('listening');
    });
  }

  /**
   * Second step, with a descriptor that is bound already.
   * @throws ERR_INVALID_FD_TYPE; the kernel's error. A worker's primary opens it instead, and failures come as 'error'.
   */
  adopt(fd: number, exclusive: boolean): void {
    const getServer = exclusive ? undefined : primary();
    if (getServer !== undefined) {
      const query = { address: null, port: null, addressType: this.#settings.type, fd, flags: null };
      this.#share(getServer, query, 'open', undefined);
      return;
    }
    const type = descriptorType(this.#engine, fd);
    if (type !== 'UDP') throw invalidFdType(type);
    const result = this.health().adopt(fd, this.#settings);
    if (result < 0) throw failure(this.#engine.host.platform, result, 'open');
    this.#startListening();
  }

  /** Second step, with libuv's handle of a descriptor: of cluster's, or sent by another process. */
  adoptHandle(handle: UdpHandle, shared: boolean): void {
    handle.owner = this.#socket;
    const result = this.health().adopt(handle.fd, this.#settings, () => handle.close());
    if (result < 0) throw failure(this.#engine.host.platform, result, 'open');
    this.#startListening(shared);
  }

  /**
   * Runs when there is something to send with: at once, or at 'listening'; binds to any port where nobody has.
   * @param settle hears of it when `action` throws
   * @param faithful does it also hear of a bind() that fails, and of a close() before? dgram's send() forgets then
   */
  outgoing(action: (dispatch: Dispatch) => void, settle: Settle | undefined, faithful: boolean): void {
    this.health();
    if (this.#dispatch !== undefined) {
      action(this.#dispatch);
      return;
    }
    if (faithful && settle !== undefined) this.queue.tell(settle);
    this.whenBound(() => {
      if (!faithful) this.health();
      try {
        this.health();
        if (this.#dispatch !== undefined) action(this.#dispatch);
      } catch (error) {
        // Whoever waits behind it in the queue has nothing to do with it.
        if (settle !== undefined) process.nextTick(settle, error);
        else process.nextTick(() => this.#socket.emit('error', error));
      }
    });
  }

  /** Runs at once, or at 'listening'; binds to any port where nobody has, through the socket's own bind(). */
  whenBound(action: () => void): void {
    if (this.bindState === 'unbound') this.#socket.bind({ port: 0, exclusive: true }, null);
    if (this.bindState === 'bound') {
      action();
      return;
    }
    // Sticky sockets remember in whose context they were asked for something that is done later.
    this.queue.push(this.#sticky === undefined ? action : this.#sticky.carry(action));
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
    this.refed = refed;
    if (refed) this.#flow?.ref();
    else this.#flow?.unref();
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_RUNNING */
  close(): void {
    if (this.queue.actions !== undefined) {
      this.queue.push(() => this.close());
      return;
    }
    const channel = this.health();
    this.#flow?.close();
    channel.close();
    this.#channel = undefined;
    this.#flow = undefined;
    this.#dispatch = undefined;
    process.nextTick(() => this.#socket.emit('close'));
  }

  #open(ip: string, port: number): number {
    const channel = this.health();
    const end = this.#engine.names.endpoint(ip);
    if (end === undefined || end.family !== channel.family) return -this.#engine.host.platform.errno.EINVAL;
    // After a failure dgram keeps the descriptor for the next try.
    const result = channel.fd < 0 ? channel.open(this.#settings) : 0;
    return result < 0 ? result : channel.bind(end, port);
  }

  /** Has the primary of this worker open a descriptor for all workers that ask for the same. */
  #share(getServer: NonNullable<ReturnType<typeof primary>>, query: Query, syscall: string, place?: ErrorPlace): void {
    getServer(this.#socket, query, (errno, handle) => {
      if (this.closed) {
        handle?.close();
        return;
      }
      if (errno || handle === null) {
        const { platform } = this.#engine.host;
        this.#bindFailed(systemError(errnoName(platform, errno), errno, syscall, place));
        return;
      }
      handle.owner = this.#socket;
      const result = this.health().adopt(handle.fd, this.#settings, () => handle.close());
      if (result < 0) {
        if (this.health().fd < 0) handle.close(); // nobody else knows of it
        this.#bindFailed(failure(this.#engine.host.platform, result, syscall, place));
      } else if (this.#canReceive(true)) this.#socket.emit('listening');
    });
  }

  #bindFailed(error: Error): void {
    this.bindState = 'unbound';
    this.#socket.emit('error', error);
  }

  /** As #startReceiving(), where nobody would catch an error. */
  #canReceive(shared = false): boolean {
    try {
      this.#startReceiving(shared);
      return true;
    } catch (error) {
      if (this.bindState === 'bound') throw error; // a buffer size that is refused: dgram throws as well
      this.#bindFailed(error as Error);
      return false;
    }
  }

  #startListening(shared = false): void {
    this.#startReceiving(shared);
    this.#socket.emit('listening');
  }

  #startReceiving(shared = false): void {
    const channel = this.health();
    const { recvBufferSize, sendBufferSize } = this.#settings;
    const [settings, stats, turn, sticky] = [this.#settings, this.#stats, this.#turn, this.#sticky];
    const fail = (error: Error) => this.#socket.emit('error', error);
    const audience = new Listeners(this.#socket);
    const flow = new Flow(channel, settings, stats, turn, this.#resource, audience, sticky, shared);
    try {
      flow.start(this.refed);
    } catch (error) {
      channel.close();
      this.bindState = 'unbound';
      throw error;
    }
    this.#flow = flow;
    this.#dispatch = new Dispatch(channel, flow.sender, settings, turn, this.lookup, stats, sticky, fail);
    this.bindState = 'bound';
    if (recvBufferSize) bufferSize(channel, 'recv', recvBufferSize);
    if (sendBufferSize) bufferSize(channel, 'send', sendBufferSize);
  }
}

/** A class, because an object literal with a getter has a hidden class of its own each time. */
class Listeners implements Audience {
  readonly #socket: EventEmitter;

  constructor(socket: EventEmitter) {
    this.#socket = socket;
  }

  readonly message = (msg: Buffer, rinfo: RemoteInfo): void => {
    this.#socket.emit('message', msg, rinfo);
  };

  readonly error = (error: Error): void => {
    this.#socket.emit('error', error);
  };

  get batches() {
    return this.#socket.listenerCount('messages') > 0 ? this.#batch : undefined;
  }

  readonly #batch = (batch: ReceivedMessage[]): void => {
    this.#socket.emit('messages', batch);
  };
}
