/** The overloads of send(), as lib/dgram.js sorts them, into one record. Where its code and its manual differ, its code. */

import type { Payload } from '../datagram/send-ring';
import { kindOf, lengthOf } from '../datagram/typed-arrays';
import { alreadyConnected, badPort, invalidArgType, invalidMessage, outOfBounds } from '../errors';
import type { BindOptions, SendCallback, SendOptions } from '../types';
import { isUdpHandle, type UdpHandle } from './life/cluster';

export interface SendArguments {
  readonly payload: Payload;
  /** 0 on a connected socket. */
  readonly port: number;
  readonly address: string | undefined;
  /** Of the overload send(msg, options). */
  readonly options: SendOptions | undefined;
  readonly callback: SendCallback | undefined;
}

/**
 * @throws ERR_INVALID_ARG_TYPE, ERR_BUFFER_OUT_OF_BOUNDS, ERR_SOCKET_BAD_PORT, ERR_SOCKET_DGRAM_IS_CONNECTED; TypeError
 * for a detached buffer
 */
export function sendArguments(connected: boolean, args: readonly unknown[]): SendArguments {
  // By index: to take an array apart by its iterator costs more than all that is asked here.
  const second = args[1];
  const third = args[2];
  // dgram takes an object for an offset of 0, if a length follows.
  const lone = third === undefined || third === null || typeof third === 'function';
  if (second !== null && typeof second === 'object' && lone) return optionArguments(connected, args[0], second, third);
  return connected ? toPeer(args) : toAddress(args);
}

/** → bytes that may be copied. @throws ERR_INVALID_ARG_TYPE; TypeError for a detached buffer */
export function payloadOf(message: unknown): Payload {
  // What most messages are: bytes, and some of them.
  if (kindOf(message) === 'Uint8Array' && lengthOf(message as Uint8Array) > 0) return message as Uint8Array;
  if (Array.isArray(message)) {
    // Not by map(), which a subclass may have of its own, and which leaves holes
    return Array.from({ length: message.length }, (_, index) => {
      const part: unknown = message[index];
      const bytes = bytesOf(part) ?? fail(invalidMessage('buffer list arguments', message));
      if (ArrayBuffer.isView(part)) checkAttached(part);
      return bytes;
    });
  }
  return bytesOf(message) ?? fail(invalidMessage('buffer', message));
}

/** What bind() was asked for. */
export interface BindArguments {
  /** libuv's handle of a descriptor. */
  readonly handle?: UdpHandle;
  readonly fd?: number;
  readonly port: number;
  /** The port as it was given, for errors. */
  readonly given: unknown;
  /** '' and other nothings: any. No string: the look-up will say so. */
  readonly address: string;
  readonly exclusive: boolean;
}

/** @throws ERR_SOCKET_BAD_PORT */
export function bindArguments([first, second]: readonly unknown[]): BindArguments {
  if (first === null || typeof first !== 'object') {
    const address = (typeof second === 'function' ? '' : second) as string;
    return { port: bindPort(first), given: first, address, exclusive: false };
  }
  const { fd, port, address, exclusive } = first as BindOptions;
  const wanted = { port: 0, given: port, address: address || '', exclusive: Boolean(exclusive) };
  if (isUdpHandle(first)) return { ...wanted, handle: first };
  if (Number.isInteger(fd) && (fd as number) > 0) return { ...wanted, fd: fd as number };
  return { ...wanted, port: bindPort(port) };
}

/** As lenient as dgram with what is no number (null, words, a callback: any port), but a number must be a port. */
function bindPort(port: unknown): number {
  const isNumber = typeof port === 'number' || typeof port === 'bigint';
  const number = typeof port === 'function' || typeof port === 'symbol' ? 0 : Number(isNumber ? port : port || 0);
  if (number === (number & 0xffff)) return number;
  if (Number.isNaN(number) && !isNumber) return 0;
  throw badPort(port, true);
}

/** @throws ERR_INVALID_ARG_TYPE */
export function sendtoArguments(offset: unknown, length: unknown, port: unknown, address: unknown): void {
  for (const [name, value] of Object.entries({ offset, length, port })) {
    if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  }
  if (typeof address !== 'string') throw invalidArgType('address', 'of type string', address);
}

