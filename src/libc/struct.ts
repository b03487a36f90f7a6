/**
 * C structs as users have them: properties over bytes, checked at every access, that print themselves. Pointers are
 * never numbers: a struct holds what it points at, and the bytes of a pointer stay zero. Addresses are made for the
 * time of one call, from what is held then (message.ts), so that no byte a user writes can lead the kernel astray.
 */
import { type InspectOptions, inspect, types } from 'node:util';
import { invalidArgType, invalidArgValue, outOfRange } from '../errors';
import type { StructType } from '../structs/struct';
import { checkObject, checkView } from './check';
import { type Codec, codecOf } from './fields';
import type { Bytes, Struct, StructClass } from './struct-types';

/** What a pointer may lead to: bytes, or structs of one type one behind the other. */
export type Target = 'bytes' | 'name' | { readonly vectorOf: string };

export interface PointerRule {
  readonly to: Target;
  /** The field that says how much there is. */
  readonly length: string;
}

/** One struct of one OS. */
export interface Layout {
  readonly name: string;
  readonly type: StructType;
  /** By field. */
  readonly pointers: Readonly<Record<string, PointerRule>>;
  /** By C name, for vectors and for structs inside others. */
  classOf(name: string): StructClass<object>;
  nameOf(type: unknown): string | undefined;
  /** '2 (AF_INET)' for a number that has a name. */
  explain(instance: Readonly<Record<string, unknown>>, field: string): string | undefined;
}

type Pointed = Bytes | readonly StructBase[] | null;

// What the other files here may do with a struct, and users may not: set where its private fields can be seen.
/** All the bytes that the struct was put on, which may be more than its size. @throws ERR_OUT_OF_RANGE when they are gone */
export let view: (instance: StructBase) => Buffer;
export let isStruct: (value: unknown) => value is StructBase;
export let layoutOf: (instance: StructBase) => Layout;
/** What a pointer leads to. */
export let pointed: (instance: StructBase, field: string) => Pointed;
let point: (instance: StructBase, field: string, value: Pointed) => void;
let inner: (instance: StructBase, field: string, name: string) => StructBase;

export class StructBase implements Struct {
  readonly #layout: Layout;
  readonly #bytes: Buffer;
  /** What the pointers lead to. */
  readonly #pointed = new Map<string, Pointed>();
  readonly #inner = new Map<string, StructBase>();

  constructor(layout: Layout, first: unknown, second: unknown) {
    const onBytes = types.isTypedArray(first) || types.isDataView(first) || isStruct(first);
    this.#layout = layout;
    this.#bytes = onBytes ? castable(layout, first) : Buffer.alloc(layout.type.size);
    const values = onBytes ? second : first;
    if (values === undefined) return;
    for (const [field, value] of Object.entries(checkObject('values', values))) {
      if (!Object.hasOwn(layout.type.fields, field)) {
        throw invalidArgValue('values', field, `names no field of struct ${layout.name}`);
      }
      write(this, field, value);
    }
  }

