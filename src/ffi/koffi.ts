/**
 * koffi, loaded on first use, as the little of it that we need. koffi's own index.d.ts describes its ESM face and is
 * wrong about poll's callback, so the types are ours. Only files in this folder may see them.
 * Types are always anonymous or built in: named ones live in one process-wide table and collide across Jest files.
 */
import { closeSync, existsSync, openSync, readSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { unsupportedPlatform } from '../errors';
import type { MachineName } from '../platform/index';
import type { Platform } from '../platform/platform';
import type { Machine } from './node-ffi';
import { type ProcessWithPermission, refuseWithoutNet } from './permission';

/** A C function. What it takes is checked by nobody: see check.ts. */
export type NativeFunction<Result = number> = (...args: NativeArgument[]) => Result;
export type NativeArgument = number | bigint | string | Buffer | Pointer | ((...args: never[]) => unknown) | null;
/** An address as koffi hands it out: a number while it is a safe integer, else a bigint. */
export type Pointer = number | bigint;
/** A koffi type description; opaque to us. */
export type NativeType = object;

export interface Library {
  func<Result = number>(prototype: string): NativeFunction<Result>;
  func<Result = number>(name: string, result: string, args: readonly (string | NativeType)[]): NativeFunction<Result>;
  symbol(name: string): Pointer;
}

/**
 * A function that is declared when it is called for the first time. Declaring is one of the calls that abort if their
 * worker is terminated meanwhile (docs/koffi.md §2.17), so a worker makes few, and those that its sockets may need make all
 * at once, when the host is opened. This is for what hardly any socket needs.
 */
export function once<Result>(declare: () => NativeFunction<Result>): NativeFunction<Result> {
  let declared: NativeFunction<Result> | undefined;
  return (...args) => {
    declared ??= declare();
    return declared(...args);
  };
}

export interface PollEvents {
  readonly readable: boolean;
  readonly writable: boolean;
}
export type PollCallback = (status: number, events: PollEvents) => void;

/** koffi's uv_poll_t. Every method but `close` is a SIGSEGV after `close` (uv.cc: `handle` is null then). */
export interface PollHandle {
  start(options: Partial<PollEvents>, callback: PollCallback): void;
  stop(): void;
  ref(): void;
  unref(): void;
  close(): void;
}

export interface Koffi {
  load(path: string | null): Library;
  errno(): number;
  address(bytes: Uint8Array): bigint;
  /** Always anonymous; without a convention it is C's own. */
  proto(result: string, args: readonly string[]): NativeType;
  proto(convention: '__stdcall', result: string, args: readonly string[]): NativeType;
  pointer(type: NativeType): NativeType;
  register(callback: (...args: never[]) => unknown, type: NativeType): Pointer;
  unregister(callback: Pointer): void;
  sizeof(type: string): number;
  readonly version?: string;
  readonly decode: {
    (address: Pointer, offset: number, type: string): Pointer;
    /** `type`: of a function. */
    (address: Pointer, type: NativeType): NativeFunction;
    string(address: Pointer): string;
  };
  readonly node: {
    /** undefined with node:ffi, which has no Node-API. */
    readonly env: Pointer | undefined;
    /** libuv's loop, where it is known without Node-API. */
    readonly loop?: Pointer;
    readonly poll: ((fd: number, options: Partial<PollEvents>, callback: PollCallback) => PollHandle) | undefined;
  };
}

/** V8 ends the process that builds a start-up snapshot (node --build-snapshot) of a native addon's objects. */
export function refuseInSnapshot(flags: readonly string[] = process.execArgv): void {
  if (!flags.some((flag) => flag.startsWith('--build-snapshot'))) return; // node:v8 takes a while to load
  const { startupSnapshot } = require('node:v8') as typeof import('node:v8');
  if (!startupSnapshot.isBuildingSnapshot()) return;
  throw unsupportedPlatform(
    'a start-up snapshot cannot hold the C library that recvfromto calls: create sockets when the snapshot is run, in ' +
      'v8.startupSnapshot.setDeserializeMainFunction() or later',
  );
}

/** May this process be forbidden to load addons? Only loading one tells. */
export function mayRefuseAddons(host: ProcessWithPermission = process): boolean {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''];
  return host.permission !== undefined || flags.some((flag) => flag.includes('--no-addons'));
}

