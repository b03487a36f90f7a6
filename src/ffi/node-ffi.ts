/**
 * Node's own node:ffi (26.1 on, experimental), made to look like the little of koffi that we use: for machines that koffi
 * has no binary for, and for places that forbid native addons. What it lacks of koffi is said by `node.env` and `node.poll`,
 * which are undefined: nothing can be closed when a worker is terminated, and libuv's handles have to be our own.
 *
 * Types are named as in C. A pointer is a number while it is a safe integer, else a bigint, and signed (as with koffi), so
 * that an address has one spelling. It imports nothing.
 */
import type { Koffi, Library, NativeArgument, NativeFunction, NativeType, Pointer } from './koffi';

/** https://nodejs.org/api/ffi.html, as of 26.10. */
export interface NodeFfi {
  readonly DynamicLibrary: new (path: string | null) => DynamicLibrary;
  getRawPointer(bytes: Uint8Array): bigint;
  getCurrentEventLoop(): bigint;
  getInt32(address: bigint, offset: number): number;
  getUint32(address: bigint, offset: number): number;
  getInt64(address: bigint, offset: number): bigint;
  toString(address: bigint): string;
}

interface DynamicLibrary {
  getFunction(name: string, signature: Signature): (...args: unknown[]) => unknown;
  getSymbol(name: string): bigint;
  registerCallback(signature: Signature, callback: (...args: never[]) => unknown): bigint;
  unregisterCallback(pointer: bigint): void;
}

interface Signature {
  readonly return: string;
  readonly arguments: readonly string[];
}

/** What differs between machines. */
export interface Machine {
  readonly pointerSize: 4 | 8;
  /** The function that returns errno's address. */
  readonly errnoLocation: string;
}

/** @throws where this Node has no node:ffi, or may not use it */
export function openNodeFfi(machine: Machine): Koffi {
  let ffi: NodeFfi;
  try {
    ffi = require('node:ffi') as NodeFfi; // where it may fail: Rollup would make an import of it, which older Nodes refuse
  } catch (error) {
    throw new Error(`node:ffi is not there: ${(error as Error).message}`, { cause: error });
  }
  return new NodeKoffi(ffi, machine);
}

/** How a C type goes there and comes back. */
interface Kind {
  readonly type: string;
  readonly to?: (value: NativeArgument) => unknown;
  readonly from?: (value: never) => unknown;
}

const wide: Kind = { type: 'int64', to: (value) => BigInt.asIntN(64, BigInt(value as Pointer)), from: spell };
const narrow: Kind = { type: 'int32', to: (value) => Number(value) | 0 };
const bytes: Kind = { type: 'pointer', from: (value: bigint) => spell(BigInt.asIntN(64, value)) };
const text: Kind = { type: 'pointer' };
/** A function of ours is known to C as long as the call lasts. */
const callback: Kind = { type: 'pointer' };
/** What stands for `...`: one argument of any kind, which CPUs other than Apple's pass as any other. */
const variadic: Kind = {
  type: 'pointer',
  to: (value) => (typeof value === 'number' ? BigInt.asUintN(64, BigInt(value)) : value),
};

function spell(address: bigint): Pointer {
  const number = Number(address);
  return Number.isSafeInteger(number) ? number : address;
}

class NodeKoffi implements Koffi {
  readonly node: Koffi['node'];
  readonly decode: Koffi['decode'];
  readonly #ffi: NodeFfi;
  readonly #machine: Machine;
  readonly #program: DynamicLibrary;
  readonly #errno: bigint;
  readonly #kinds: Readonly<Record<string, Kind>>;

