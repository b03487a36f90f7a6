/**
 * The system calls of Windows, through koffi: the Winsock half of `Syscalls`. A descriptor is a SOCKET. Datagrams move
 * one per call (WSARecvMsg, WSASendMsg); batch.ts makes batches of them.
 * A little over 300 lines, as posix.ts is under it: one class for one OS's calls.
 *
 * The last error is read on the line after each call, as koffi keeps it across its own work (the thread's TEB).
 */
import { unsupportedPlatform } from '../../errors';
import type { MessageLayout, Platform } from '../../platform/platform';
import { checkAddressable, checkBytes, checkDescriptor, checkEvents, checkInt, checkUnsigned } from '../check';
import type { Koffi, NativeFunction } from '../koffi';
import type { Syscalls, Watched } from '../syscalls';
import { uvErrno } from '../uv-errno';
import { type Batch, loop } from './batch';
import { Poller } from './poll';
import type { Single } from './single';
import { declareSystem, declareWinsock, type Extensions, findExtensions } from './winsock-calls';
import { winsockFailure } from './winsock-errors';

/** <winsock2.h> */
const VERSION_2_2 = 0x0202;
const WSADATA_SIZE = 512; // sizeof(WSADATA) is 408, on ia32 400
const WSA_FLAG_OVERLAPPED = 0x01;
const WSA_FLAG_NO_HANDLE_INHERIT = 0x80;
/** <handleapi.h> */
const HANDLE_FLAG_INHERIT = 1;
/** <netioapi.h>: NDIS_IF_MAX_STRING_SIZE in WCHARs, with its NUL. */
const ALIAS_WCHARS = 257;

/** @param watched does something in this environment wait for a descriptor? adopt() refuses it then */
export function winsock(koffi: Koffi, platform: Platform, watched: Watched = () => false): Syscalls {
  return new Winsock(koffi, platform, watched);
}

class Winsock implements Syscalls {
  readonly #koffi: Koffi;
  readonly #platform: Platform;
  readonly #watched: Watched;
  readonly #ws2_32: ReturnType<typeof declareWinsock>;
  readonly #system: ReturnType<typeof declareSystem>;
  readonly #single: Datagrams;
  readonly #batch: Batch;
  readonly recvmmsg: Syscalls['recvmmsg'];
  readonly sendmmsg: Syscalls['sendmmsg'];
  readonly #poller: Poller;
  /** An int, DWORD or u_long that a call reads and writes. */
  readonly #dword = Buffer.alloc(4);
  /** A NET_LUID. */
  readonly #luid = Buffer.alloc(8);

