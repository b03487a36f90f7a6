/** The same sockets twice, of node:dgram and of recvfromto, on the loopback; and what a program sees of each. */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { openHost } from '../../../src/ffi/index';
import { Socket } from '../../../src/socket/socket';
import type { SocketOptions } from '../../../src/types';
import type { Victim } from './hostile';

export const SLOTS = 3;

type Any = dgram.Socket | Socket;

/** One socket and what has been seen of it. */
export interface Seen {
  readonly socket: Any;
  /** 'listening', 'connect', 'close' and errors, in order. */
  readonly events: string[];
  readonly messages: string[];
  readonly callbacks: string[];
  deed: 'close' | 'send' | 'disconnect' | 'throw' | undefined;
  closed: boolean;
  /** Has anything been done to it? */
  touched: boolean;
}

export class Side {
  readonly ours: boolean;
  readonly seen: Seen[] = [];
  readonly #sink = dgram.createSocket('udp4');
  /** What the sink, which answers nothing, has heard. */
  readonly sunk: string[] = [];
  sinkPort = 0;
  #named = 0;

  constructor(ours: boolean) {
    this.ours = ours;
    this.#sink.on('message', (msg) => this.sunk.push(digest(msg)));
  }

  async begin(): Promise<void> {
    this.#sink.bind(0, '127.0.0.1');
    await once(this.#sink, 'listening');
    this.sinkPort = this.#sink.address().port;
    for (let i = 0; i < SLOTS; i++) this.create({ type: 'udp4' });
  }

  create(options: SocketOptions): void {
    const socket: Any = this.ours ? new Socket(options) : dgram.createSocket(options as dgram.SocketOptions);
    const one: Seen = {
      socket,
      events: [],
      messages: [],
      callbacks: [],
      deed: undefined,
      closed: false,
      touched: false,
    };
    const emitter = socket as dgram.Socket;
    for (const event of ['listening', 'connect', 'close']) emitter.on(event, () => one.events.push(event));
    emitter.on('error', (error: NodeJS.ErrnoException) => one.events.push(`error ${error.code} ${error.syscall}`));
    emitter.on('close', () => {
      one.closed = true;
    });
    emitter.on('message', (msg, rinfo) => {
      one.messages.push(`${digest(msg)} ${rinfo.address} ${rinfo.family} ${rinfo.size}`);
      const { deed } = one;
      one.deed = undefined;
      if (deed !== undefined) this.deed(one, deed);
    });
    if (this.seen.length < SLOTS) this.seen.push(one);
    else this.seen[this.seen.findIndex((each) => each.closed)] = one;
  }

  deed(one: Seen, deed: 'close' | 'send' | 'disconnect' | 'throw'): void {
    if (deed === 'throw') throw Object.assign(new Error('a listener'), { code: 'BOOM' });
    try {
      if (deed === 'close') one.socket.close();
      else if (deed === 'disconnect') one.socket.disconnect();
      else (one.socket as dgram.Socket).send('deed', this.sinkPort, '127.0.0.1');
    } catch (error) {
      one.events.push(`deed ${outcomeOf(error)}`);
    }
  }

  victim(one: Seen): Victim {
    return {
      close: () => this.deed(one, 'close'),
      send: () => this.deed(one, 'send'),
      bind: () => {
        one.socket.bind(0, '127.0.0.1');
      },
    };
  }

  callback(one: Seen): (error: Error | null, bytes?: number) => void {
    const id = this.#named++;
    return (error, bytes) => one.callbacks.push(`${id} ${error ? (error as NodeJS.ErrnoException).code : bytes}`);
  }

  /** A bound descriptor that nobody watches, as a parent would hand it over. */
  descriptor(): number {
    const { syscalls, platform } = openHost();
    const fd = syscalls.socket(2);
    const name = Buffer.alloc(16);
    name.writeUInt16LE(platform.constants.AF_INET as number, 0);
    name.set([127, 0, 0, 1], 4);
    syscalls.bind(fd, name);
    return fd;
  }

  /** The port of a slot, 0 where it has none. */
  port(index: number): number {
    try {
      return this.seen[index]!.socket.address().port;
    } catch {
      return 0;
    }
  }

  async end(): Promise<void> {
    for (const { socket, closed } of this.seen) {
      try {
        if (!closed) socket.close();
      } catch {} // closed and waiting for its event
    }
    await new Promise<void>((done) => this.#sink.close(done));
  }

  view(): unknown {
    return {
      sunk: [...this.sunk].sort(),
      slots: this.seen.map(({ events, messages, callbacks, closed }) => ({
        events,
        messages: [...messages].sort(),
        callbacks: [...callbacks].sort(),
        closed,
      })),
    };
  }
}

/** A code, or that it was a raw error of the engine: dgram's about a property of null is ours about a closed socket. */
export function outcomeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined && /of null|reading '/.test(message)) return 'ERR_SOCKET_DGRAM_NOT_RUNNING';
  return code ?? `raw ${(error as Error).name}`;
}

function digest(msg: Buffer): string {
  return msg.length <= 16
    ? msg.toString('latin1')
    : `${msg.length} bytes, sum ${msg.reduce((sum, byte) => sum + byte, 0)}`;
}