  get buffer(): Buffer {
    return view(this).subarray(0, this.#layout.type.size);
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries(shownFields(this.#layout).map((field) => [field, read(this, field)]));
  }

  toString(): string {
    return inspect(this, { breakLength: Number.POSITIVE_INFINITY, compact: true });
  }

  [inspect.custom](depth: number, options: InspectOptions): string {
    const { name } = this.#layout;
    if (depth < 0) return `[${name}]`;
    try {
      const shown = Object.fromEntries(shownFields(this.#layout).map((field) => [field, printable(this, field)]));
      return `${name} ${inspect(shown, { ...options, depth: options.depth === null ? null : depth })}`;
    } catch {
      return `${name} <no bytes any more>`;
    }
  }

  static {
    view = (instance) => {
      const { size } = instance.#layout.type;
      const bytes = checkView('buffer', instance.#bytes);
      if (bytes.length >= size) return bytes;
      throw outOfRange(
        'buffer.length',
        `>= ${size} (struct ${instance.#layout.name}); it was detached or shrunk`,
        bytes.length,
      );
    };
    isStruct = (value): value is StructBase => typeof value === 'object' && value !== null && #layout in value;
    layoutOf = (instance) => instance.#layout;
    pointed = (instance, field) => instance.#pointed.get(field) ?? null;
    point = (instance, field, value) => instance.#pointed.set(field, value);
    inner = (instance, field, name) => {
      let struct = instance.#inner.get(field);
      if (struct === undefined) {
        const Class = instance.#layout.classOf(name);
        const { offset } = instance.#layout.type.fields[field];
        struct = new Class(view(instance).subarray(offset, offset + Class.size)) as unknown as StructBase;
        instance.#inner.set(field, struct);
      }
      return struct;
    };
  }
}

/** C casts between the sockaddrs, and nothing else is cast here. */
function castable(layout: Layout, from: unknown): Buffer {
  const related = !isStruct(from) || (isName(layoutOf(from)) && isName(layout)) || layoutOf(from) === layout;
  if (!related) throw invalidArgType('bytes', `an instance of Buffer or of struct ${layout.name}`, from);
  const bytes = isStruct(from) ? view(from) : checkView('bytes', from);
  if (bytes.length >= layout.type.size) return bytes;
  throw outOfRange('bytes.length', `>= ${layout.type.size} (struct ${layout.name})`, bytes.length);
}

export function isName(layout: Layout): boolean {
  return layout.name.startsWith('sockaddr');
}

const layouts = new WeakMap<object, Layout>();

/** Is it one of that class, of that very platform? A prototype proves nothing: it can be exchanged. */
export function isInstance(value: unknown, Class: object): value is StructBase {
  return isStruct(value) && layouts.get(Class) === layoutOf(value);
}

/** A class whose instances are laid out so. */
export function classFor(layout: Layout): StructClass<object> {
  const Class = class extends StructBase {
    constructor(first?: unknown, second?: unknown) {
      super(layout, first, second);
    }
  };
  layouts.set(Class, layout);
  Object.defineProperty(Class, 'name', { value: layout.name });
  for (const field of Object.keys(layout.type.fields)) {
    Object.defineProperty(Class.prototype, field, {
      enumerable: true,
      get(this: StructBase) {
        return read(this, field);
      },
      set(this: StructBase, value: unknown) {
        write(this, field, value);
      },
    });
  }
  const { size, alignment } = layout.type;
  const fields = Object.fromEntries(
    Object.entries(layout.type.fields).map(([name, { offset, type }]) => [name, { offset, size: type.size }]),
  );
  return Object.assign(Class, { structName: layout.name, size, alignment, fields }) as unknown as StructClass<object>;
}

/** @throws TypeError where `instance` is of another struct */
function read(instance: StructBase, field: string): unknown {
  const layout = layoutOf(instance);
  if (Object.hasOwn(layout.pointers, field)) return pointed(instance, field);
  const nested = layout.nameOf(layout.type.fields[field].type);
  if (nested !== undefined) return inner(instance, field, nested);
  return codec(layout, field).get(view(instance));
}

function write(instance: StructBase, field: string, value: unknown): void {
  const layout = layoutOf(instance);
  const rule = Object.hasOwn(layout.pointers, field) ? layout.pointers[field] : undefined;
  if (rule !== undefined) {
    writePointer(instance, field, rule, value);
    return;
  }
  const nested = layout.nameOf(layout.type.fields[field].type);
  if (nested === undefined) codec(layout, field).set(view(instance), value);
  else Object.assign(inner(instance, field, nested), checkObject(field, value));
}

/** Lengths follow what is pointed at. */
function writePointer(instance: StructBase, field: string, { to, length }: PointerRule, value: unknown): void {
  if (value === null || value === undefined) {
    point(instance, field, null);
    write(instance, length, 0);
  } else if (typeof to === 'object') {
    const vector = vectorOf(layoutOf(instance), field, to.vectorOf, value);
    point(instance, field, vector);
    write(instance, length, vector.length);
  } else {
    if (isStruct(value) && to === 'name' && !isName(layoutOf(value))) throw wrongName(field, value);
    write(instance, length, isStruct(value) ? value.buffer.length : checkView(field, value).length);
    point(instance, field, value as Bytes);
  }
}

const wrongName = (field: string, value: unknown) =>
  invalidArgType(field, 'an instance of Buffer or of a sockaddr', value);

function vectorOf(layout: Layout, field: string, name: string, value: unknown): readonly StructBase[] {
  const all: unknown[] = Array.isArray(value) ? Array.from(value) : [value];
  for (const each of all) {
    if (isStruct(each) && layoutOf(each).name === name && layoutOf(each).classOf === layout.classOf) continue;
    throw invalidArgType(field, `struct ${name}, or an array of them`, each);
  }
  return Object.freeze(all as StructBase[]);
}

const codecs = new WeakMap<StructType, Map<string, Codec>>();

function codec(layout: Layout, field: string): Codec {
  let known = codecs.get(layout.type);
  if (known === undefined) {
    known = new Map();
    codecs.set(layout.type, known);
  }
  let found = known.get(field);
  if (found === undefined) {
    found = codecOf(field, layout.type.fields[field]);
    known.set(field, found);
  }
  return found;
}

/** Padding has names of its own in C, and says nothing. */
function shownFields(layout: Layout): string[] {
  return Object.keys(layout.type.fields).filter((field) => !field.startsWith('__'));
}

function printable(instance: StructBase, field: string): unknown {
  const { explain } = layoutOf(instance);
  const text = explain(instance as unknown as Record<string, unknown>, field);
  return text === undefined ? read(instance, field) : { [inspect.custom]: () => text };
}
