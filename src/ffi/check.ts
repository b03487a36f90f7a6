/**
 * Checks what goes into a C call. koffi takes anything for anything: a number for a pointer is an address, NaN is 0,
 * 1.9 is 1, 2³²+5 is 5, a string is copied to a temporary. A failing check is a bug of ours, so these throw.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import { READABLE, WRITABLE } from './readiness';

export function checkDescriptor(fd: number): void {
  if (typeof fd !== 'number' || (fd | 0) !== fd) checkInt('fd', fd);
  if (fd < 0) throw new RangeError(`fd must not be negative, is ${fd}`);
}

/** A C int. */
export function checkInt(what: string, value: number): void {
  if (typeof value !== 'number' || (value | 0) !== value) throw new TypeError(`${what} must be an int32, is ${value}`);
}

export function checkUnsigned(what: string, value: number): void {
  if (typeof value !== 'number' || value >>> 0 !== value) throw new TypeError(`${what} must be a uint32, is ${value}`);
}

/** What a Watcher may wait for. */
export function checkEvents(events: number): void {
  checkInt('events', events);
  if ((events & ~(READABLE | WRITABLE)) === 0) return;
  throw new RangeError(`events must be of READABLE, WRITABLE: ${events}`);
}

export function checkReady(ready: unknown): void {
  const waiter =
    ready !== null && typeof ready === 'object' && typeof (ready as { ready?: unknown }).ready === 'function';
  if (typeof ready !== 'function' && !waiter) throw new TypeError('ready must be a function, or have one of that name');
}

/** Bytes whose address C gets. A detached Buffer has length 0 and no address, so empty ones are refused too. */
export function checkBytes(what: string, bytes: Buffer, least = 1): void {
  if (!Buffer.isBuffer(bytes)) throw new TypeError(`${what} must be a Buffer, is ${typeof bytes}`);
  if (bytes.length < least) throw new RangeError(`${what} must have at least ${least} bytes, has ${bytes.length}`);
}

/** Bytes whose address is asked for. */
export function checkAddressable(bytes: Uint8Array): void {
  if (!ArrayBuffer.isView(bytes)) throw new TypeError(`bytes must be a Buffer or Uint8Array, is ${typeof bytes}`);
  if (bytes.length === 0) throw new RangeError('bytes must have at least 1 bytes, has 0'); // a detached one has none
}
