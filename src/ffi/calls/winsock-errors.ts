/**
 * What Windows calls a failure → what `Syscalls` returns. WSA codes go through negated; of the other codes that
 * WSAGetLastError and the NETIO functions give, those that libuv knows become the code libuv takes them for
 * (uv_translate_sys_error, src/win/error.c). What has no WSA code of that name is libuv's own number.
 */
import type { Platform } from '../../platform/platform';
import { uvErrno } from '../uv-errno';

/** <winerror.h> numbers under libuv's names. */
const names: Readonly<Record<number, string>> = {
  2: 'ENOENT', // ERROR_FILE_NOT_FOUND
  5: 'EPERM', // ERROR_ACCESS_DENIED
  6: 'EBADF', // ERROR_INVALID_HANDLE
  8: 'ENOMEM', // ERROR_NOT_ENOUGH_MEMORY
  14: 'ENOMEM', // ERROR_OUTOFMEMORY
  50: 'ENOTSUP', // ERROR_NOT_SUPPORTED
  64: 'ECONNRESET', // ERROR_NETNAME_DELETED
  87: 'EINVAL', // ERROR_INVALID_PARAMETER
  111: 'EFAULT', // ERROR_BUFFER_OVERFLOW
  121: 'ETIMEDOUT', // ERROR_SEM_TIMEOUT
  122: 'EINVAL', // ERROR_INSUFFICIENT_BUFFER
  995: 'ECANCELED', // ERROR_OPERATION_ABORTED
  1225: 'ECONNREFUSED', // ERROR_CONNECTION_REFUSED
  1227: 'EADDRINUSE', // ERROR_ADDRESS_ALREADY_ASSOCIATED
  1231: 'ENETUNREACH', // ERROR_NETWORK_UNREACHABLE
  1232: 'EHOSTUNREACH', // ERROR_HOST_UNREACHABLE
  1234: 'ECONNREFUSED', // ERROR_PORT_UNREACHABLE, which libuv does not know
  1236: 'ECONNABORTED', // ERROR_CONNECTION_ABORTED
  2250: 'ENOTCONN', // ERROR_NOT_CONNECTED
  10004: 'ECANCELED', // WSAEINTR
  10046: 'EINVAL', // WSAEPFNOSUPPORT
};

/** @param code of WSAGetLastError or a NETIO_STATUS, not 0 → negative, as `Syscalls` returns it */
export function winsockFailure(platform: Platform, code: number): number {
  const name = names[code];
  if (name === undefined) return -code;
  const errno = platform.errno[name];
  return errno === undefined ? uvErrno(name, -code) : -errno;
}
