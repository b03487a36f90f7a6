/**
 * What a scenario gets: the module under test, a transcript, and sockets that are closed when it is over. Peers are
 * always node:dgram's own, so that both runs talk to the same counterpart.
 */
import nodeDgram from 'node:dgram';
import type { EventEmitter } from 'node:events';
import { once } from 'node:events';
import { join } from 'node:path';
import { Transcript } from './transcript';

/** node:dgram, after recvfromto/register. */
export const REGISTERED = join(__dirname, 'registered.cjs');

/** node:dgram's own, whatever is registered later. */
export const { createSocket, Socket: NativeSocket } = nodeDgram;

type Method<Result = unknown> = (...args: unknown[]) => Result;

interface Address {
  readonly address: string;
  readonly family: string;
  readonly port: number;
}

/** A dgram.Socket without types for its arguments: most scenarios pass wrong ones, and newer lines have more of them. */
export interface LooseSocket extends EventEmitter {
  readonly type: string;
  bind: Method<LooseSocket>;
  address: Method<Address>;
  send: Method;
  close: Method;
  connect: Method;
  setTTL: Method;
  [name: string]: Method | unknown;
}

export interface LooseDgram {
  createSocket(...args: unknown[]): LooseSocket;
  readonly Socket: {
    new (...args: unknown[]): LooseSocket;
    (this: unknown, ...args: unknown[]): unknown;
    readonly prototype: LooseSocket;
  };
}

export type Scenario = (stage: Stage) => void | Promise<void>;
export type Scenarios = Readonly<Record<string, Scenario>>;

export class Stage extends Transcript {
  readonly dgram: LooseDgram;
  /** What `require` finds the module by; for child processes. */
  readonly modulePath: string;
  readonly #open = new Set<LooseSocket>();

  constructor(dgram: LooseDgram, modulePath: string) {
    super();
    this.dgram = dgram;
    this.modulePath = modulePath;
  }

  /** A socket of the module under test. */
  socket(...args: unknown[]): LooseSocket {
    return this.held(this.dgram.createSocket(...args));
  }

  /** Closes it when the scenario is over. */
  held<Held extends LooseSocket>(socket: Held): Held {
    this.#open.add(socket);
    return socket;
  }

  /** A socket of the module under test that is bound to the loopback address, or where told. */
  async bound(options: unknown = 'udp4', address?: string, port = 0): Promise<LooseSocket> {
    const socket = this.socket(options);
    socket.bind(port, address ?? (socket.type === 'udp4' ? '127.0.0.1' : '::1'));
    await once(socket, 'listening');
    this.namePort(socket.address().port, `SOCKET${this.#open.size}`);
    return socket;
  }

  /** A socket of node:dgram, bound to the loopback address, or where told. */
  async peer(type: 'udp4' | 'udp6' = 'udp4', address = type === 'udp4' ? '127.0.0.1' : '::1'): Promise<LooseSocket> {
    const socket = this.held(createSocket(type) as unknown as LooseSocket);
    socket.bind(0, address);
    await once(socket, 'listening');
    this.namePort(socket.address().port, `PEER${this.#open.size}`);
    return socket;
  }

  /** As bound(), and connected to `peer`. */
  async connected(peer: LooseSocket): Promise<LooseSocket> {
    const socket = await this.bound();
    socket.connect(peer.address().port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  }

  /** Logs the message that `peer` hears after `action`. */
  async heard(peer: LooseSocket, action: () => unknown): Promise<void> {
    const message = once(peer, 'message');
    action();
    const [msg, { size }] = await message;
    this.log('heard', msg.length > 100 ? msg.length : msg, size);
  }

  /** Logs every event of dgram's, with what it brings. */
  watch(socket: EventEmitter, name = 'socket'): void {
    for (const event of ['listening', 'connect', 'close', 'error']) {
      socket.on(event, (...args: unknown[]) => this.log(`${name} '${event}'`, ...args));
    }
    socket.on('message', (msg, rinfo) => this.log(`${name} 'message'`, msg, memoryOf(msg), this.rinfo(rinfo)));
  }

  /**
   * Of what listeners get, all that programs enumerate; of an import, which shows them, without our two fields. Nothing
   * else may differ.
   */
  rinfo(rinfo: object): unknown {
    if (this.modulePath === REGISTERED) return rinfo;
    const { destination, localAddress, ...rest } = rinfo as Record<string, unknown>;
    return Object.getPrototypeOf(rinfo) === Object.prototype ? rest : rinfo;
  }

  /** A callback that logs what it is called with. */
  callback(name: string): Method<void> {
    return (...args) => this.log(`${name} called with`, ...args);
  }

  /** Like callback(), and a promise for its being called. */
  awaited(name: string): { readonly call: Method<void>; readonly called: Promise<void> } {
    let resolve: () => void;
    const called = new Promise<void>((done) => {
      resolve = done;
    });
    return {
      called,
      call: (...args) => {
        this.log(`${name} called with`, ...args);
        resolve();
      },
    };
  }

  /** Long enough for whatever was begun on this host's loopback to have happened, in several turns of the loop. */
  async settle(turns = 12): Promise<void> {
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async end(): Promise<void> {
    for (const socket of this.#open) {
      socket.removeAllListeners();
      socket.on('error', () => {});
      try {
        socket.close();
      } catch {} // it was closed in the scenario
    }
    await this.settle(2);
  }
}

/** What is behind a message: programs make views of `msg.buffer`, and transfer it. */
export function memoryOf(msg: Buffer): string {
  const own = msg.byteOffset === 0 && msg.buffer.byteLength === msg.length;
  const kind = Object.getPrototypeOf(msg) === Buffer.prototype ? 'Buffer' : 'of another prototype';
  return `${kind} ${own ? 'with bytes of its own' : `at ${msg.byteOffset} of ${msg.buffer.byteLength}`}`;
}
