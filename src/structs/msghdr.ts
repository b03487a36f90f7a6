/**
 * What sendmsg(2), recvmsg(2) and their batch forms take: message headers, their scatter lists, and Winsock's.
 * One declaration per layout; `platform/<os>.ts` says which one its OS has. Control messages are in cmsghdr.ts.
 */
import { type Declaration, declare } from './struct';

export type MsghdrField =
  | 'msg_name'
  | 'msg_namelen'
  | 'msg_iov'
  | 'msg_iovlen'
  | 'msg_control'
  | 'msg_controllen'
  | 'msg_flags';

/** <sys/uio.h>, the same everywhere. */
export const iovec = declare(({ pointer, size_t }) => ({ iov_base: pointer, iov_len: size_t }));

/** Linux: glibc <bits/socket.h>, bionic <sys/socket.h>. Both lengths are size_t, as the kernel has them. */
export const msghdrSizeT = declare(({ pointer, uint32, int32, size_t }) => ({
  msg_name: pointer,
  msg_namelen: uint32,
  msg_iov: pointer,
  msg_iovlen: size_t,
  msg_control: pointer,
  msg_controllen: size_t,
  msg_flags: int32,
}));

/** POSIX's own widths: the BSDs, macOS, and musl on 32-bit CPUs. <sys/socket.h> */
export const msghdrInt = declare(({ pointer, uint32, int32 }) => ({
  msg_name: pointer,
  msg_namelen: uint32,
  msg_iov: pointer,
  msg_iovlen: int32,
  msg_control: pointer,
  msg_controllen: uint32,
  msg_flags: int32,
}));

/** musl on 64-bit little-endian CPUs: POSIX's widths, padded to the kernel's layout. <bits/socket.h> */
export const msghdrPadded = declare(({ pointer, uint32, int32 }) => ({
  msg_name: pointer,
  msg_namelen: uint32,
  msg_iov: pointer,
  msg_iovlen: int32,
  __pad1: int32,
  msg_control: pointer,
  msg_controllen: uint32,
  __pad2: int32,
  msg_flags: int32,
}));

/**
 * A message and its length: `mmsghdr` of Linux and OpenBSD <sys/socket.h>, and the pair that we keep where the OS has
 * no batch call.
 */
export function mmsghdr(header: Declaration<string>): Declaration<'msg_hdr' | 'msg_len'> {
  return declare(({ uint32 }, abi) => ({ msg_hdr: header(abi), msg_len: uint32 }));
}

/** FreeBSD's mmsghdr: msg_len is ssize_t. <sys/socket.h> */
export const mmsghdrSsizeT = declare(({ long }, abi) => ({ msg_hdr: msghdrInt(abi), msg_len: long }));

/** Winsock's iovec, length first and a ULONG on every CPU. <ws2def.h> */
export const WSABUF = declare(({ pointer, uint32 }) => ({ len: uint32, buf: pointer }));

/** Winsock's msghdr. <ws2def.h> */
export const WSAMSG = declare(({ pointer, uint32, int32 }, abi) => ({
  name: pointer,
  namelen: int32,
  lpBuffers: pointer,
  dwBufferCount: uint32,
  Control: WSABUF(abi),
  dwFlags: uint32,
}));

/** What macOS' private recvmsg_x and sendmsg_x take: a msghdr and the length. xnu's <sys/socket_private.h> */
export const msghdr_x = declare(({ pointer, uint32, int32, size_t }) => ({
  msg_name: pointer,
  msg_namelen: uint32,
  msg_iov: pointer,
  msg_iovlen: int32,
  msg_control: pointer,
  msg_controllen: uint32,
  msg_flags: int32,
  msg_datalen: size_t,
}));
