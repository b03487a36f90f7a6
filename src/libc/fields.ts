/** One field of a C struct ↔ what a user reads and writes there: numbers, addresses as text, bytes. */
import { formatIPv4, formatIPv6, parseAddress } from '../address/ip';
import { invalidAddress, invalidArgType, outOfRange } from '../errors';
import type { Type } from '../structs/ref';
import { checkInteger, checkView } from './check';

/** Of a field whose bytes are there. */
export interface Codec {
  get(bytes: Buffer): unknown;
  set(bytes: Buffer, value: unknown): void;
}

interface Field {
  readonly type: Type;
  readonly offset: number;
}

export function codecOf(name: string, field: Field): Codec {
  const { type } = field;
  if (type.name === 'in_addr' || type.name === 'in6_addr') return addressCodec(field);
  if (type.name.startsWith('uint8[')) return bytesCodec(name, field);
  const signed = /^(int|long)/.test(type.name);
  // ref.ts reads these as bigint on every ABI
  const wide = ['int64', 'long', 'size_t'].includes(type.name);
  return wide ? wideCodec(name, field, signed) : intCodec(name, field, signed);
}

function intCodec(name: string, { type, offset }: Field, signed: boolean): Codec {
  const [min, max] = range(type.size, signed);
  return {
    get: (bytes) => type.get(bytes, offset),
    set: (bytes, value) => type.set(bytes, offset, checkInteger(name, value, Number(min), Number(max)) as never),
  };
}

/** Numbers, though a field may hold more than those are exact for. */
function wideCodec(name: string, { type, offset }: Field, signed: boolean): Codec {
  const [min, max] = range(type.size, signed);
  return {
    get: (bytes) => Number(type.get(bytes, offset)),
    set: (bytes, value) => {
      if (typeof value !== 'number' && typeof value !== 'bigint') {
        throw invalidArgType(name, 'of type number or bigint', value);
      }
      if (typeof value === 'number' && !Number.isSafeInteger(value)) throw outOfRange(name, 'a safe integer', value);
      const exact = BigInt(value);
      if (exact < min || exact > max) throw outOfRange(name, `>= ${min} && <= ${max}`, value);
      type.set(bytes, offset, exact as never);
    },
  };
}

function range(size: number, signed: boolean): [bigint, bigint] {
  const bits = BigInt(size * 8);
  return signed ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n] : [0n, (1n << bits) - 1n];
}

/** Text, without a zone: that has a field of its own. Bytes are taken too. */
function addressCodec({ type, offset }: Field): Codec {
  const at = (bytes: Buffer) => bytes.subarray(offset, offset + type.size);
  return {
    get: (bytes) => textOf(at(bytes)),
    set: (bytes, value) =>
      at(bytes).set(typeof value === 'string' ? octetsOf(value, type.size) : exact(value, type.size)),
  };
}

function textOf(octets: Buffer): string {
  const words = new Int32Array(Uint8Array.from(octets).buffer);
  return words.length === 1 ? formatIPv4(words[0]) : formatIPv6(words[0], words[1], words[2], words[3]);
}

function octetsOf(text: string, size: number): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined || address.zone !== '' || (address.family === 4) !== (size === 4))
    throw invalidAddress(text);
  const { word0, word1, word2, word3 } = address;
  return new Uint8Array(Int32Array.of(word0, word1, word2, word3).buffer, 0, size);
}

function exact(value: unknown, size: number): Buffer {
  if (typeof value !== 'object') throw invalidArgType('address', 'of type string or an instance of Buffer', value);
  const bytes = checkView('address', value);
  if (bytes.length !== size) throw outOfRange('address.length', `${size}`, bytes.length);
  return bytes;
}

function bytesCodec(name: string, { type, offset }: Field): Codec {
  return {
    get: (bytes) => bytes.subarray(offset, offset + type.size),
    set: (bytes, value) => {
      const given = checkView(name, value);
      if (given.length !== type.size) throw outOfRange(`${name}.length`, `${type.size}`, given.length);
      bytes.set(given, offset);
    },
  };
}
