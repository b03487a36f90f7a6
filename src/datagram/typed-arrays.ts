/**
 * Methods and getters of typed arrays, found once: whatever a subclass of a program says (pointers are computed from them), and
 * without V8's looking them up at each call.
 */

const prototype = Object.getPrototypeOf(Uint8Array.prototype);

const getter = <Of, Result>(name: 'length' | 'buffer' | 'byteOffset' | typeof Symbol.toStringTag) =>
  Function.prototype.call.bind(Object.getOwnPropertyDescriptor(prototype, name)?.get as () => Result) as (
    bytes: Of,
  ) => Result;

export const lengthOf = getter<Uint8Array, number>('length');
export const bufferOf = getter<Uint8Array, ArrayBuffer>('buffer');
export const byteOffsetOf = getter<Uint8Array, number>('byteOffset');
/** 'Uint8Array' for a Buffer as well, undefined for what is no typed array. */
export const kindOf = getter<unknown, string | undefined>(Symbol.toStringTag);

/** To be called on the target, as `copy.call(target, source, at)`. */
export const copy = Uint8Array.prototype.set;
