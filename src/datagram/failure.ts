/** From what a system call returned to the error that the user sees. */
import { getSystemErrorName } from 'node:util';
import { type ErrorPlace, type SystemError, systemError } from '../errors';
import { uvErrno } from '../ffi/uv-errno';
import type { Platform } from '../platform/platform';

export { uvErrno } from '../ffi/uv-errno';

const names = new WeakMap<Platform, Map<number, string>>();

/** 'EAGAIN' for -EAGAIN. */
export function errnoName(platform: Platform, result: number): string {
  let byNumber = names.get(platform);
  if (byNumber === undefined) {
    byNumber = new Map();
    // Two names may share a number (EAGAIN, EWOULDBLOCK): the first one written down is the one users know.
    for (const [name, value] of Object.entries(platform.errno)) if (!byNumber.has(value)) byNumber.set(value, name);
    names.set(platform, byNumber);
  }
  return byNumber.get(-result) ?? nodeName(result);
}

/** @param result what a {@link Syscalls} call returned: -errno */
export function failure(platform: Platform, result: number, syscall: string, place?: ErrorPlace): SystemError {
  const name = errnoName(platform, result);
  return systemError(name, platform.calls === 'winsock' ? uvErrno(name, result) : result, syscall, place);
}

/** -errno of what this OS has not. */
export function notSupported({ errno }: Platform): number {
  return -(errno.ENOTSUP ?? errno.EOPNOTSUPP);
}

function nodeName(result: number): string {
  return result < 0 ? getSystemErrorName(result) : `Unknown system error ${result}`;
}
