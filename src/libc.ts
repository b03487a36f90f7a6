/**
 * `recvfromto/libc`: the call that sockets never had, and those beside it, for scripts: synchronous, without an event
 * loop. No library is opened before the first call.
 */
import { openHost } from './ffi';
import { openLibcCalls } from './ffi/libc-calls';
import type { SocketName } from './libc/addresses';
import { Control, type Header } from './libc/control';
import { createLibc, type Libc } from './libc/libc';
import type {
  Msghdr,
  Pollfd,
  SockaddrIn,
  SockaddrIn6,
  SockaddrStorage,
  Struct,
  Structs,
  WsaMsg,
} from './libc/struct-types';
import { structsOf } from './libc/structs';
import type { BindName, ReceivedFromTo, RecvOptions, SendFromToOptions } from './libc/types';
import { hostPlatform } from './platform';
import type { Platform } from './platform/platform';

export type { Header } from './libc/control';
export type * from './libc/struct-types';
export type { BindName, Destination, ReceivedFromTo, RecvOptions, SendFromToOptions, SocketName } from './libc/types';

/** A sockaddr struct, as C's functions take it. */
export type Sockaddr = (SockaddrIn | SockaddrIn6 | SockaddrStorage) & Struct;
/** A message header of this OS. */
export type Message = (Msghdr | WsaMsg) & Struct;

const platform = knownPlatform();

/** An import does not throw where the OS is not supported; the first call does, and names it. */
function knownPlatform(): Platform | undefined {
  try {
    return hostPlatform();
  } catch {
    return undefined;
  }
}

/**
 * The OS's numbers by C's names, as far as this package has them (`constants.IP_PKTINFO`). One that this OS has not is
 * undefined, whatever its type says, and every call here refuses it.
 */
export const constants = Object.freeze({ ...platform?.constants }) as Readonly<Record<string, number>>;
/** No address family: what dissolves a connection in C; `connect(fd, null)` here. */
export const AF_UNSPEC = constants.AF_UNSPEC;
/** IPv4, for socket() and sockaddrs. */
export const AF_INET = constants.AF_INET;
/** IPv6, for socket() and sockaddrs. */
export const AF_INET6 = constants.AF_INET6;
/** Datagrams, for socket(). */
export const SOCK_DGRAM = constants.SOCK_DGRAM;
/** Level of options and control messages of any socket. */
export const SOL_SOCKET = constants.SOL_SOCKET;
/** Level of those of IPv4. */
export const IPPROTO_IP = constants.IPPROTO_IP;
/** Level of those of IPv6. */
export const IPPROTO_IPV6 = constants.IPPROTO_IPV6;
/** Level of those of UDP. */
export const IPPROTO_UDP = constants.IPPROTO_UDP;

/** The OS's struct types: `new structs.in_pktinfo({ ipi_spec_dst: '127.0.0.2' })`. They print themselves. */
export const structs: Structs = platform === undefined ? (Object.create(null) as Structs) : structsOf(platform);

let opened: Libc | undefined;

function libc(): Libc {
  if (opened === undefined) {
    const host = openHost();
    opened = createLibc(host, openLibcCalls(host.platform));
  }
  return opened;
}

let control: Control | undefined;

/** Needs no library. @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM */
function macros(): Control {
  control ??= new Control(hostPlatform());
  return control;
}

/**
 * socket(2), with destination reporting switched on: for both families where a socket can have both (IPV6_V6ONLY is
 * cleared then). Blocks; close-on-exec.
 * @param domain AF_INET or AF_INET6
 * @param type SOCK_DGRAM, with SOCK_NONBLOCK or without
 * @returns a descriptor; `createSocket().bind({ fd })` takes it over, and closes it then
 * @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM; the kernel's errors (`EMFILE`, `EAFNOSUPPORT`, …)
 */
export function socket(domain: number, type: number, protocol = 0): number {
  return libc().descriptors.socket(domain, type, protocol);
}

/**
 * bind(2).
 * @param name `{ address, port }`, without an address all of them, or a sockaddr struct
 * @throws ERR_INVALID_IP_ADDRESS where the address is none; `EADDRINUSE`, `EADDRNOTAVAIL`, …
 */
export function bind(fd: number, name: BindName | Sockaddr): void {
  libc().descriptors.bind(fd, name);
}

/** connect(2). @param name null: connected to nobody again */
export function connect(fd: number, name: { address: string; port: number } | Sockaddr | null): void {
  libc().descriptors.connect(fd, name);
}

/** getsockname(2): where the descriptor is bound; port 0 before. */
export function getsockname(fd: number): SocketName {
  return libc().descriptors.getsockname(fd);
}

/** getpeername(2). @throws `ENOTCONN` */
export function getpeername(fd: number): SocketName {
  return libc().descriptors.getpeername(fd);
}

/**
 * setsockopt(2).
 * @param value a number or boolean (an int in C), a string (with its NUL), bytes, or a struct
 */
