/**
 * From an operating system's name to its data. The only file that asks which one we run on; the layers above get a
 * Platform as an argument. What no fixture covers is refused by name, nothing defaults to Linux.
 */
import { unsupportedPlatform } from '../errors';
import { android } from './android';
import { darwin } from './darwin';
import { freebsd } from './freebsd';
import { linux } from './linux';
import { netbsd } from './netbsd';
import { openbsd } from './openbsd';
import type { Libc, Platform, PlatformName } from './platform';
import { win32 } from './win32';

const systems: Readonly<Record<PlatformName, (arch: string, libc?: Libc) => Platform | undefined>> = {
  linux,
  android,
  darwin,
  freebsd,
  openbsd,
  netbsd,
  win32,
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
    if (!Object.hasOwn(systems, name)) throw unsupportedPlatform(`recvfromto does not support ${name}`);
    platform = systems[name as PlatformName](arch, libc);
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
  return platformFor(process.platform, process.arch);
}
