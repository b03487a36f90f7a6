/**
 * Socket addresses. BSD's begin with a byte that holds their length (`sa_len`) and have a one-byte family; the others
 * have a two-byte family there. Ports and flow labels are network order, their properties hold plain numbers.
 */
import { alignedType, bytesType } from './ref';
import { declare } from './struct';

/** Linux, Android (whose sin_zero is a #define for __pad) and Windows. <netinet/in.h>, <ws2def.h> */
export const sockaddr_in = declare(({ uint16, be16, in_addr }) => ({
  sin_family: uint16,
  sin_port: be16,
  sin_addr: in_addr,
  sin_zero: bytesType(8),
}));

/** With sa_len: the BSDs and macOS. <netinet/in.h> */
export const sockaddr_inLen = declare(({ uint8, be16, in_addr }) => ({
  sin_len: uint8,
  sin_family: uint8,
  sin_port: be16,
  sin_addr: in_addr,
  sin_zero: bytesType(8),
}));

/** <netinet/in.h>, <ws2ipdef.h> */
export const sockaddr_in6 = declare(({ uint16, be16, be32, uint32, in6_addr }) => ({
  sin6_family: uint16,
  sin6_port: be16,
  sin6_flowinfo: be32,
  sin6_addr: in6_addr,
  sin6_scope_id: uint32,
}));

/** With sa_len. <netinet6/in6.h> */
export const sockaddr_in6Len = declare(({ uint8, be16, be32, uint32, in6_addr }) => ({
  sin6_len: uint8,
  sin6_family: uint8,
  sin6_port: be16,
  sin6_flowinfo: be32,
  sin6_addr: in6_addr,
  sin6_scope_id: uint32,
}));

/** glibc and musl <bits/socket.h>: 128 bytes that end with an unsigned long. */
export const sockaddr_storage = declare(({ uint16, long }) => ({
  ss_family: uint16,
  __ss_padding: bytesType(128 - uint16.size - long.size),
  __ss_align: long,
}));

/** bionic <bits/sockaddr_storage.h>: a union with a pointer, hence its alignment. */
export const sockaddr_storageAndroid = declare(({ uint16, pointer }) => ({
  ss_family: alignedType(uint16, pointer.alignment),
  __data: bytesType(128 - uint16.size),
}));

/** macOS and FreeBSD <sys/_sockaddr_storage.h>: 128 bytes. */
export const sockaddr_storageLen = declare(({ uint8, int64 }) => ({
  ss_len: uint8,
  ss_family: uint8,
  __ss_pad1: bytesType(6),
  __ss_align: int64,
  __ss_pad2: bytesType(112),
}));

/** OpenBSD <sys/socket.h>: 256 bytes. */
export const sockaddr_storageOpenBSD = declare(({ uint8, int64 }) => ({
  ss_len: uint8,
  ss_family: uint8,
  __ss_pad1: bytesType(6),
  __ss_pad2: int64,
  __ss_pad3: bytesType(240),
}));

/** Windows <ws2def.h>: 128 bytes; __int64 is 8-aligned on ia32 too. */
export const sockaddr_storageWindows = declare(({ uint16, int64 }) => ({
  ss_family: uint16,
  __ss_pad1: bytesType(6),
  __ss_align: int64,
  __ss_pad2: bytesType(112),
}));

/** <net/if_dl.h>: what IP_RECVIF delivers. Only the length of the last field differs between the BSDs. */
function sockaddr_dl(dataLength: number) {
  return declare(({ uint8, uint16 }) => ({
    sdl_len: uint8,
    sdl_family: uint8,
    sdl_index: uint16,
    sdl_type: uint8,
    sdl_nlen: uint8,
    sdl_alen: uint8,
    sdl_slen: uint8,
    sdl_data: bytesType(dataLength),
  }));
}

/** NetBSD <net/if_dl.h>: the rest is a struct of its own. */
export const sockaddr_dlNetBSD = declare(({ uint8, uint16 }) => ({
  sdl_len: uint8,
  sdl_family: uint8,
  sdl_index: uint16,
  sdl_addr: bytesType(28),
}));

export const sockaddr_dlDarwin = sockaddr_dl(12);
export const sockaddr_dlFreeBSD = sockaddr_dl(46);
export const sockaddr_dlOpenBSD = sockaddr_dl(24);

/** What IPV6_PATHMTU tells: the peer and the MTU of the path to it. RFC 3542 §11.4, the BSDs and macOS. */
export const ip6_mtuinfo = declare(({ uint32 }, abi) => ({ ip6m_addr: sockaddr_in6Len(abi), ip6m_mtu: uint32 }));