export function setsockopt(
  fd: number,
  level: number,
  name: number,
  value: number | boolean | string | NodeJS.ArrayBufferView | Struct,
): void {
  libc().descriptors.setsockopt(fd, level, name, value);
}

/** getsockopt(2) of an int. */
export function getsockopt(fd: number, level: number, name: number): number;
/** getsockopt(2). @param length room for the value, in bytes. @returns as many bytes as the kernel filled */
export function getsockopt(fd: number, level: number, name: number, length: number): Buffer;
export function getsockopt(fd: number, level: number, name: number, length?: number): number | Buffer {
  return libc().descriptors.getsockopt(fd, level, name, length);
}

/**
 * Receives a datagram, with the address that it was sent **to**. Waits for one unless told otherwise; a signal that
 * nobody in this process listens to ends the process meanwhile, any other one throws `EINTR`.
 * @returns undefined when none came in time
 * @throws `ECONNREFUSED` (connected sockets), `EBADF`, `ENOTSOCK`, `EINTR`, …
 */
export function recvfromto(
  fd: number,
  options: RecvOptions & ({ timeout: number } | { dontwait: boolean }),
): ReceivedFromTo | undefined;
export function recvfromto(fd: number, options?: Omit<RecvOptions, 'timeout' | 'dontwait'>): ReceivedFromTo;
export function recvfromto(fd: number, options?: RecvOptions): ReceivedFromTo | undefined {
  return libc().datagrams.recvfromto(fd, options);
}

/**
 * Sends a datagram **from** an address of this host.
 * @param msg a string, bytes, a struct, or an array of these for one datagram
 * @returns bytes
 * @throws `EADDRNOTAVAIL` where the source is no address of this host; ERR_RECVFROMTO_SOURCE_MISMATCH where it does not
 * fit `to`; ERR_RECVFROMTO_UNSUPPORTED_PLATFORM where the OS cannot; the kernel's errors
 */
export function sendfromto(
  fd: number,
  msg: string | NodeJS.ArrayBufferView | Struct | readonly (string | NodeJS.ArrayBufferView | Struct)[],
  options?: SendFromToOptions | { to?: Sockaddr; from?: SendFromToOptions['from'] },
): number {
  return libc().datagrams.sendfromto(fd, msg, options as SendFromToOptions);
}

/**
 * recvmsg(2), as recvmmsg(2) of one message where the OS has that. Fills what `msg` points at, and sets its lengths and
 * flags: set them anew before the next call, as in C.
 * @param flags MSG_PEEK, MSG_DONTWAIT, …
 * @returns bytes; with MSG_TRUNC among `flags` of the whole datagram
 * @throws `EAGAIN` with MSG_DONTWAIT or on a non-blocking descriptor; ERR_OUT_OF_RANGE where a length is more than the
 * bytes behind its pointer
 */
export function recvmsg(fd: number, msg: Message, flags = 0): number {
  return libc().messages.recvmsg(fd, msg, flags);
}

/** sendmsg(2), as sendmmsg(2) of one message where the OS has that. @returns bytes */
export function sendmsg(fd: number, msg: Message, flags = 0): number {
  return libc().messages.sendmsg(fd, msg, flags);
}

/**
 * poll(2). Sets `revents` of each entry; negative descriptors are left out.
 * @param timeout ms; -1, the default, for ever
 * @returns how many entries have `revents`
 */
export function poll(fds: readonly (Pollfd | Omit<Pollfd, 'revents'>)[], timeout = -1): number {
  return libc().descriptors.poll(fds, timeout);
}

/**
 * close(2) of a descriptor that socket() returned. Others belong to whoever opened them: a Socket, the event loop, stdio.
 * @throws ERR_INVALID_ARG_VALUE for those; `EBADF` where it is closed
 */
export function close(fd: number): void {
  libc().descriptors.close(fd);
}

/** The first control message of `msg`, or null. */
export function CMSG_FIRSTHDR(msg: Message): Header | null {
  return macros().CMSG_FIRSTHDR(msg);
}

/** The control message behind `cmsg`, or null behind the last. @param cmsg of CMSG_FIRSTHDR or CMSG_NXTHDR */
export function CMSG_NXTHDR(msg: Message, cmsg: Header): Header | null {
  return macros().CMSG_NXTHDR(msg, cmsg);
}

/** The payload of a control message, not copied: `new structs.in_pktinfo(CMSG_DATA(cmsg))` reads and writes it. */
export function CMSG_DATA(cmsg: Header): Buffer {
  return macros().CMSG_DATA(cmsg);
}

/** `cmsg_len` of a message with so many bytes of payload. */
export function CMSG_LEN(length: number): number {
  return macros().CMSG_LEN(length);
}

/** Bytes that a message with so many bytes of payload takes up, padding included. */
export function CMSG_SPACE(length: number): number {
  return macros().CMSG_SPACE(length);
}
