/** The parts of a msghdr (WSAMSG) as its struct holds them: bytes that are there, as long as its lengths say. */
import { outOfRange } from '../errors';
import type { Platform } from '../platform/platform';
import { checkView } from './check';
import type { Parts } from './message';
import { isStruct, pointed, type StructBase } from './struct';

/** Where a part of a message is: which struct of the message, its pointer and its length. */
interface Part {
  /** A struct inside the message: WSAMSG.Control */
  readonly inside?: string;
  readonly pointer: string;
  readonly length: string;
}

export interface HeaderFields {
  readonly struct: 'msghdr' | 'WSAMSG';
  readonly name: Part;
  readonly iov: Part;
  readonly entry: Part;
  readonly control: Part;
  readonly flags: string;
}

const POSIX: HeaderFields = {
  struct: 'msghdr',
  name: { pointer: 'msg_name', length: 'msg_namelen' },
  iov: { pointer: 'msg_iov', length: 'msg_iovlen' },
  entry: { pointer: 'iov_base', length: 'iov_len' },
  control: { pointer: 'msg_control', length: 'msg_controllen' },
  flags: 'msg_flags',
};

const WINSOCK: HeaderFields = {
  struct: 'WSAMSG',
  name: { pointer: 'name', length: 'namelen' },
  iov: { pointer: 'lpBuffers', length: 'dwBufferCount' },
  entry: { pointer: 'buf', length: 'len' },
  control: { inside: 'Control', pointer: 'buf', length: 'len' },
  flags: 'dwFlags',
};

export function headerFields(platform: Platform): HeaderFields {
  return platform.calls === 'winsock' ? WINSOCK : POSIX;
}

/** A field of a struct; its properties are declared by name only. */
function get(struct: StructBase, field: string): unknown {
  return (struct as unknown as Record<string, unknown>)[field];
}

export function set(struct: StructBase, field: string, value: unknown): void {
  (struct as unknown as Record<string, unknown>)[field] = value;
}

export function structOf(message: StructBase, { inside }: Part): StructBase {
  return inside === undefined ? message : (get(message, inside) as StructBase);
}

/**
 * The bytes that a pointer and its length stand for, as they are now; undefined for NULL or nothing.
 * @throws ERR_OUT_OF_RANGE where there are fewer, as after a detach
 */
export function partOf(message: StructBase, part: Part, what: string): Buffer | undefined {
  const struct = structOf(message, part);
  const length = get(struct, part.length) as number;
  const value = pointed(struct, part.pointer);
  if (length === 0) return undefined;
  const bytes =
    value === null
      ? Buffer.alloc(0)
      : isStruct(value)
        ? value.buffer
        : checkView(what, value as NodeJS.ArrayBufferView);
  if (length < 0 || length > bytes.length) throw outOfRange(part.length, `>= 0 && <= ${bytes.length}`, length);
  return bytes.subarray(0, length);
}

/** @throws ERR_OUT_OF_RANGE where a length is more than there is */
export function partsOf(platform: Platform, message: StructBase): Parts {
  const fields = headerFields(platform);
  const vector = (pointed(message, fields.iov.pointer) ?? []) as readonly StructBase[];
  const count = get(message, fields.iov.length) as number;
  if (count < 0 || count > vector.length) throw outOfRange(fields.iov.length, `>= 0 && <= ${vector.length}`, count);
  const iov = vector.slice(0, count).map((entry) => partOf(entry, fields.entry, fields.entry.pointer) ?? NOTHING);
  return {
    name: partOf(message, fields.name, fields.name.pointer),
    iov,
    control: partOf(message, fields.control, fields.control.pointer),
  };
}

const NOTHING = Buffer.alloc(0);
