/**
 * Headers of control messages. What follows a header, and at which distance, is not the struct's business: see
 * ControlLayout in platform/platform.ts.
 */
import { declare } from './struct';

export type CmsghdrField = 'cmsg_len' | 'cmsg_level' | 'cmsg_type';

/** Linux (glibc <bits/socket.h>, bionic <sys/socket.h>) and Winsock's WSACMSGHDR <ws2def.h>: a size_t length. */
export const cmsghdrSizeT = declare(({ size_t, int32 }) => ({ cmsg_len: size_t, cmsg_level: int32, cmsg_type: int32 }));

/** A socklen_t length: the BSDs, macOS, and musl on 32-bit CPUs. <sys/socket.h> */
export const cmsghdrInt = declare(({ uint32, int32 }) => ({ cmsg_len: uint32, cmsg_level: int32, cmsg_type: int32 }));

/** musl on 64-bit little-endian CPUs: a socklen_t length, padded to the kernel's size_t. <sys/socket.h> */
export const cmsghdrPadded = declare(({ uint32, int32 }) => ({
  cmsg_len: uint32,
  __pad1: int32,
  cmsg_level: int32,
  cmsg_type: int32,
}));
