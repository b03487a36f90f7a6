/**
 * From an operating system's name to its data. The only file that asks which one we run on; the layers above get a
 * Platform as an argument. What no fixture covers is refused by name, nothing defaults to Linux.
 */
import { unsupportedPlatform } from '../errors';
import type { Libc, Platform } from './platform';

type Maker = (arch: string, libc?: Libc) => Platform | undefined;

/** An OS is its file and its line here. One is enough for a process: the others are not even loaded. */
const systems: Readonly<Record<string, () => Maker>> = {
  linux: () => (require('./linux') as typeof import('./linux')).linux,
  android: () => (require('./android') as typeof import('./android')).android,
  darwin: () => (require('./darwin') as typeof import('./darwin')).darwin,
  freebsd: () => (require('./freebsd') as typeof import('./freebsd')).freebsd,
  openbsd: () => (require('./openbsd') as typeof import('./openbsd')).openbsd,
  netbsd: () => (require('./netbsd') as typeof import('./netbsd')).netbsd,
  win32: () => (require('./win32') as typeof import('./win32')).win32,
};

const known = new Map<string, Platform>();

/**
 * The data of one OS on one CPU, by process.platform's and process.arch's words. The same object each time.
 * `libc` matters on Linux only: which C library's struct declarations and numbers; the bytes are the same.
 * @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM
 */
export function platformFor(name: string, arch: string, libc?: Libc): Platform {
  const key = `${name}-${arch}-${libc ?? ''}`;
  let platform = known.get(key);
  if (platform === undefined) {
    checkSystem(name);
    platform = systems[name]()(arch, libc);
    if (platform === undefined) throw unsupportedPlatform(`recvfromto does not support ${name} on ${arch}`);
    known.set(key, platform);
  }
  return platform;
}

/**
 * The data of the process's own OS and CPU.
 * @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM
 */
export function hostPlatform(): Platform {
  const { name, arch } = hostMachine();
  return platformFor(name, arch);
}

/** An OS and a CPU, by process.platform's and process.arch's words. */
export interface MachineName {
  readonly name: string;
  readonly arch: string;
}

export function hostMachine(): MachineName {
  return { name: process.platform, arch: process.arch };
}

/**
 * Has it a file here? On which CPUs, that file says: it and its structs take some ms to load.
 * @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM
 */
export function checkSystem(name: string): void {
  if (!Object.hasOwn(systems, name)) throw unsupportedPlatform(`recvfromto does not support ${name}`);
}
