/** Sockets on a fake host, and what tests do with them. */
import { Engine } from '../../src/datagram/engine';
import { READABLE } from '../../src/ffi/index';
import { Socket } from '../../src/socket/socket';
import type { RemoteInfo, SocketOptions } from '../../src/types';
import { arrived4 } from './bytes';
import { FakeHost, type Incoming } from './fake-host';
import { type Case, linux64 } from './layouts';

export const FROM = { address: '192.0.2.9', port: 4321 };

export const immediate = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Long enough for every tick and every turn that a few calls have asked for. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await immediate();
}

/** Datagrams from {@link FROM}, sent to 192.0.2.1. */
export function datagrams(...payloads: string[]): Incoming[] {
  return payloads.map((payload) => ({ from: FROM, payload, control: arrived4(linux64, '192.0.2.1', '192.0.2.1', 1) }));
}

export class FakeNet {
  readonly host: FakeHost;
  readonly engine: Engine;
  readonly sockets: Socket[] = [];
  /** ms, on the clock that the engine looks at. */
  now = 0;

  constructor(on: Case = linux64) {
    this.host = new FakeHost(on);
    this.engine = new Engine(this.host, () => this.now);
  }

  make(options: Partial<SocketOptions> = {}): Socket {
    const socket = new Socket({ type: 'udp4', ...options }, undefined, this.engine);
    this.sockets.push(socket);
    return socket;
  }

  /** A socket bound to all addresses, and its descriptor. */
  async bound(options: Partial<SocketOptions> = {}, address?: string): Promise<{ socket: Socket; fd: number }> {
    const before = new Set(this.host.syscalls.sockets.keys());
    const socket = this.make(options);
    await new Promise<void>((done) => socket.bind(0, address, done));
    const [fd] = [...this.host.syscalls.sockets.keys()].filter((one) => !before.has(one));
    return { socket, fd };
  }

  /** Puts datagrams or errors into the descriptor's queue and says that it is readable. */
  arrive(fd: number, incoming: readonly (Incoming | number)[]): void {
    this.host.syscalls.sockets.get(fd)?.incoming.push(...incoming);
    this.host.readiness.fire(fd, READABLE);
  }

  get payloads(): string[] {
    return this.host.syscalls.sent.map(({ payload }) => payload);
  }
}

/** What came, as text, with the remotes. */
export function heard(socket: Socket): { texts: string[]; rinfos: RemoteInfo[] } {
  const texts: string[] = [];
  const rinfos: RemoteInfo[] = [];
  socket.on('message', (msg, rinfo) => {
    texts.push(msg.toString());
    rinfos.push(rinfo);
  });
  return { texts, rinfos };
}
