/**
 * errno values by libuv's names that 4.4BSD left to macOS, FreeBSD, NetBSD and OpenBSD. Later additions differ and stand in
 * their files. EWOULDBLOCK is left out, it is EAGAIN everywhere. <sys/errno.h>
 */
import { errnoBase } from './errno-base';

export const bsdErrno = {
  ...errnoBase,
  EAGAIN: 35,
  EINPROGRESS: 36,
  EALREADY: 37,
  ENOTSOCK: 38,
  EDESTADDRREQ: 39,
  EMSGSIZE: 40,
  EPROTOTYPE: 41,
  ENOPROTOOPT: 42,
  EPROTONOSUPPORT: 43,
  EAFNOSUPPORT: 47,
  EADDRINUSE: 48,
  EADDRNOTAVAIL: 49,
  ENETDOWN: 50,
  ENETUNREACH: 51,
  ENETRESET: 52,
  ECONNABORTED: 53,
  ECONNRESET: 54,
  ENOBUFS: 55,
  EISCONN: 56,
  ENOTCONN: 57,
  ESHUTDOWN: 58,
  ETIMEDOUT: 60,
  ECONNREFUSED: 61,
  EHOSTDOWN: 64,
  EHOSTUNREACH: 65,
  ENOSYS: 78,
} as const;