/** Bytes of an executable in which linkers put the path of its loader. */
const ELF_HEAD = 4096;

/** Is it glibc's loader that has loaded this program? Throws where the executable cannot be read. */
function onGlibc(): boolean {
  const head = Buffer.alloc(ELF_HEAD);
  const fd = openSync(process.execPath, 'r');
  try {
    readSync(fd, head, 0, ELF_HEAD, 0);
  } finally {
    closeSync(fd);
  }
  return head.includes('/ld-linux'); // musl's is ld-musl
}

/**
 * The binary in koffi's package for this machine, in a node_modules above this file. undefined where there is none, and where
 * it is left to the JavaScript of that package: on Linux it has one for glibc and one for musl.
 */
function binaryOf({ name, arch }: MachineName): string | undefined {
  if (name === 'linux' && !onGlibc()) return undefined;
  const path = `node_modules/@koromix/koffi-${name}-${arch}/${name}_${arch}/koffi.node`;
  for (let folder = __dirname, below = ''; folder !== below; below = folder, folder = dirname(folder)) {
    const file = `${folder}/${path}`; // Windows takes it, too; path.join() costs more than the looking
    if (existsSync(file)) return file;
  }
  return undefined;
}

/** Is there a binary of koffi's for this machine where npm and its kin put it? Looks, and loads nothing. */
export function hasBinary(machine: MachineName): boolean {
  try {
    if (binaryOf(machine) !== undefined) return true;
  } catch {
    // Nobody may look there.
  }
  try {
    require.resolve(`@koromix/koffi-${machine.name}-${machine.arch}`, { paths: [require.resolve('koffi')] });
    return true;
  } catch {
    return false;
  }
}

/** What to tell a user whose program has no koffi that loads. Exported for its test. */
export function explain(error: unknown, platform: Platform): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const machine = `${platform.name}-${platform.arch}`;
  const binary = `@koromix/koffi-${machine}`;
  const text =
    code === 'ERR_DLOPEN_DISABLED'
      ? 'recvfromto calls the C library through a native addon (koffi), and this process may not load one: ' +
        'start Node with --allow-addons (permission model), and without --no-addons'
      : `recvfromto calls the C library through koffi, which did not load on ${machine}: ${message.split('\n', 1)[0]} ` +
        `(Bundled? Keep koffi external, or lay the koffi.node of ${binary} beside the program: docs/bundling.md. ` +
        `Installed with --omit=optional? Where koffi has a binary for this machine, it is the package ${binary}. ` +
        'Node.js 26.1 and later can do without, by node:ffi.)';
  return Object.assign(unsupportedPlatform(text), { cause: error });
}

/** The oldest koffi that will do: package.json wants it. */
export const OLDEST = '3.3.4';

/** Is it one that package.json would take? Where npm puts one for all, it may be another package's. Exported for its test. */
export function isOurs({ version = '' }: { readonly version?: string }): boolean {
  const [own, least] = [version, OLDEST].map((text) => text.split('.').map((part) => Number.parseInt(part, 10)));
  const differs = least.findIndex((part, i) => part !== own[i]);
  return differs < 0 || (differs > 0 && own[differs] > least[differs]);
}

/** createRequire(), which a module of Node's has at hand: `node:module` loads more. Bundlers, and Jest, have modules of their own. */
function requireFrom(file: string): NodeJS.Require {
  const { createRequire } = module.constructor as Partial<typeof import('node:module')>;
  return (createRequire ?? (require('node:module') as typeof import('node:module')).createRequire)(file);
}

interface ModuleClass {
  new (id: string): NodeJS.Module;
  readonly _cache?: NodeJS.Dict<NodeJS.Module>;
}

/**
 * As require(), which takes as long to find a file by its name as the system takes to load it. Whoever requires the file later
 * gets what we have, as two koffis of one file end the process (docs/koffi.md).
 */
