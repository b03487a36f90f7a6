/**
 * Makes unmodified programs right: puts our sockets, with stickySource on, where programs find those of node:dgram.
 * The one place that changes something global; called by register.ts, and undone by what it returns.
 */
import dgram from 'node:dgram';
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';
import { openHost } from '../../ffi/index';
import type { MessageListener, SocketOptions, SocketType } from '../../types';
import { kRegistered } from '../options';
import { Socket } from '../socket';

type Dgram = Record<'createSocket' | 'Socket', unknown>;

/** On a replaced Socket, so that two copies of this package do not replace each other. */
const MARK = Symbol.for('recvfromto.register');

/**
 * Replaces `createSocket` and `Socket` of node:dgram, for CommonJS and ESM. Where this OS or runtime is not supported,
 * everything stays as it is and a warning says so; with RECVFROMTO=off in the environment it stays as it is silently.
 * @returns puts node:dgram's own back. Sockets that were made meanwhile go on working.
 */
export function install(): () => void {
  if (process.env.RECVFROMTO === 'off' || MARK in dgram.Socket) return () => {};
  try {
    openHost();
  } catch (error) {
    // Workers run the same preloads: once per process is enough.
    if (isMainThread) process.emitWarning(`node:dgram is left as it is: ${(error as Error).message}`, WARNING);
    return () => {};
  }
  const original: Dgram = { createSocket: dgram.createSocket, Socket: dgram.Socket };
  const ours: Dgram = replacements();
  assign(ours);
  return () => assign(original, ours);
}

const WARNING = { type: 'RecvfromtoWarning', code: 'RECVFROMTO_NOT_REGISTERED' };

/** @param only replace these: whoever has wrapped ours in the meantime keeps what is his */
function assign(exports: Dgram, only?: Dgram): void {
  const target = dgram as unknown as Dgram;
  for (const name of ['createSocket', 'Socket'] as const) {
    if (only === undefined || target[name] === only[name]) target[name] = exports[name];
  }
  syncBuiltinESMExports();
}

/** Functions rather than a class, as dgram's are: programs call Socket with and without new, and extend it. */
function replacements(): Dgram {
  function StickySocket(this: unknown, type: SocketType | SocketOptions, listener?: MessageListener): unknown {
    if (new.target === undefined) {
      return Reflect.apply(Socket as unknown as () => void, this, [sticky(type), listener]);
    }
    return Reflect.construct(Socket, [sticky(type), listener], new.target);
  }
  function createSocket(type: SocketType | SocketOptions, listener?: MessageListener): Socket {
    return Reflect.construct(StickySocket, [type, listener]) as Socket;
  }
  // Everything on one prototype below EventEmitter's, as dgram has it: programs enumerate it, and patch it.
  Object.setPrototypeOf(StickySocket, EventEmitter);
  StickySocket.prototype = Object.create(Object.getPrototypeOf(Socket.prototype), {
    ...Object.getOwnPropertyDescriptors(Socket.prototype),
    constructor: { value: StickySocket, writable: true, configurable: true },
  });
  Object.defineProperty(StickySocket, 'name', { value: 'Socket' });
  Object.defineProperty(StickySocket, MARK, { value: true });
  return { createSocket, Socket: StickySocket };
}

/** The options object may be anything with properties (multicast-dns: with a toString of its own), so it is inherited. */
function sticky(type: SocketType | SocketOptions): SocketOptions {
  const ours = { [kRegistered]: { value: true }, stickySource: { value: true }, gso: { value: false } };
  if (type === null || typeof type !== 'object') return Object.create({ type }, ours);
  for (const name of ['stickySource', 'gso'] as const)
    if (type[name] !== undefined) delete (ours as Partial<typeof ours>)[name];
  return Object.create(type, ours);
}
