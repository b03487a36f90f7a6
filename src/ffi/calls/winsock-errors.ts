/**
 * What Windows calls a failure → what `Syscalls` returns. WSA codes go through negated; of the other codes that
 * WSAGetLastError and the NETIO functions give, those that libuv knows become the code libuv takes them for
 * (uv_translate_sys_error, src/win/error.c). What has no WSA code of that name is libuv's own number.
 */
import type { Platform } from '../../platform/platform';
import { uvErrno } from '../uv-errno';

/** @param code of WSAGetLastError or a NETIO_STATUS, not 0 → negative, as `Syscalls` returns it */
export function winsockFailure(platform: Platform, code: number): number {
  const name = platform.otherErrors?.[code];
  if (name === undefined) return -code;
  const errno = platform.errno[name];
  return errno === undefined ? uvErrno(name, -code) : -errno;
}
