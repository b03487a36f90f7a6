/**
 * The only file that knows ref-struct-di. Turns a list of C fields into a struct type laid out for one ABI;
 * ref-struct-di computes offsets, padding and size from the sizes and alignments that `ref.ts` gives it.
 * Called by the files beside it, which declare each struct once per variant.
 */
import type { Abi, Type, Types } from './ref';
import { abiKey, refFor } from './ref';

/** Bytes of a struct with a property per field; `ref()` are the bytes. */
export type Instance<Field extends string> = Record<Field, unknown> & { ref(): Buffer };

/** A C struct type: its layout, and a constructor that puts typed properties on the bytes. */
export interface StructType<Field extends string = string> extends Type {
  /** sizeof, in bytes. */
  readonly size: number;
  /** alignof, in bytes. */
  readonly alignment: number;
  /** offsetof and type of each field, in C's order. */
  readonly fields: Readonly<Record<Field, { readonly type: Type; readonly offset: number }>>;
  /** New zeroed bytes, or `bytes` as they are; `values` are assigned to the fields. For cold paths. */
  new (values?: Partial<Record<Field, unknown>>): Instance<Field>;
  new (bytes: Buffer, values?: Partial<Record<Field, unknown>>): Instance<Field>;
}

/** A struct whose layout waits for an ABI. The same ABI gives the same type. */
export type Declaration<Field extends string> = (abi: Abi) => StructType<Field>;

/** Struct types by C name. */
export type Structs<Declarations extends Record<string, (abi: Abi) => StructType>> = {
  readonly [Name in keyof Declarations]: ReturnType<Declarations[Name]>;
};

/** The structs of one OS for one ABI. Each is laid out when it is first asked for: few programs need all of them. */
export function structsOf<Declarations extends Record<string, (abi: Abi) => StructType>>(
  abi: Abi,
  declarations: Declarations,
): Structs<Declarations> {
  const makers = Object.entries(declarations).map(([name, declaration]) => [name, () => declaration(abi)]);
  return lazily({}, Object.fromEntries(makers)) as Structs<Declarations>;
}

/** `object` with more properties, each of which is made when it is first read. */
export function lazily<T extends object, Makers extends Record<string, () => unknown>>(
  object: T,
  makers: Makers,
): T & { readonly [Name in keyof Makers]: ReturnType<Makers[Name]> } {
  for (const [name, make] of Object.entries(makers)) {
    const set = (value: unknown) =>
      Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
    const get = () => {
      const value = make();
      set(value);
      return value;
    };
    Object.defineProperty(object, name, { get, set, enumerable: true, configurable: true });
  }
  return object as ReturnType<typeof lazily<T, Makers>>;
}

type Define = (fields: Record<string, Type>, options?: { packed: boolean }) => StructType;

const definers = new Map<string, Define>();

/**
 * Declares a struct: `fields` in C's order, by C's names.
 * `packed`: C's `#pragma pack`, with the smallest alignment among the fields as the pack value.
 */
export function declare<Field extends string>(
  fields: (types: Types, abi: Abi) => Record<Field, Type>,
  options?: { packed: true },
): Declaration<Field> {
  const known = new Map<string, StructType<Field>>();
  return (abi) => {
    const key = abiKey(abi);
    let type = known.get(key);
    if (type === undefined) {
      type = definerFor(abi)(fields(refFor(abi).types, abi), options) as StructType<Field>;
      known.set(key, type);
    }
    return type;
  };
}

/** ref-struct-di is loaded on first use: what it depends on takes time, which importing us must not. */
function definerFor(abi: Abi): Define {
  const key = abiKey(abi);
  let define = definers.get(key);
  if (define === undefined) {
    const refStruct = require('ref-struct-di') as (ref: unknown) => Define;
    define = refStruct(refFor(abi));
    definers.set(key, define);
  }
  return define;
}
