/**
 * Makes unmodified programs right: puts our sockets, with stickySource on, where programs find those of node:dgram.
 * The one place that changes something global; called by register.ts, and undone by what it returns.
 */
import dgram from 'node:dgram';
import { EventEmitter } from 'node:events';
import { syncBuiltinESMExports } from 'node:module';
import { checkHost, isMainThread, openHost } from '../../ffi/index';

import type { MessageListener, SocketOptions, SocketType } from '../../types';
import { Socket } from '../socket';

type Dgram = Record<'createSocket' | 'Socket', unknown>;

/** On a replaced Socket, so that two copies of this package do not replace each other. */
const MARK = Symbol.for('recvfromto.register');

/**
 * Replaces `createSocket` and `Socket` of node:dgram, for CommonJS and ESM. Nothing native is loaded before the first
 * socket is made. Where this OS or runtime is not supported, or turns out not to be then, everything is as it was and a warning
 * says so; with RECVFROMTO=off in the environment it stays as it is silently.
 * @returns puts node:dgram's own back. Sockets that were made meanwhile go on working.
 */
export function install(): () => void {
  if (process.env.RECVFROMTO === 'off' || MARK in dgram.Socket) return () => {};
  if (!opens(checkHost)) return () => {};
  const original = { createSocket: dgram.createSocket, Socket: dgram.Socket } as Dgram;
  const ours = replacements(original);
  assign(ours);
  return () => assign(original, ours);
}

const WARNING = { type: 'RecvfromtoWarning', code: 'RECVFROMTO_NOT_REGISTERED' };

/** @param only replace these: whoever has wrapped ours in the meantime keeps theirs */
function assign(exports: Dgram, only?: Dgram): void {
  const target = dgram as unknown as Dgram;
  for (const name of ['createSocket', 'Socket'] as const) {
    if (only === undefined || target[name] === only[name]) target[name] = exports[name];
  }
  syncBuiltinESMExports();
}

type Constructor = (this: unknown, ...args: unknown[]) => unknown;

/** Functions rather than a class, as dgram's are: programs call Socket with and without new, and extend it. */
function replacements(original: Dgram): Dgram {
  let supported: boolean | undefined;
  /** Tried with the first socket. */
  const isSupported = (): boolean => {
    if (supported !== undefined) return supported;
    supported = opens(openHost);
    if (supported) return true;
    assign(original, { createSocket, Socket: StickySocket });
    becomeOriginal(StickySocket.prototype, (original.Socket as { prototype: object }).prototype);
    return false;
  };
  function StickySocket(this: unknown, type: SocketType | SocketOptions, listener?: MessageListener): unknown {
    if (isSupported()) return Reflect.apply(Socket as unknown as Constructor, this, [type, listener, undefined, true]);
    return Reflect.apply(original.Socket as Constructor, this, [type, listener]);
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

/** Can sockets be had here? @param open throws where they cannot; a warning says why */
function opens(open: () => void): boolean {
  try {
    open();
    return true;
  } catch (error) {
    // Workers run the same preloads: once per process is enough.
    if (isMainThread()) process.emitWarning(`node:dgram is left as it is: ${(error as Error).message}`, WARNING);
    return false;
  }
}

/** For classes that have extended our Socket already: its prototype has nothing of its own any more. */
function becomeOriginal(prototype: object, original: object): void {
  for (const key of Reflect.ownKeys(prototype)) if (key !== 'constructor') Reflect.deleteProperty(prototype, key);
  Object.setPrototypeOf(prototype, original);
}