  constructor(ffi: NodeFfi, machine: Machine) {
    this.#ffi = ffi;
    this.#machine = machine;
    this.#kinds = kindsOf(machine);
    this.#program = new ffi.DynamicLibrary(null);
    const signature = { return: 'pointer', arguments: [] };
    this.#errno = this.#program.getFunction(machine.errnoLocation, signature)() as bigint; // this thread's
    this.node = { env: undefined, loop: spell(ffi.getCurrentEventLoop()), poll: undefined };
    this.decode = Object.assign(this.#decode, { string: (address: Pointer) => ffi.toString(BigInt(address)) }) as never;
  }

  load(path: string | null): Library {
    const library = path === null ? this.#program : new this.#ffi.DynamicLibrary(path);
    const symbol = (name: string) => spell(library.getSymbol(name));
    const func = (first: string, result?: string, args?: readonly (string | NativeType)[]) => {
      if (result !== undefined) return this.#declare(library, first, result, args!);
      const [, returned, name, list] = /^(.*?)(\w+)\((.*)\)$/.exec(first)!;
      const types = list === '' ? [] : list.split(', ');
      return this.#declare(library, name, returned.trim(), types);
    };
    return { func, symbol } as Library;
  }

  errno(): number {
    return this.#ffi.getInt32(this.#errno, 0);
  }

  address(buffer: Uint8Array): bigint {
    return this.#ffi.getRawPointer(buffer);
  }

  proto(...parts: readonly (string | readonly string[])[]): NativeType {
    const [result, args] = parts as [string, readonly string[]];
    return { result, args };
  }

  pointer(type: NativeType): NativeType {
    return type;
  }

  register(action: (...args: never[]) => unknown, type: NativeType): Pointer {
    const { args, result } = type as { args: readonly string[]; result: string };
    const kinds = args.map((each) => this.#kind(each));
    const signature = { return: this.#kind(result).type, arguments: kinds.map((kind) => kind.type) };
    const called = (...values: never[]) => {
      (action as (...args: unknown[]) => unknown)(...values.map((value, i) => kinds[i].from?.(value) ?? value));
    };
    return spell(this.#program.registerCallback(signature, called));
  }

  unregister(registered: Pointer): void {
    this.#program.unregisterCallback(BigInt.asUintN(64, BigInt(registered)));
  }

  sizeof(): number {
    return this.#machine.pointerSize; // nobody asks for anything else
  }

  readonly #decode = (address: Pointer, offset: number, type: string): Pointer => {
    const at = BigInt.asUintN(64, BigInt(address));
    if (type === 'uint32_t') return this.#ffi.getUint32(at, offset);
    return this.#machine.pointerSize === 4 ? this.#ffi.getInt32(at, offset) : spell(this.#ffi.getInt64(at, offset));
  };

  #kind(type: string | NativeType): Kind {
    if (typeof type !== 'string') return callback;
    const kind = this.#kinds[type.replace(/^const /, '')];
    if (kind === undefined) throw new TypeError(`no such type: ${type}`);
    return kind;
  }

  #declare(library: DynamicLibrary, name: string, result: string, args: readonly (string | NativeType)[]) {
    const kinds = args.map((each) => this.#kind(each));
    const back = this.#kind(result);
    const returned = result === 'const char *' ? { ...back, from: (at: bigint) => this.#ffi.toString(at) } : back;
    const signature = { return: returned.type, arguments: kinds.map((kind) => kind.type) };
    const called = library.getFunction(name, signature);
    if (kinds.every((kind) => kind.to === undefined) && returned.from === undefined && !kinds.includes(callback))
      return called as NativeFunction;
    const types = args.map((type, i) => (kinds[i] === callback ? (type as NativeType) : undefined));
    return this.#converted(called, kinds, types, returned);
  }

  #converted(
    called: (...args: unknown[]) => unknown,
    kinds: readonly Kind[],
    types: readonly (NativeType | undefined)[],
    returned: Kind,
  ): NativeFunction<unknown> {
    return (...given) => {
      // koffi is told the type of a variadic argument before it
      const args = kinds.at(-1) === variadic && given.length > kinds.length ? given.toSpliced(-2, 1) : given;
      const borrowed: Pointer[] = [];
      const values = kinds.map((kind, i) => {
        const value = args[i] ?? (kind === variadic ? 0n : null);
        const type = types[i];
        if (type === undefined) return kind.to === undefined ? value : kind.to(value);
        if (typeof value !== 'function') return BigInt.asUintN(64, BigInt(value as Pointer));
        borrowed.push(this.register(value as (...args: never[]) => unknown, type));
        return BigInt.asUintN(64, BigInt(borrowed.at(-1)!));
      });
      const result = called(...values);
      for (const each of borrowed) this.unregister(each);
      return returned.from === undefined ? result : returned.from(result as never);
    };
  }
}

function kindsOf({ pointerSize }: Machine): Readonly<Record<string, Kind>> {
  const word = pointerSize === 8 ? wide : narrow;
  return {
    void: { type: 'void' },
    int: { type: 'int32' },
    'unsigned int': { type: 'uint32' },
    uint16_t: { type: 'uint16' },
    uint32_t: { type: 'uint32' },
    intptr_t: word,
    uintptr_t: word,
    size_t: word,
    'unsigned long': word,
    'void *': bytes,
    'char *': text,
    '...': variadic,
  };
}
