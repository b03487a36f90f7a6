/**
 * The `ref` that ref-struct-di takes by injection, in TypeScript: sizes, alignments and accessors of C's basic types
 * for one ABI. ref-struct-di computes layouts from it; nothing here knows a struct or an operating system.
 * Integers that are eight bytes wide on some ABI, and pointers, are read as bigint on every ABI, so that code which
 * uses a struct's properties does not change its types with the CPU; writing takes bigint or number.
 */

/** What the layout of a C struct depends on. */
export interface Abi {
  /** sizeof(void *), and of `long` and `size_t` where the types below are used. */
  readonly pointerSize: 4 | 8;
  readonly endianness: 'LE' | 'BE';
  /** alignof(int64_t) inside a struct: 4 on ia32 except Windows (System V i386 psABI, figure 2-1), else 8. */
  readonly int64Alignment: 4 | 8;
}

/** 64-bit little-endian CPUs, on Windows too: no declaration there has a `long`. */
export const LP64: Abi = { pointerSize: 8, endianness: 'LE', int64Alignment: 8 };
/** 32-bit little-endian CPUs. */
export const ILP32: Abi = { pointerSize: 4, endianness: 'LE', int64Alignment: 8 };
/** The same of System V's i386. */
export const I386: Abi = { pointerSize: 4, endianness: 'LE', int64Alignment: 4 };

/** A C type as ref-struct-di wants it. */
export interface Type {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Bytes. */
  readonly alignment: number;
  /** 1: the value itself. ref-struct-di lays anything above out as a pointer. */
  readonly indirection: number;
  get(bytes: Buffer, offset: number): unknown;
  set(bytes: Buffer, offset: number, value: never): void;
}

/** C's types by name, as wide as the ABI has them. */
export interface Types {
  readonly uint8: Type;
  readonly int16: Type;
  readonly uint16: Type;
  readonly int32: Type;
  readonly uint32: Type;
  readonly int64: Type;
  readonly long: Type;
  readonly size_t: Type;
  readonly pointer: Type;
  /** in_port_t and be32: network order whatever the CPU; the property holds the number itself. */
  readonly be16: Type;
  readonly be32: Type;
  /** in_addr_t and the union inside in6_addr: raw network-order bytes that C aligns like a uint32_t. */
  readonly in_addr: Type;
  readonly in6_addr: Type;
}

/** The part of node-ffi-napi's `ref` that ref-struct-di uses. */
export interface Ref {
  readonly types: Types;
  readonly sizeof: { readonly pointer: number };
  readonly alignof: { readonly pointer: number };
  readonly NULL: Buffer;
  coerceType(type: Type): Type;
  get(bytes: Buffer, offset: number, type: Type): unknown;
  set(bytes: Buffer, offset: number, value: never, type: Type): void;
}

const refs = new Map<string, Ref>();

/** One name per ABI, for memoising. */
export function abiKey(abi: Abi): string {
  return `${abi.pointerSize}${abi.endianness}${abi.int64Alignment}`;
}

/** The `ref` of an ABI; the same object each time. */
export function refFor(abi: Abi): Ref {
  const key = abiKey(abi);
  let ref = refs.get(key);
  if (ref === undefined) {
    ref = {
      types: typesFor(abi),
      sizeof: { pointer: abi.pointerSize },
      alignof: { pointer: abi.pointerSize },
      NULL: Buffer.alloc(0),
      coerceType: (type) => type,
      get: (bytes, offset, type) => type.get(bytes, offset),
      set: (bytes, offset, value, type) => type.set(bytes, offset, value),
    };
    refs.set(key, ref);
  }
  return ref;
}

/**
 * `char[length]`, and anything else that C sees as bytes in memory order. Reading gives a view on the struct, writing
 * copies exactly `length` bytes.
 */
export function bytesType(length: number, alignment = 1): Type {
  return {
    name: `uint8[${length}]`,
    size: length,
    alignment,
    indirection: 1,
    get: (bytes, offset) => bytes.subarray(offset, offset + length),
    set: (bytes: Buffer, offset: number, value: Uint8Array) => {
      if (value.length !== length) {
        throw new RangeError(`expected ${length} bytes, got ${value.length}`);
      }
      bytes.set(value, offset);
    },
  };
}

/** The same type on a wider boundary: what a C union with a wider member, or _Alignas, does to a field. */
export function alignedType(type: Type, alignment: number): Type {
  return { ...type, alignment };
}

function typesFor(abi: Abi): Types {
  const int32 = int(abi, 4, 'Int32');
  const uint32 = int(abi, 4, 'UInt32');
  const wide = abi.pointerSize === 8;
  return {
    uint8: {
      name: 'uint8',
      size: 1,
      alignment: 1,
      indirection: 1,
      get: (bytes, offset) => bytes.readUInt8(offset),
      set: (bytes: Buffer, offset: number, value: number) => bytes.writeUInt8(value, offset),
    },
    int16: int(abi, 2, 'Int16'),
    uint16: int(abi, 2, 'UInt16'),
    int32,
    uint32,
    int64: big(abi, 'int64', 'BigInt64'),
    long: wide ? big(abi, 'long', 'BigInt64') : asBigint('long', int32),
    size_t: wide ? big(abi, 'size_t', 'BigUInt64') : asBigint('size_t', uint32),
    pointer: wide ? big(abi, 'pointer', 'BigUInt64') : asBigint('pointer', uint32),
    be16: { ...int({ ...abi, endianness: 'BE' }, 2, 'UInt16'), name: 'be16' },
    be32: { ...int({ ...abi, endianness: 'BE' }, 4, 'UInt32'), name: 'be32' },
    in_addr: { ...bytesType(4, uint32.alignment), name: 'in_addr' },
    in6_addr: { ...bytesType(16, uint32.alignment), name: 'in6_addr' },
  };
}

function int(abi: Abi, size: 2 | 4, kind: 'Int16' | 'UInt16' | 'Int32' | 'UInt32'): Type {
  const read = `read${kind}${abi.endianness}` as const;
  const write = `write${kind}${abi.endianness}` as const;
  return {
    name: kind.toLowerCase(),
    size,
    alignment: size,
    indirection: 1,
    get: (bytes, offset) => bytes[read](offset),
    set: (bytes: Buffer, offset: number, value: number) => bytes[write](value, offset),
  };
}

function big(abi: Abi, name: string, kind: 'BigInt64' | 'BigUInt64'): Type {
  const read = `read${kind}${abi.endianness}` as const;
  const write = `write${kind}${abi.endianness}` as const;
  return {
    name,
    size: 8,
    alignment: abi.int64Alignment,
    indirection: 1,
    get: (bytes, offset) => bytes[read](offset),
    set: (bytes: Buffer, offset: number, value: bigint | number) => bytes[write](BigInt(value), offset),
  };
}

function asBigint(name: string, type: Type): Type {
  return {
    ...type,
    name,
    get: (bytes, offset) => BigInt(type.get(bytes, offset) as number),
    set: (bytes: Buffer, offset: number, value: bigint | number) => type.set(bytes, offset, Number(value) as never),
  };
}
