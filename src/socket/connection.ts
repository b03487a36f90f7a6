/**
 * Whom a socket is connected to: connect(), disconnect() and their states, with dgram's order of events and errors. Part
 * of a Lifecycle. Sticky sockets are also bound to the address that the remote was heard on.
 */
import type { EventEmitter } from 'node:events';
import type { Channel } from '../datagram/channel';
import type { Endpoint } from '../datagram/endpoint';
import { failure } from '../datagram/failure';
import type { SocketAddress } from '../datagram/sockaddr';
import { alreadyConnected, ipBlocked, notConnected, notRunning } from '../errors';
import type { Lifecycle } from './lifecycle';
import type { Found } from './lookup';
import type { Settings } from './options';
import type { Sticky } from './sticky';

export type ConnectState = 'disconnected' | 'connecting' | 'connected';

export class Connection {
  state: ConnectState = 'disconnected';
  readonly #socket: EventEmitter;
  readonly #life: Lifecycle;
  readonly #settings: Settings;
  readonly #sticky: Sticky | undefined;
  /** What it was bound to, all addresses, before connect() bound it to one. */
  #wide: SocketAddress | undefined;

  constructor(socket: EventEmitter, life: Lifecycle, settings: Settings, sticky: Sticky | undefined) {
    this.#socket = socket;
    this.#life = life;
    this.#settings = settings;
    this.#sticky = sticky;
  }

  /** @throws ERR_SOCKET_DGRAM_IS_CONNECTED, ERR_SOCKET_DGRAM_NOT_RUNNING */
  connect(port: number, host: string, callback: (() => void) | undefined): void {
    if (this.state !== 'disconnected') throw alreadyConnected();
    this.#life.health();
    this.state = 'connecting';
    this.#life.whenBound(() => this.#connect(port, host, callback));
  }

  /** @param ip a literal. @throws ERR_IP_BLOCKED, the kernel's error */
  connectSync(port: number, ip: string): void {
    const error = this.#to(this.#life.health(), ip, ip, port);
    if (error !== undefined) throw error;
    this.state = 'connected';
    process.nextTick(() => {
      if (!this.#life.closed) this.#socket.emit('connect');
    });
  }

  /** @throws ERR_SOCKET_DGRAM_NOT_CONNECTED; the kernel's error */
  disconnect(): void {
    if (this.state !== 'connected') throw notConnected();
    const channel = this.#life.health();
    this.#life.flow?.sender.flush(); // what was sent before was meant for the peer
    const result = channel.disconnect();
    if (result < 0) throw failure(channel.engine.host.platform, result, 'connect');
    this.state = 'disconnected';
    this.#life.dispatch?.disconnected();
    this.#widen(channel);
  }

  #connect(port: number, host: string, callback: (() => void) | undefined): void {
    if (callback) this.#socket.once('connect', callback);
    const { dispatch } = this.#life;
    if (dispatch !== undefined) dispatch.connecting = true;
    const found: Found = (lookupError, ip) => {
      if (this.#life.closed) return;
      const error = lookupError ?? this.#to(this.#life.health(), ip, host, port);
      if (this.#life.closed) return; // by a block list or a filter of the program's
      if (error === undefined) {
        this.state = 'connected';
        process.nextTick(() => this.#socket.emit('connect'));
        return;
      }
      this.state = 'disconnected';
      if (dispatch !== undefined) dispatch.connecting = false;
      process.nextTick(() => this.#failed(error, callback));
    };
    this.#life.lookup.later(host, this.#sticky === undefined ? found : this.#sticky.carry(found));
  }

  #failed(error: Error, callback: ((error: Error) => void) | undefined): void {
    if (!callback) {
      this.#socket.emit('error', error);
      return;
    }
    this.#socket.removeListener('connect', callback);
    callback(error);
  }

  #to(channel: Channel, ip: string, host: string, port: number): Error | undefined {
    const { platform } = channel.engine.host;
    const end = channel.engine.names.endpoint(ip);
    if (this.#settings.sendBlockList?.check(ip, ip.includes(':') ? 'ipv6' : 'ipv4')) return ipBlocked(ip);
    const wrong = end === undefined || end.family !== channel.family;
    this.#life.flow?.sender.flush(); // BSD and macOS: EISCONN for what names its remote on a connected socket
    if (!wrong && !this.#life.closed) this.#narrow(channel, end, port);
    if (this.#life.closed) return notRunning(); // by the program's code that was asked
    let result = wrong ? -platform.errno.EINVAL : channel.connect(end, port);
    // From that address it cannot be reached (any more): then as the kernel thinks best.
    if (result < 0 && !wrong && this.#widen(channel)) result = channel.connect(end, port);
    if (result < 0) return failure(platform, result, 'connect', { address: host, port });
    this.#life.dispatch?.connected(end as Endpoint, port);
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
    const wide = channel.bound;
    if (this.#rebind(channel, source)) this.#wide = wide;
    else this.#sticky.forget(remote, port, source);
  }

  /** Undoes {@link #narrow}. → was there something to undo? */
  #widen(channel: Channel): boolean {
    const wide = this.#wide;
    if (wide === undefined) return false;
    this.#wide = undefined;
    return this.#rebind(channel, wide);
  }

  #rebind(channel: Channel, address: SocketAddress): boolean {
    const twin = channel.twin(address, this.#settings);
    if (twin === undefined) return false;
    this.#life.flow?.pause();
    if (this.#life.closed) {
      twin.close(); // a filter that was asked about what had come has closed the socket
      return false;
    }
    channel.become(twin);
    this.#life.dispatch?.rebound();
    this.#life.flow?.start(this.#life.refed);
    return true;
  }
}
