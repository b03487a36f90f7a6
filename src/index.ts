/** Public names, nothing else. */
import type { capabilities } from './socket/capabilities';
import { Server, type ServerOptions } from './socket/server';
import { Socket } from './socket/socket';
import type { MessageListener, SocketOptions, SocketType } from './types';

export type { CodedError, SystemError } from './errors';
export { type Capabilities, capabilities, type Features } from './socket/capabilities';
export { Server, type ServerAddress, type ServerOptions } from './socket/server';
export { Socket } from './socket/socket';
export type * from './types';

/** A UDP socket, as dgram.createSocket makes one. @throws as the constructor of {@link Socket} */
export function createSocket(type: SocketType, listener?: MessageListener): Socket;
export function createSocket(options: SocketOptions, listener?: MessageListener): Socket;
export function createSocket(type: SocketType | SocketOptions, listener?: MessageListener): Socket;
export function createSocket(type: SocketType | SocketOptions, listener?: MessageListener): Socket {
  return new Socket(type, listener);
}

/** A server for all addresses of both families; `listen()` opens it. @throws as the constructor of {@link Server} */
export function createServer(listener?: MessageListener): Server;
export function createServer(options: ServerOptions, listener?: MessageListener): Server;
export function createServer(first?: ServerOptions | MessageListener, second?: MessageListener): Server {
  return typeof first === 'function' ? new Server({}, first) : new Server(first, second);
}

/** What `import dgram from 'recvfromto'` gives. */
interface Recvfromto {
  Server: typeof Server;
  Socket: typeof Socket;
  capabilities: typeof capabilities;
  createServer: typeof createServer;
  createSocket: typeof createSocket;
}

declare const exports: Recvfromto; // CommonJS; Bun's bundler loses `module.exports`

/** The module itself, as node:dgram's default export is: whoever replaces a name in it does so for every importer. */
const recvfromto = exports;
export default recvfromto;
