/**
 * The fixtures as tests use them: what C compilers said about each OS, CPU and C library, and control messages built
 * from nothing else. Must not import what it is there to check.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Layout {
  readonly size: number;
  readonly align: number;
  readonly fields: readonly { readonly name: string; readonly offset: number; readonly size: number }[];
}

interface Cmsg {
  readonly alignQuantum: number;
  readonly dataOffset: number;
  readonly LEN: Readonly<Record<string, number>>;
  readonly SPACE: Readonly<Record<string, number>>;
}

type Groups<T> = readonly { readonly value: T; readonly variants?: readonly string[] }[];

export interface Fixture {
  readonly os: string;
  readonly variants: readonly string[];
  readonly saLen: Groups<boolean>;
  readonly littleEndian: Groups<boolean>;
  readonly recvmmsg: Groups<string | null>;
  readonly cmsg: Groups<Cmsg>;
  readonly structs: Readonly<Record<string, Groups<Layout>>>;
  readonly constants: Readonly<Record<string, Groups<number>>>;
}

/** One OS on one CPU with one C library. */
export class Facts {
  readonly os: string;
  readonly arch: string;
  readonly libc: 'glibc' | 'musl' | undefined;
  readonly #fixture: Fixture;
  readonly #variant: string;

  constructor(fixture: Fixture, variant: string) {
    this.#fixture = fixture;
    this.#variant = variant;
    this.os = fixture.os;
    const [arch, musl] = variant.split('-');
    this.arch = arch;
    this.libc = fixture.os === 'linux' ? (musl === 'musl' ? 'musl' : 'glibc') : undefined;
  }

  get name(): string {
    return `${this.os}-${this.#variant}`;
  }
  get saLen(): boolean {
    return this.#pick(this.#fixture.saLen)!;
  }
  get littleEndian(): boolean {
    return this.#pick(this.#fixture.littleEndian)!;
  }
  /** The C prototype. */
  get recvmmsg(): string | null {
    return this.#pick(this.#fixture.recvmmsg)!;
  }
  get cmsg(): Cmsg {
    return this.#pick(this.#fixture.cmsg)!;
  }

  struct(name: string): Layout | undefined {
    return this.#pick(this.#fixture.structs[name]);
  }

  constant(name: string): number | undefined {
    return this.#pick(this.#fixture.constants[name]);
  }

  field(struct: string, field: string): { offset: number; size: number } {
    const found = this.struct(struct)?.fields.find(({ name }) => name === field);
    if (found === undefined) throw new Error(`${this.name}: no fact about ${struct}.${field}`);
    return found;
  }

  /** A number that has to be in the fixture. */
  number(name: string): number {
    const value = this.constant(name);
    if (value === undefined) throw new Error(`${this.name}: no fact about ${name}`);
    return value;
  }

  #pick<T>(groups: Groups<T> | undefined): T | undefined {
    return groups?.find(({ variants }) => variants === undefined || variants.includes(this.#variant))?.value;
  }
}

export const targets: readonly Facts[] = [
  'linux',
  'android',
  'darwin',
  'freebsd',
  'openbsd',
  'netbsd',
  'win32',
].flatMap((os) => {
  const fixture: Fixture = JSON.parse(readFileSync(join(__dirname, 'fixtures', `${os}.json`), 'utf8'));
  return fixture.variants.map((variant) => new Facts(fixture, variant));
});

/** The only target of that name. */
export function target(name: string): Facts {
  const found = targets.find((facts) => facts.name === name);
  if (found === undefined) throw new Error(`no fixture ${name}`);
  return found;
}

/** A struct's bytes, its fields filled in. A number is little-endian and as wide as the field. */
export function structBytes(facts: Facts, struct: string, fields: Record<string, number | Uint8Array>): Buffer {
  const bytes = Buffer.alloc(facts.struct(struct)!.size);
  for (const [name, value] of Object.entries(fields)) {
    const { offset, size } = facts.field(struct, name);
    if (typeof value !== 'number') bytes.set(value, offset);
    else bytes.writeUIntLE(value, offset, Math.min(size, 6));
  }
  return bytes;
}

/** One whole control message with its trailing padding. */
export function controlMessage(facts: Facts, level: number, type: number, payload: Uint8Array): Buffer {
  const { alignQuantum, dataOffset } = facts.cmsg;
  const header = structBytes(facts, facts.os === 'win32' ? 'WSACMSGHDR' : 'cmsghdr', {
    cmsg_len: dataOffset + payload.length,
    cmsg_level: level,
    cmsg_type: type,
  });
  const bytes = Buffer.alloc(dataOffset + Math.ceil(payload.length / alignQuantum) * alignQuantum);
  bytes.set(header);
  bytes.set(payload, dataOffset);
  return bytes;
}

export function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
