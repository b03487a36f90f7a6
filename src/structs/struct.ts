/**
 * The only file that knows ref-struct-di. Turns a list of C fields into a struct type laid out for one ABI;
 * ref-struct-di computes offsets, padding and size from the sizes and alignments that `ref.ts` gives it.
 * Called by the files beside it, which declare each struct once per variant.
 */
import type { Abi, Ref, Type } from './ref';
import { refFor } from './ref';

/** A C struct type: its layout, and a constructor that puts typed properties on the bytes. */
export interface StructType<Field extends string = string> {
  /** sizeof, in bytes. */
  readonly size: number;
  /** alignof, in bytes. */
  readonly alignment: number;
  /** offsetof and type of each field, in C's order. */
  readonly fields: Readonly<Record<Field, { readonly type: Type; readonly offset: number }>>;
  /** Wraps `bytes` (or new zeroed bytes); `values` are assigned to the fields. For cold paths. */
  new (bytes?: Buffer, values?: Partial<Record<Field, unknown>>): Record<Field, never> & { ref(): Buffer };
}
