/**
 * What a Socket keeps of itself. It hangs on the socket under a symbol, as dgram's does, because the socket may be an
 * object that was not made by our constructor (`Socket.call(this, …)`). Its own fields are the private ones of dgram's
 * state that programs read: under that symbol, which they find by its description, or by the names of DEP0112.
 */
import { AsyncResource } from 'node:async_hooks';
import type { Engine } from '../datagram/engine';
import type { Platform } from '../platform/platform';
import type { SocketStats } from '../types';
import { type Bindable, Lifecycle } from './lifecycle';
import type { Settings } from './options';
import { newStats } from './stats';

export const kState = Symbol('state symbol');

/** The little of dgram's UDP handle that programs use. */
export interface HandleView {
  readonly fd: number;
  getAsyncId(): number;
  hasRef(): boolean;
  ref(): void;
  unref(): void;
}

export class State {
  readonly stats: SocketStats = newStats();
  readonly resource = new AsyncResource('RECVFROMTO');
  readonly life: Lifecycle;
  readonly engine: Engine;
  readonly platform: Platform;
  readonly handleView: HandleView;
  readonly settings: Settings;

  constructor(socket: Bindable, settings: Settings, engine: Engine) {
    this.settings = settings;
    this.engine = engine;
    this.platform = engine.host.platform;
    const life = new Lifecycle(socket, settings, engine, this.resource, this.stats);
    this.life = life;
    this.handleView = {
      get fd() {
        return life.closed ? -1 : life.health().fd;
      },
      getAsyncId: () => this.resource.asyncId(),
      hasRef: () => life.refed,
      ref: () => life.setRef(true),
      unref: () => life.setRef(false),
    };
  }

  get handle(): HandleView | null {
    return this.life.closed ? null : this.handleView;
  }

  get receiving(): boolean {
    return this.life.flow !== undefined;
  }

  /** 0 unbound, 1 binding, 2 bound. */
  get bindState(): number {
    return ['unbound', 'binding', 'bound'].indexOf(this.life.bindState);
  }

  /** 0 disconnected, 1 connecting, 2 connected. */
  get connectState(): number {
    return ['disconnected', 'connecting', 'connected'].indexOf(this.life.connection.state);
  }

  get queue(): readonly (() => void)[] | undefined {
    return this.life.queue.actions;
  }
}
