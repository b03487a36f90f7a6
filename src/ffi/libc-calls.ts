/**
 * What recvfromto/libc needs of the C library beyond `Syscalls`: descriptors that block, and poll(2) for many of them.
 * As there, every call returns a count or -errno, and throws only where an argument is a bug of ours.
 */
import { fstatSync } from 'node:fs';
import type { Platform } from '../platform/platform';
import { pollfd, wsapollfd } from '../structs/pollfd';
import { abiOf } from './abi';
import { winsockFailure } from './calls/winsock-errors';
import { checkDescriptor, checkInt } from './check';
import { type Koffi, loadKoffi, type NativeFunction } from './koffi';

/** What poll(2) is asked of one descriptor, in the OS's own bits. */
export interface PollEntry {
  readonly fd: number;
  readonly events: number;
  /** Written by the call. */
  revents: number;
}

export interface LibcCalls {
  /** Clears O_NONBLOCK. */
  block(fd: number): number;
  /** → 1 while O_NONBLOCK is clear, 0. Windows cannot be asked: 1 */
  blocks(fd: number): number;
  /**
   * Names what stands behind a descriptor, so that one is noticed whose number belongs to something else by now.
   * undefined where the OS does not tell.
   */
  identity(fd: number): string | undefined;
  /** poll(2), WSAPoll. → how many `revents` are not 0; -EINTR is not retried */
  poll(entries: readonly PollEntry[], timeout: number): number;
}

/** @throws ERR_RECVFROMTO_UNSUPPORTED_PLATFORM, ERR_ACCESS_DENIED */
export function openLibcCalls(platform: Platform): LibcCalls {
  return libcCalls(loadKoffi(platform), platform);
}

export function libcCalls(koffi: Koffi, platform: Platform): LibcCalls {
  return platform.calls === 'winsock' ? new WinsockCalls(koffi, platform) : new PosixCalls(koffi, platform);
}

/** The array that poll(2) takes, in and out. */
class PollArray {
  readonly #struct: ReturnType<typeof pollfd>;

  constructor(platform: Platform) {
    this.#struct = (platform.calls === 'winsock' ? wsapollfd : pollfd)(abiOf(platform));
  }

  encode(entries: readonly PollEntry[]): Buffer {
    const { size } = this.#struct;
    const bytes = Buffer.alloc(Math.max(1, entries.length) * size);
    entries.forEach(({ fd, events }, i) => {
      checkInt('fd', fd);
      checkInt('events', events);
      new this.#struct(bytes.subarray(i * size, (i + 1) * size), { fd, events });
    });
    return bytes;
  }

  decode(bytes: Buffer, entries: readonly PollEntry[]): void {
    const { size, fields } = this.#struct;
    const { offset, type } = fields.revents;
    entries.forEach((entry, i) => {
      entry.revents = type.get(bytes, i * size + offset) as number;
    });
  }
}

class PosixCalls implements LibcCalls {
  readonly #koffi: Koffi;
  readonly #platform: Platform;
  readonly #fcntl: NativeFunction;
  readonly #poll: NativeFunction;
  readonly #fds: PollArray;

  constructor(koffi: Koffi, platform: Platform) {
    this.#koffi = koffi;
    this.#platform = platform;
    this.#fds = new PollArray(platform);
    const libc = koffi.load(null);
    // int fcntl(int fd, int cmd, ...);
    this.#fcntl = libc.func('int fcntl(int, int, ...)');
    // int poll(struct pollfd *fds, nfds_t nfds, int timeout); nfds_t: unsigned int, Linux: unsigned long
    const nfds_t = platform.name === 'linux' ? 'unsigned long' : 'unsigned int';
    this.#poll = libc.func(`int poll(void *, ${nfds_t}, int)`);
  }

  block(fd: number): number {
    const { F_SETFL, O_NONBLOCK } = this.#platform.constants;
    const flags = this.#flags(fd);
    if (flags < 0) return flags;
    return this.#fcntl(fd, F_SETFL!, 'int', flags & ~O_NONBLOCK!) < 0 ? -this.#koffi.errno() : 0;
  }

  blocks(fd: number): number {
    const flags = this.#flags(fd);
    if (flags < 0) return flags;
    return (flags & this.#platform.constants.O_NONBLOCK!) === 0 ? 1 : 0;
  }

  #flags(fd: number): number {
    checkDescriptor(fd);
    const flags = this.#fcntl(fd, this.#platform.constants.F_GETFL!);
    return flags < 0 ? -this.#koffi.errno() : flags;
  }

  identity(fd: number): string | undefined {
    try {
      const { dev, ino } = fstatSync(fd, { bigint: true });
      return `${dev}:${ino}`;
    } catch {
      return undefined; // closed
    }
  }

  poll(entries: readonly PollEntry[], timeout: number): number {
    checkInt('timeout', timeout);
    const fds = this.#fds.encode(entries);
    const ready = this.#poll(fds, entries.length, timeout);
    if (ready < 0) return -this.#koffi.errno();
    this.#fds.decode(fds, entries);
    return ready;
  }
}

/** A SOCKET stays non-blocking underneath: who waits here always polls first. */
class WinsockCalls implements LibcCalls {
  readonly #platform: Platform;
  readonly #fds: PollArray;
  readonly #WSAPoll: NativeFunction;
  readonly #WSAGetLastError: NativeFunction;

  constructor(koffi: Koffi, platform: Platform) {
    this.#platform = platform;
    this.#fds = new PollArray(platform);
    const ws2_32 = koffi.load('ws2_32.dll');
    // int WSAAPI WSAPoll(LPWSAPOLLFD fdArray, ULONG fds, INT timeout);
    this.#WSAPoll = ws2_32.func('int __stdcall WSAPoll(void *, uint32_t, int)');
    // int WSAAPI WSAGetLastError();
    this.#WSAGetLastError = ws2_32.func('int __stdcall WSAGetLastError()');
  }

  block(): number {
    return 0;
  }

  blocks(): number {
    return 1;
  }

  identity(): undefined {
    return undefined;
  }

  poll(entries: readonly PollEntry[], timeout: number): number {
    checkInt('timeout', timeout);
    const fds = this.#fds.encode(entries);
    const ready = this.#WSAPoll(fds, entries.length, timeout);
    if (ready < 0) return winsockFailure(this.#platform, this.#WSAGetLastError());
    this.#fds.decode(fds, entries);
    return ready;
  }
}