function requireBinary(file: string): Koffi {
  const Module = module.constructor as ModuleClass;
  const { _cache: cache } = Module;
  // Which name require() gives a file behind a symbolic link depends on how Node was started.
  if (cache === undefined || realpathSync(file) !== file) return requireFrom(file)(file) as Koffi;
  const found = cache[file];
  if (found !== undefined) return found.exports as Koffi;
  const binary = new Module(file);
  process.dlopen(binary, file);
  binary.filename = file;
  binary.loaded = true;
  cache[file] = binary;
  return binary.exports as Koffi;
}

/** koffi's binary itself: finding koffi, and then its binary, takes longer than loading that. */
function direct(platform: Platform): Koffi | undefined {
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined || deno !== undefined) return undefined;
  try {
    const binary = binaryOf(platform);
    if (binary === undefined) return undefined;
    const found = requireBinary(binary); // in a way that no bundler sees
    return isOurs(found) ? found : undefined;
  } catch {
    return undefined; // koffi itself says why, or finds it elsewhere
  }
}

/**
 * koffi's binary by the package that koffi loads it from. What koffi's own JavaScript adds to it are warnings of what is
 * deprecated, and it takes 10 ms of CPU time to load in Node 24.
 */
function installed(platform: Platform): Koffi | undefined {
  try {
    const near = requireFrom(require.resolve('koffi'));
    const found = near(`@koromix/koffi-${platform.name}-${platform.arch}`) as Koffi;
    return typeof found.load === 'function' ? found : undefined;
  } catch {
    return undefined; // koffi itself says why, or finds it elsewhere
  }
}

/** As installed, or as a bundler has left it. @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM */
function koffi(platform: Platform): Koffi {
  let cause: unknown;
  try {
    return direct(platform) ?? installed(platform) ?? (require('koffi') as Koffi);
  } catch (error) {
    cause = error;
  }
  if ((cause as NodeJS.ErrnoException).code === 'ERR_DLOPEN_DISABLED') throw explain(cause, platform);
  const { koffiBeside } = require('./beside') as typeof import('./beside');
  let found: Koffi | undefined;
  try {
    found = koffiBeside();
  } catch (error) {
    throw explain(error, platform);
  }
  if (found === undefined) throw explain(cause, platform);
  return found;
}

let loaded: Koffi | undefined;

/** @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM, ERR_ACCESS_DENIED */
export function loadKoffi(platform: Platform): Koffi {
  if (loaded !== undefined) return loaded;
  refuseWithoutNet();
  refuseInSnapshot();
  loaded = load(platform, process.env.RECVFROMTO_FFI);
  return loaded;
}

/** @param wish RECVFROMTO_FFI: 'koffi' or 'node' and nothing else; without it koffi, and node:ffi where that does not load */
function load(platform: Platform, wish: string | undefined): Koffi {
  if (wish === 'node') return nodeFfi(platform);
  try {
    return koffi(platform);
  } catch (koffiError) {
    if (wish === 'koffi') throw koffiError;
    try {
      return nodeFfi(platform);
    } catch {
      throw koffiError;
    }
  }
}

/** @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM */
function nodeFfi(platform: Platform): Koffi {
  const machine = machineOf(platform);
  const { openNodeFfi } = require('./node-ffi') as typeof import('./node-ffi');
  const { bun, deno } = process.versions as Record<string, string | undefined>;
  try {
    if (machine === undefined) throw new Error(`nobody has tried it on ${platform.name}`);
    if (bun !== undefined || deno !== undefined) throw new Error('it is used in Node.js alone');
    return openNodeFfi(machine);
  } catch (error) {
    const text = `recvfromto cannot call the C library through node:ffi: ${(error as Error).message}`;
    throw Object.assign(unsupportedPlatform(text), { cause: error });
  }
}

/** What node:ffi has to be told; undefined where it is not used. */
export function machineOf({ errnoLocation, message: { pointerSize } }: Platform): Machine | undefined {
  return errnoLocation === undefined ? undefined : { pointerSize, errnoLocation };
}
