/**
 * Programs that were written for node:dgram's types. Compiled from the sources by `npm run lint`, and from the packed
 * package by scripts/check-package.sh, with old and new TypeScript and @types/node; never run.
 */
import type * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as recvfromto from 'recvfromto';
import dflt, {
  type CodedError,
  createServer,
  createSocket,
  type MessageBuffer,
  type RemoteInfo,
  Server,
  type ServerEvents,
  Socket,
  type SocketEvents,
  type SystemError,
} from 'recvfromto';

/** Dependency injection, both ways in which people write it. */
export const asModule: typeof import('node:dgram') = recvfromto;
export const asDefault: typeof import('node:dgram') = dflt;
export const inject = (_create: typeof dgram.createSocket): void => {};
inject(createSocket);
inject(dflt.createSocket);
export const asSocket: dgram.Socket = createSocket('udp4');
export const named: Socket = dflt.createSocket('udp4');
export const server: Server = dflt.createServer();
export class Extended extends Socket {}
export class ExtendedServer extends Server {}

/** Options as dgram declares them, with its look-up. */
export function options(given: dgram.SocketOptions, either: dgram.SocketType | dgram.SocketOptions): void {
  createSocket(given);
  createSocket(given, (msg, rinfo) => [msg.byteLength, rinfo.size]);
  createSocket({ ...given, recvTTL: true });
  createSocket(either as recvfromto.SocketType | recvfromto.SocketOptions);
  createSocket({ type: 'udp4', lookup: (_host, _options, found) => found(null, '127.0.0.1', 4) });
  const ours: recvfromto.SocketOptions = given;
  createSocket(ours);
}

/** Messages of either are messages of the other. */
export function messages(socket: Socket, theirs: dgram.Socket): void {
  const listener = (msg: Buffer, rinfo: dgram.RemoteInfo): void => socket.reply(msg, rinfo);
  socket.on('message', listener);
  theirs.on('message', listener);
  theirs.on('message', (msg, rinfo) => {
    const bytes: MessageBuffer = msg;
    socket.reply(bytes, rinfo);
    socket.reply(bytes, rinfo, (error, sent) => [error?.message, sent.toFixed()]);
  });
  createServer().reply('x', { address: '127.0.0.1', family: 'IPv4', port: 53 });
  // @ts-expect-error a port is missing
  socket.reply('x', { address: '127.0.0.1', family: 'IPv4' });
}

/** Events by their names, by names from elsewhere, and by symbols. */
export function events(socket: Socket, name: string, symbol: symbol, running: Server): void {
  socket.on('message', (msg, rinfo) => [msg.readUInt8(0), rinfo.destination?.address]);
  socket.once('listening', () => {}).prependListener('close', () => {});
  socket.on('error', (error) => error.message);
  socket.on('messages', (batch) => batch.map(({ msg, rinfo }) => [msg.length, rinfo.size]));
  socket.on(name, () => {}).once(name, (...args) => args.length);
  socket.addListener(symbol, (_first: number, _second: string) => {}).removeListener(name, () => {});
  socket.prependOnceListener(name, () => {}).off(name, () => {});
  running.on(name, () => {}).once(symbol, () => {});
  socket.emit(name, 1, 'two');
  socket.emit('error', new Error());
  socket.listenerCount(name);
  const address: Promise<unknown[]> = once(socket, 'message');
  void address;
  running.on('message', (msg, rinfo) => running.reply(msg, rinfo));
}

export type Messages = SocketEvents['message'] | ServerEvents['message'];
export const first = ([msg, rinfo]: Messages): [MessageBuffer, RemoteInfo] => [msg, rinfo];
export const code = (error: CodedError): string => error.code;
export const number = (error: SystemError): number => error.errno;
