/** What the tests under Wine share: the built package, clients that are node:dgram's, and what this host has. */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { RemoteInfo, Server, Socket } from '../../src/index';

export const recvfromto: typeof import('../../src/index') = require(join(__dirname, '../../dist/index.js'));

type Closable = { close(callback?: () => void): unknown };
const open: Closable[] = [];

afterEach(async () => {
  const close = (each: Closable) =>
    new Promise<void>((closed) => {
      try {
        each.close(closed);
      } catch {
        closed(); // the test has closed it
      }
    });
  await Promise.all(open.splice(0).map(close));
});

/** Closes it after the test. */
export function held<T extends Closable>(each: T): T {
  open.push(each);
  return each;
}

type Options = NonNullable<Parameters<typeof recvfromto.createSocket>[0]>;

export async function bound(options: Options, address?: string): Promise<Socket> {
  const socket = held(recvfromto.createSocket(options));
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

export async function dgramSocket(
  type: 'udp4' | 'udp6' | dgram.SocketOptions,
  address?: string,
): Promise<dgram.Socket> {
  const socket = held(typeof type === 'string' ? dgram.createSocket(type) : dgram.createSocket(type));
  socket.bind(0, address);
  await once(socket, 'listening');
  return socket;
}

export interface Heard {
  readonly msg: Buffer;
  readonly rinfo: RemoteInfo;
}

/** The next message. */
export async function next(socket: Socket | Server): Promise<Heard> {
  const [msg, rinfo] = (await once(socket, 'message')) as [Buffer, RemoteInfo];
  return { msg, rinfo };
}

export async function send(from: dgram.Socket, msg: string | Buffer, port: number, address: string): Promise<void> {
  await new Promise<void>((sent, failed) => from.send(msg, port, address, (error) => (error ? failed(error) : sent())));
}

/** The name that os.networkInterfaces() has for the interface with this address. */
export function interfaceOf(address: string): string | undefined {
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    if (entries?.some((entry) => entry.address === address)) return name;
  }
  return undefined;
}

/** run.sh gives the host one network beside its loopback; its addresses, and the broadcast address of the IPv4 one. */
export const NETWORK = {
  ipv4: ['10.77.0.1', '10.77.0.2', '10.77.0.3'],
  ipv6: ['fd77::1', 'fd77::2'],
  broadcast: '10.77.0.255',
};
