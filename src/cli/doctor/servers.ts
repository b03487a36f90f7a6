/** Echo servers on all addresses: recvfromto's, which remember what they were told, and node:dgram's beside them. */
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { createSocket, type RemoteInfo, type SocketOptions } from '../../index';
import type { SocketName } from './facts';

export interface EchoServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface WitnessServer extends EchoServer {
  /** What the server was told of the datagram with this text. */
  heard(text: string): RemoteInfo | undefined;
}

type Options = Omit<SocketOptions, 'type' | 'ipv6Only'> & { readonly groups?: readonly (readonly [string, string])[] };

/** @param options of it; groups to join, each on an interface. Rejects where there are no such sockets. */
export async function witnessServer(
  name: SocketName,
  { groups = [], ...options }: Options = {},
): Promise<WitnessServer> {
  const socket = createSocket({ ...options, ...typeOf(name) });
  const told = new Map<string, RemoteInfo>();
  socket.on('message', (msg, rinfo) => {
    told.set(msg.toString('latin1'), rinfo);
    socket.reply(msg, rinfo);
  });
  try {
    socket.bind(0);
    await once(socket, 'listening');
    socket.on('error', () => {}); // what cannot be received is missed by the client, and seen there
    for (const [group, via] of groups) socket.addMembership(group, via);
  } catch (error) {
    await socket[Symbol.asyncDispose]();
    throw error;
  }
  return {
    port: socket.address().port,
    heard: (text) => told.get(text),
    close: () => socket[Symbol.asyncDispose](),
  };
}

/** As everybody writes it with node:dgram. Rejects where there are no such sockets. */
export async function dgramServer(name: SocketName): Promise<EchoServer> {
  const socket = dgram.createSocket(typeOf(name));
  socket.on('message', (msg, { port, address }) => socket.send(msg, port, address, () => {}));
  const close = () => new Promise<void>((closed) => socket.close(() => closed()));
  try {
    socket.bind(0);
    await once(socket, 'listening');
    socket.on('error', () => {});
  } catch (error) {
    await close();
    throw error;
  }
  return { port: socket.address().port, close };
}

function typeOf(name: SocketName) {
  return name === 'udp4' ? ({ type: 'udp4' } as const) : ({ type: 'udp6', ipv6Only: name === 'udp6' } as const);
}
