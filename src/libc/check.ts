/** Checks of what users hand to C. Each value is read once, before this; what comes back is what is used. */
import { types } from 'node:util';
import { badPort, invalidArgType, outOfRange } from '../errors';

/** The largest that a C int holds. */
export const INT_MAX = 2 ** 31 - 1;

/** @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE */
export function checkInteger(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value)) throw outOfRange(name, 'an integer', value);
  if (value < min || value > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
  return value === 0 ? 0 : value; // -0
}

/** As node:fs says it. */
export function checkFd(fd: unknown): number {
  return checkInteger('fd', fd, 0, INT_MAX);
}

/** A C int, or the bits of an unsigned one. → the int */
export function checkInt(name: string, value: unknown): number {
  return checkInteger(name, value, -(2 ** 31), 2 ** 32 - 1) | 0;
}

export function checkPort(port: unknown, zero: boolean): number {
  if (typeof port !== 'number' || !Number.isInteger(port) || port < (zero ? 0 : 1) || port > 65535) {
    throw badPort(port, zero);
  }
  return port;
}

/** @throws ERR_INVALID_ARG_TYPE */
export function checkObject(name: string, value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || typeof value !== 'object') throw invalidArgType(name, 'of type object', value);
  return value as Readonly<Record<string, unknown>>;
}

export function checkOptions(name: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined ? {} : checkObject(name, value);
}

type View<T> = { readonly buffer: ArrayBufferLike; readonly byteOffset: number; readonly byteLength: number } & T;

/** The engine's own getters: a property of that name on the object itself would stand before them, and lie. */
function gettersOf<T>(prototype: T) {
  const getter = (name: 'buffer' | 'byteOffset' | 'byteLength') => {
    const { get } = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
    return get as (this: unknown) => unknown;
  };
  const [buffer, byteOffset, byteLength] = [getter('buffer'), getter('byteOffset'), getter('byteLength')];
  return (view: unknown) =>
    Buffer.from(
      buffer.call(view) as View<T>['buffer'],
      byteOffset.call(view) as number,
      byteLength.call(view) as number,
    );
}

const bytesOfTypedArray = gettersOf(Object.getPrototypeOf(Uint8Array.prototype) as Uint8Array);
const bytesOfDataView = gettersOf(DataView.prototype);

/**
 * The bytes behind a view, not copied: what is written there the caller sees. A detached view has none.
 * @throws ERR_INVALID_ARG_TYPE
 */
export function checkView(name: string, value: unknown): Buffer {
  const bytesOf = types.isTypedArray(value) ? bytesOfTypedArray : bytesOfDataView;
  if (!types.isTypedArray(value) && !types.isDataView(value)) {
    throw invalidArgType(name, 'an instance of Buffer, TypedArray, or DataView', value);
  }
  try {
    return bytesOf(value);
  } catch {
    return Buffer.alloc(0); // detached, or outside of an ArrayBuffer that shrank
  }
}
