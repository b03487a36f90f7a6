/**
 * The caller's bytes as a kernel reads them, by the fixtures alone (test/abi/fixtures): messages, socket addresses and
 * control messages of one OS on one CPU. Must not import anything of src/: it is there to check it.
 */
import ipaddr from 'ipaddr.js';
import type { Facts } from '../abi/facts';
import { bytesOf, isIPv6 } from './net';

/** A socket address. `address` is plain IPv4 when it came mapped; `mapped` says so. */
export interface Name {
  readonly family: 4 | 6;
  readonly address: string;
  readonly port: number;
  readonly scope: number;
  readonly mapped: boolean;
}

/** One control message. */
export interface Cmsg {
  readonly level: number;
  readonly type: number;
  readonly data: Buffer;
}

type Field = { readonly offset: number; readonly size: number };
/** What a message header has, by POSIX's names without `msg_`. */
const POSIX = {
  name: 'msg_name',
  namelen: 'msg_namelen',
  iov: 'msg_iov',
  iovlen: 'msg_iovlen',
  control: 'msg_control',
  controllen: 'msg_controllen',
  flags: 'msg_flags',
} as const;
const WINSOCK: Record<keyof typeof POSIX, string> = {
  name: 'name',
  namelen: 'namelen',
  iov: 'lpBuffers',
  iovlen: 'dwBufferCount',
  control: 'Control.buf',
  controllen: 'Control.len',
  flags: 'dwFlags',
};

export type HeaderField = keyof typeof POSIX | 'len';

export class Abi {
  readonly facts: Facts;
  readonly pointerSize: number;
  readonly #fields: Readonly<Record<HeaderField, Field>>;
  /** Bytes from one message of an array to the next. */
  readonly stride: number;
  readonly #iovec: { readonly size: number; readonly base: Field; readonly len: Field };
  readonly #cmsghdr: string;

  constructor(facts: Facts) {
    this.facts = facts;
    const winsock = facts.os === 'win32';
    const header = winsock ? 'WSAMSG' : 'msghdr';
    const { size, align } = facts.struct(header)!;
    const batch = facts.struct('mmsghdr');
    // Without recvmmsg the array is the caller's own: a header and a 32-bit length behind it.
    const len = batch === undefined ? { offset: size, size: 4 } : facts.field('mmsghdr', 'msg_len');
    const fields = Object.entries(winsock ? WINSOCK : POSIX).map(([key, name]) => [key, facts.field(header, name)]);
    this.#fields = { ...Object.fromEntries(fields), len };
    this.stride = batch?.size ?? Math.ceil((size + 4) / align) * align;
    this.#iovec = winsock
      ? { size: facts.struct('WSABUF')!.size, base: facts.field('WSABUF', 'buf'), len: facts.field('WSABUF', 'len') }
      : {
          size: facts.struct('iovec')!.size,
          base: facts.field('iovec', 'iov_base'),
          len: facts.field('iovec', 'iov_len'),
        };
    this.#cmsghdr = winsock ? 'WSACMSGHDR' : 'cmsghdr';
    this.pointerSize = this.#fields.name.size;
  }