  constructor(koffi: Koffi, platform: Platform, watched: Watched) {
    this.#koffi = koffi;
    this.#platform = platform;
    this.#watched = watched;
    this.#ws2_32 = declareWinsock(koffi.load('ws2_32.dll'));
    this.#system = declareSystem(koffi.load('kernel32.dll'), koffi.load('iphlpapi.dll'));
    this.#single = new Datagrams(koffi, platform, this.#ws2_32.WSAGetLastError);
    this.#batch = loop(this.#single, platform);
    ({ recvmmsg: this.recvmmsg, sendmmsg: this.sendmmsg } = this.#batch);
    this.#poller = new Poller(platform, (fds, timeout) => {
      const count = this.#ws2_32.WSAPoll(fds, 1, timeout);
      return count < 0 ? this.#failure() : count;
    });
    // Node has started it too; each counts, and the process's end undoes them all.
    const failed = this.#ws2_32.WSAStartup(VERSION_2_2, Buffer.alloc(WSADATA_SIZE));
    if (failed !== 0) throw unsupportedPlatform(`recvfromto needs Winsock 2.2, and WSAStartup returned ${failed}`);
  }

  socket(family: number): number {
    checkInt('family', family);
    const { SOCK_DGRAM } = this.#platform.constants;
    const flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT; // socket() too makes them overlapped
    const fd = this.#ws2_32.WSASocketW(family, SOCK_DGRAM, 0, null, 0, flags);
    if (fd === -1) return this.#failure();
    const failed = this.#prepare(fd);
    if (failed < 0) this.#ws2_32.closesocket(fd);
    return failed < 0 ? failed : fd;
  }

  adopt(fd: number): number {
    checkDescriptor(fd);
    if (this.#watched(fd)) return uvErrno('EEXIST', -this.#platform.errno.EINVAL);
    this.#batch.forget(fd); // somebody else has closed what had this number before
    const failed = this.#prepare(fd);
    if (failed < 0) return failed;
    return this.#system.SetHandleInformation(fd, HANDLE_FLAG_INHERIT, 0) !== 0 ? 0 : this.#failure();
  }

  close(fd: number): number {
    checkDescriptor(fd);
    this.#batch.forget(fd);
    return this.#result(this.#ws2_32.closesocket(fd));
  }

  bind(fd: number, name: Buffer): number {
    checkDescriptor(fd);
    checkBytes('name', name);
    return this.#result(this.#ws2_32.bind(fd, name, name.length));
  }

  connect(fd: number, name: Buffer): number {
    checkDescriptor(fd);
    checkBytes('name', name);
    return this.#result(this.#ws2_32.connect(fd, name, name.length));
  }

  getsockname(fd: number, name: Buffer): number {
    return this.#nameBy(this.#ws2_32.getsockname, fd, name);
  }

  getpeername(fd: number, name: Buffer): number {
    return this.#nameBy(this.#ws2_32.getpeername, fd, name);
  }

  #nameBy(call: NativeFunction, fd: number, name: Buffer): number {
    checkDescriptor(fd);
    checkBytes('name', name);
    this.#dword.writeInt32LE(name.length);
    if (call(fd, name, this.#dword) !== 0) return this.#failure();
    return this.#dword.readInt32LE();
  }

  setsockopt(fd: number, level: number, name: number, value: Buffer): number {
    checkDescriptor(fd);
    checkInt('level', level);
    checkInt('name', name);
    checkBytes('value', value);
    return this.#result(this.#ws2_32.setsockopt(fd, level, name, value, value.length));
  }

  getsockopt(fd: number, level: number, name: number, value: Buffer): number {
    checkDescriptor(fd);
    checkInt('level', level);
    checkInt('name', name);
    checkBytes('value', value);
    this.#dword.writeInt32LE(value.length);
    if (this.#ws2_32.getsockopt(fd, level, name, value, this.#dword) !== 0) return this.#failure();
    return this.#dword.readInt32LE();
  }

  get late(): Syscalls['late'] {
    return this.#batch.late;
  }

  ioctlInt(fd: number, request: number): number {
    checkDescriptor(fd);
    checkUnsigned('request', request);
    if (this.#ws2_32.ioctlsocket(fd, request | 0, this.#dword) !== 0) return this.#failure();
    return this.#dword.readInt32LE();
  }

  poll(fd: number, events: number, timeout: number): number {
    checkDescriptor(fd);
    checkEvents(events);
    checkInt('timeout', timeout);
    return this.#poller.poll(fd, events, timeout);
  }

  /**
   * The alias ('Ethernet 2'), which is what os.networkInterfaces() calls an interface (libuv takes FriendlyName), and
   * not the 'ethernet_32769' of Windows' own if_indextoname.
   */
  if_indextoname(ifindex: number, name: Buffer): number {
    checkUnsigned('ifindex', ifindex);
    checkBytes('name', name, this.#platform.constants.IF_NAMESIZE);
    const alias = Buffer.alloc(2 * ALIAS_WCHARS);
    const status =
      this.#system.ConvertInterfaceIndexToLuid(ifindex, this.#luid) ||
      this.#system.ConvertInterfaceLuidToAlias(this.#luid, alias, ALIAS_WCHARS);
    if (status !== 0) return winsockFailure(this.#platform, status);
    const text = alias.toString('utf16le').split('\0', 1)[0];
    name[name.write(text, 0, name.length - 1, 'utf8')] = 0; // cuts no character in half
    return 0;
  }

  /** By alias, then by Windows' own names. A number is no name: zones are numbers on Windows. */
  if_nametoindex(name: string): number {
    if (typeof name !== 'string') throw new TypeError(`name must be a string, is ${typeof name}`);
    if (name.includes('\0') || /^\d*$/.test(name)) return 0; // C would stop at the NUL
    const alias = Buffer.from(`${name}\0`, 'utf16le');
    const failed =
      this.#system.ConvertInterfaceAliasToLuid(alias, this.#luid) ||
      this.#system.ConvertInterfaceLuidToIndex(this.#luid, this.#dword);
    return failed === 0 ? this.#dword.readUInt32LE() : this.#system.if_nametoindex(name);
  }

  addressOf(bytes: Uint8Array): bigint {
    checkAddressable(bytes);
    return this.#koffi.address(bytes);
  }

  /** Non-blocking, and without the ICMP errors of earlier sends, which Windows would report to receives (P38). */
  #prepare(fd: number): number {
    const { FIONBIO, SIO_UDP_CONNRESET, SIO_UDP_NETRESET } = this.#platform.constants;
    this.#dword.writeUInt32LE(1);
    if (this.#ws2_32.ioctlsocket(fd, FIONBIO! | 0, this.#dword) !== 0) return this.#failure();
    const FALSE = Buffer.alloc(4);
    // Not every Windows has SIO_UDP_NETRESET; receives ignore what comes all the same.
    this.#ioctl(fd, SIO_UDP_CONNRESET!, FALSE, null);
    this.#ioctl(fd, SIO_UDP_NETRESET!, FALSE, null);
    return this.#findExtensions(fd);
  }

  /** Once, from the first socket: they belong to Microsoft's provider, which has both families (msquic does so too). */
  #findExtensions(fd: number): number {
    if (this.#single.extensions !== undefined) return 0;
    const { SIO_GET_EXTENSION_FUNCTION_POINTER } = this.#platform.constants;
    const found = findExtensions(this.#koffi, this.#platform.message.pointerSize, (guid, pointer) =>
      this.#ioctl(fd, SIO_GET_EXTENSION_FUNCTION_POINTER!, guid, pointer),
    );
    if (typeof found === 'number') return found;
    this.#single.extensions = found;
    return 0;
  }

  #ioctl(fd: number, code: number, input: Buffer, output: Buffer | null): number {
    const { WSAIoctl } = this.#ws2_32;
    return this.#result(WSAIoctl(fd, code, input, input.length, output, output?.length ?? 0, this.#dword, null, null));
  }

  #result(returned: number): number {
    return returned === 0 ? 0 : this.#failure();
  }

  #failure(): number {
    return winsockFailure(this.#platform, this.#ws2_32.WSAGetLastError());
  }
}

/** One datagram per call. */
class Datagrams implements Single {
  /** Known since the first socket. */
  extensions: Extensions | undefined;
  readonly #koffi: Koffi;
  readonly #platform: Platform;
  readonly #layout: MessageLayout;
  readonly #WSAGetLastError: () => number;
  /** A DWORD: bytes received or sent. */
  readonly #count = Buffer.alloc(4);
  readonly #countWord = new Uint32Array(this.#count.buffer, this.#count.byteOffset, 1);

  constructor(koffi: Koffi, platform: Platform, WSAGetLastError: () => number) {
    this.#koffi = koffi;
    this.#platform = platform;
    this.#layout = platform.message;
    this.#WSAGetLastError = WSAGetLastError;
  }

  receive(fd: number, message: Buffer, flags: number): number {
    if (this.extensions === undefined) return -this.#platform.errno.ENOTSOCK!; // no socket was ever made
    const { errno } = this.#platform;
    const layout = this.#layout;
    const namelen = message.readInt32LE(layout.namelen);
    const controllen = message.readInt32LE(layout.controllen);
    for (;;) {
      this.#countWord[0] = 0;
      message.writeInt32LE(flags, layout.flags);
      if (this.extensions.WSARecvMsg(fd, message, this.#count, null, null) === 0) return this.#countWord[0];
      const code = this.#WSAGetLastError();
      if (code === errno.EMSGSIZE) return this.#cut(message);
      // A peer of an earlier datagram was not there: says nothing about receiving. libuv ignores both as well.
      if (code !== errno.ECONNRESET && code !== errno.ENETRESET) return winsockFailure(this.#platform, code);
      message.writeInt32LE(namelen, layout.namelen);
      message.writeInt32LE(controllen, layout.controllen);
    }
  }

  send(fd: number, message: Buffer, flags: number): number {
    if (this.extensions === undefined) return -this.#platform.errno.ENOTSOCK!;
    if (this.extensions.WSASendMsg(fd, message, flags, this.#count, null, null) === 0) return this.#countWord[0];
    return winsockFailure(this.#platform, this.#WSAGetLastError());
  }

  /**
   * WSAEMSGSIZE: the datagram is here, but not all of it. MSG_CTRUNC alone: its control messages did not fit. Else its
   * data did not; Windows says MSG_TRUNC and how much there is, Wine says neither (and fills the buffer).
   */
  #cut(message: Buffer): number {
    const { MSG_TRUNC, MSG_CTRUNC } = this.#platform.constants;
    const flags = message.readInt32LE(this.#layout.flags);
    if ((flags & (MSG_TRUNC | MSG_CTRUNC)) === MSG_CTRUNC) return this.#countWord[0];
    message.writeInt32LE(flags | MSG_TRUNC, this.#layout.flags);
    return this.#countWord[0] === 0 ? this.#room(message) : this.#countWord[0];
  }

  /** Bytes of the first buffer of a message. Ours have one. */
  #room(message: Buffer): number {
    const { iov, iovec, pointerSize } = this.#layout;
    const lpBuffers = pointerSize === 8 ? message.readBigUInt64LE(iov) : message.readUInt32LE(iov);
    return Number(this.#koffi.decode(lpBuffers, iovec.len, 'uint32_t'));
  }
}
