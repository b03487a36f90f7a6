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
  const failure = failureOf(checkHost);
  if (failure !== undefined) {
    warn(LEFT, failure);
    return () => {};
  }
  const original = { createSocket: dgram.createSocket, Socket: dgram.Socket } as Dgram;
  const ours = replacements(original);
  assign(ours);
  return () => assign(original, ours);
}

const LEFT = 'node:dgram is left as it is';
const PASSING = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);
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
  /** Tried with the first socket, and again where that had to do without for want of what others may give back. */
  let supported: boolean | undefined;
  let passedOver = false;
  const giveUp = (failure: Error): void => {
    assign(original, { createSocket, Socket: StickySocket });
    becomeOriginal(StickySocket.prototype, (original.Socket as { prototype: object }).prototype);
    supported = false;
    warn(LEFT, failure);
  };
  /** This socket alone is dgram's. Said once: it may go on. */
  const passOver = (failure: Error): void => {
    if (passedOver) return;
    const value = isInstanceOf(StickySocket, original.Socket as Constructor);
    Object.defineProperty(StickySocket, Symbol.hasInstance, { value });
    passedOver = true;
    warn("for now, sockets are node:dgram's", failure);
  };
  function StickySocket(this: unknown, type: SocketType | SocketOptions, listener?: MessageListener): unknown {
    if (supported === undefined) {
      const failure = failureOf(openHost);
      if (failure === undefined) supported = true;
      else if (isPassing(failure) && new.target === StickySocket) {
        passOver(failure);
        return Reflect.construct(original.Socket as Constructor, [type, listener]);
      } else if (isOverflow(failure)) throw failure;
      else giveUp(failure); // one of a class that has our prototype, or whose constructor has been called
    }
    if (!supported) return Reflect.apply(original.Socket as Constructor, this, [type, listener]);
    return Reflect.apply(Socket as unknown as Constructor, this, [type, listener, undefined, true]);
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

/** → what it throws */
function failureOf(open: () => void): Error | undefined {
  try {
    open();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Workers run the same preloads: once per process is enough. */
function warn(what: string, { message }: Error): void {
  try {
    if (isMainThread()) process.emitWarning(`${what}: ${message}`, WARNING);
  } catch {
    // Node cannot make warnings where Error.prototype is frozen; the program runs all the same.
  }
}

/** No descriptor or no memory to be had, or no room on the stack of whoever has asked. */
function isPassing(failure: Error): boolean {
  return PASSING.has((failure as NodeJS.ErrnoException).code ?? '') || isOverflow(failure);
}

/** V8 says so in other words of a regular expression. */
function isOverflow(failure: Error): boolean {
  return failure instanceof RangeError || failure.message.endsWith('Stack overflow');
}

/** `instanceof` of a constructor whose objects may also be another's. Classes that extend it have their own. */
function isInstanceOf(own: unknown, other: Constructor) {
  const ordinary = Function.prototype[Symbol.hasInstance];
  return function hasInstance(this: unknown, value: unknown): boolean {
    return Reflect.apply(ordinary, this, [value]) || (this === own && value instanceof other);
  };
}

/** For classes that have extended our Socket already: its prototype has nothing of its own any more. */
function becomeOriginal(prototype: object, original: object): void {
  for (const key of Reflect.ownKeys(prototype)) if (key !== 'constructor') Reflect.deleteProperty(prototype, key);
  Object.setPrototypeOf(prototype, original);
}