  /** Message `index` of an array; undefined where the array ends before it. */
  message(array: Buffer, index: number): Message | undefined {
    const start = index * this.stride;
    if (start + this.stride > array.length) return undefined;
    return new Message(array.subarray(start, start + this.stride), this.#fields);
  }

  get iovecSize(): number {
    return this.#iovec.size;
  }

  iovec(bytes: Buffer): { base: bigint; len: number } {
    return { base: unsigned(bytes, this.#iovec.base), len: Number(unsigned(bytes, this.#iovec.len)) };
  }

  get sockaddrSize(): { readonly 4: number; readonly 6: number } {
    return { 4: this.facts.struct('sockaddr_in')!.size, 6: this.facts.struct('sockaddr_in6')!.size };
  }

  /** sa_family of a name. */
  family(name: Buffer): number {
    return Number(unsigned(name, this.facts.field('sockaddr_in', 'sin_family')));
  }

  /** sa_len of a name, on the systems that have one. */
  saLen(name: Buffer): number {
    return name[0];
  }

  /** The name's address by its own family; undefined for another one or too few bytes. */
  readName(name: Buffer): Name | undefined {
    const { facts } = this;
    const family = this.family(name);
    const port = (struct: string, field: string) => name.readUInt16BE(facts.field(struct, field).offset);
    if (family === facts.number('AF_INET') && name.length >= this.sockaddrSize[4]) {
      const address = addressText(slice(name, facts.field('sockaddr_in', 'sin_addr')));
      return { family: 4, address, port: port('sockaddr_in', 'sin_port'), scope: 0, mapped: false };
    }
    if (family === facts.number('AF_INET6') && name.length >= this.sockaddrSize[6]) {
      const bytes = slice(name, facts.field('sockaddr_in6', 'sin6_addr'));
      const scope = Number(unsigned(name, facts.field('sockaddr_in6', 'sin6_scope_id')));
      const mapped = isMapped(bytes);
      const address = mapped ? addressText(bytes.subarray(12)) : addressText(bytes);
      return { family: 6, address, port: port('sockaddr_in6', 'sin6_port'), scope, mapped };
    }
    return undefined;
  }

  /** @param family of the socket: an IPv4 address on an IPv6 one is mapped */
  writeName(family: 4 | 6, address: string, port: number, scope = 0): Buffer {
    const { facts } = this;
    const struct = family === 4 ? 'sockaddr_in' : 'sockaddr_in6';
    const prefix = family === 4 ? 'sin' : 'sin6';
    const name = Buffer.alloc(this.sockaddrSize[family]);
    if (facts.saLen) name[0] = name.length;
    put(name, facts.field(struct, `${prefix}_family`), facts.number(family === 4 ? 'AF_INET' : 'AF_INET6'));
    name.writeUInt16BE(port, facts.field(struct, `${prefix}_port`).offset);
    const bytes = family === 4 || isIPv6(address) ? bytesOf(address) : mappedBytes(address);
    name.set(bytes, facts.field(struct, `${prefix}_addr`).offset);
    if (family === 6) put(name, facts.field(struct, 'sin6_scope_id'), scope);
    return name;
  }

  struct(name: string, values: Record<string, number | Uint8Array>): Buffer {
    const bytes = Buffer.alloc(this.facts.struct(name)!.size);
    for (const [field, value] of Object.entries(values)) {
      const at = this.facts.field(name, field);
      if (typeof value === 'number') put(bytes, at, value);
      else bytes.set(value, at.offset);
    }
    return bytes;
  }

  bytes(struct: string, field: string, from: Buffer): Buffer {
    return slice(from, this.facts.field(struct, field));
  }

  number(struct: string, field: string, from: Buffer): number {
    return Number(unsigned(from, this.facts.field(struct, field)));
  }

  /** sizeof(struct cmsghdr) */
  get headerSize(): number {
    return this.facts.struct(this.#cmsghdr)!.size;
  }

  align(length: number): number {
    const { alignQuantum } = this.facts.cmsg;
    return Math.ceil(length / alignQuantum) * alignQuantum;
  }

  /** The header at `at`; `data` ends with the buffer if cmsg_len says more. */
  cmsg(control: Buffer, at: number): Cmsg & { readonly len: number } {
    const header = control.subarray(at, at + this.headerSize);
    const field = (name: string) => Number(unsigned(header, this.facts.field(this.#cmsghdr, name)));
    const len = field('cmsg_len');
    const data = control.subarray(at + this.facts.cmsg.dataOffset, Math.max(at + this.facts.cmsg.dataOffset, at + len));
    return { len, level: field('cmsg_level') | 0, type: field('cmsg_type') | 0, data };
  }

  setCmsgLength(message: Buffer, length: number): void {
    put(message, this.facts.field(this.#cmsghdr, 'cmsg_len'), length);
  }

  /** One whole control message. Its padding is not zeroed by every kernel: here it is junk. */
  encodeCmsg({ level, type, data }: Cmsg): Buffer {
    const { dataOffset } = this.facts.cmsg;
    const bytes = Buffer.alloc(dataOffset + this.align(data.length), 0xa5);
    const set = (name: string, value: number) => put(bytes, this.facts.field(this.#cmsghdr, name), value);
    set('cmsg_len', dataOffset + data.length);
    set('cmsg_level', level);
    set('cmsg_type', type);
    bytes.set(data, dataOffset);
    return bytes;
  }
}

/** One message header and its length, wherever this OS has them. */
export class Message {
  readonly #bytes: Buffer;
  readonly #fields: Readonly<Record<HeaderField, Field>>;

  constructor(bytes: Buffer, fields: Readonly<Record<HeaderField, Field>>) {
    this.#bytes = bytes;
    this.#fields = fields;
  }

  get(field: HeaderField): number {
    return Number(unsigned(this.#bytes, this.#fields[field]));
  }

  pointer(field: 'name' | 'iov' | 'control'): bigint {
    return unsigned(this.#bytes, this.#fields[field]);
  }

  set(field: HeaderField, value: number): void {
    put(this.#bytes, this.#fields[field], value);
  }
}

export function addressText(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString();
}

export function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 12).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
}

export function mappedBytes(ipv4: string): number[] {
  return [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...bytesOf(ipv4)];
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function slice(bytes: Buffer, { offset, size }: Field): Buffer {
  return bytes.subarray(offset, offset + size);
}

/** Every system here is little-endian. */
function unsigned(bytes: Buffer, { offset, size }: Field): bigint {
  return size === 8 ? bytes.readBigUInt64LE(offset) : BigInt(bytes.readUIntLE(offset, size));
}

function put(bytes: Buffer, { offset, size }: Field, value: number): void {
  if (size === 8) bytes.writeBigInt64LE(BigInt(value), offset);
  else bytes.writeUIntLE(size === 4 ? value >>> 0 : value, offset, size);
}