/** As Node's validatePort. → the number */
export function checkPort(port: unknown, zero: boolean, name = 'Port'): number {
  const number = typeof port === 'symbol' ? Number.NaN : Number(port);
  const valid =
    (typeof port === 'number' || typeof port === 'string') &&
    !(typeof port === 'string' && port.trim().length === 0) &&
    number === number >>> 0 &&
    number <= 0xffff &&
    (number !== 0 || zero);
  if (!valid) throw badPort(port, zero, name);
  return number;
}

/** send(msg, options [, callback]) */
export function optionArguments(
  connected: boolean,
  message: unknown,
  options: SendOptions,
  callback: unknown,
): SendArguments {
  if (connected && (options.port || options.address)) throw alreadyConnected();
  return {
    payload: payloadOf(message),
    // Without a port it is what dgram takes it for: no port itself
    port: connected ? 0 : checkPort(options.port ?? options, false),
    address: checkAddress(options.address),
    options,
    callback: functionOr(callback),
  };
}

/** send(msg, offset, length, port [, address] [, callback]) and send(msg, port [, address] [, callback]) */
function toAddress(args: readonly unknown[]): SendArguments {
  const port = args[3];
  const sliced = Boolean(args[4]) || (Boolean(port) && typeof port !== 'function');
  const payload = sliced ? slice(args[0], args[1], args[2]) : payloadOf(args[0]);
  const to = sliced ? port : args[1];
  const host = sliced ? args[4] : args[2];
  const last = sliced ? args[5] : port;
  const checked = checkPort(to, false);
  if (typeof host === 'function')
    return { payload, port: checked, address: undefined, options: undefined, callback: functionOr(host) };
  return { payload, port: checked, address: checkAddress(host), options: undefined, callback: functionOr(last) };
}

/** send(msg, offset, length [, callback]) and send(msg [, callback]) on a connected socket */
function toPeer([message, offset, length, port, address, callback]: readonly unknown[]): SendArguments {
  const sliced = typeof length === 'number';
  const part = sliced ? slice(message, offset, length) : undefined;
  const portIsCallback = sliced && typeof port === 'function';
  if ((port && !portIsCallback) || address) throw alreadyConnected();
  const payload = part ?? payloadOf(message);
  checkAddress(address);
  const last = sliced ? (portIsCallback ? port : callback) : offset;
  return { payload, port: 0, address: undefined, options: undefined, callback: functionOr(last) };
}

function slice(message: unknown, offset: unknown, length: unknown): Uint8Array {
  const bytes = bytesOf(message) ?? fail(invalidMessage('buffer', message));
  if (ArrayBuffer.isView(message)) void message.byteLength; // a DataView whose memory is gone throws
  const start = (offset as number) >>> 0;
  const size = (length as number) >>> 0;
  if (start > bytes.length) throw outOfBounds('offset');
  if (start + size > bytes.length) throw outOfBounds('length');
  if (ArrayBuffer.isView(message)) checkAttached(message);
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, size); // subarray() may be a subclass's own
}

function checkAddress(address: unknown): string | undefined {
  if (address === undefined || address === null) return undefined;
  if (typeof address !== 'string') throw invalidArgType('address', 'of type string', address);
  return address;
}

function functionOr(callback: unknown): SendCallback | undefined {
  return typeof callback === 'function' ? (callback as SendCallback) : undefined;
}

/** undefined when it is no message. Not instanceof: under Jest a Buffer may be of another realm. */
const EMPTY = new Uint8Array(0);

function bytesOf(message: unknown): Uint8Array | undefined {
  if (typeof message === 'string') return Buffer.from(message);
  if (!ArrayBuffer.isView(message)) return undefined;
  // Memory that was transferred, or shrank away: dgram sends what there is to see, which is nothing.
  if (sizeOf(message) === 0) return EMPTY;
  if ((message as Uint8Array).BYTES_PER_ELEMENT === 1) return message as Uint8Array;
  return new Uint8Array(message.buffer, message.byteOffset, message.byteLength);
}

/** A DataView throws where other views of memory that is gone look empty. */
function sizeOf(view: ArrayBufferView): number {
  try {
    return view.byteLength;
  } catch {
    return 0;
  }
}

/** Constructing on a detached buffer throws, as it does where dgram slices and gathers. @throws TypeError */
function checkAttached(view: ArrayBufferView): void {
  if (sizeOf(view) === 0) void new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function fail(error: Error): never {
  throw error;
}
