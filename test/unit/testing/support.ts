/** Sockets whose next event a test can wait for. */
import { once } from 'node:events';
import type { Socket } from '../../../src/socket/socket';
import type { RemoteInfo } from '../../../src/types';

export interface Heard {
  readonly text: string;
  readonly rinfo: RemoteInfo;
}

export function bind(socket: Socket, port = 0, address?: string): Promise<Socket> {
  return new Promise((bound, failed) => {
    socket.once('error', failed);
    socket.bind(port, address, () => {
      socket.off('error', failed);
      bound(socket);
    });
  });
}

export function connect(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((done) => socket.connect(port, address, done));
}

/** → bytes, or the error's code */
export function send(socket: Socket, ...args: unknown[]): Promise<number | string> {
  return new Promise((done) => {
    const told = (error: NodeJS.ErrnoException | null, bytes: number) =>
      done(error === null ? bytes : String(error.code));
    (socket.send as (...args: unknown[]) => void)(...args, told);
  });
}

export async function message(socket: Socket): Promise<Heard> {
  const [msg, rinfo] = await once(socket, 'message');
  return { text: msg.toString(), rinfo };
}

/** All that it hears from now on. */
export function collect(socket: Socket): Heard[] {
  const heard: Heard[] = [];
  socket.on('message', (msg, rinfo) => heard.push({ text: msg.toString(), rinfo }));
  return heard;
}
