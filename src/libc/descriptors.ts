/** The descriptors that socket() has returned, and the calls that take one and no message. */
import { steadyClock } from '../captured';
import { failure } from '../datagram/failure';
import { invalidArgValue, outOfRange } from '../errors';
import type { Host } from '../ffi';
import type { LibcCalls, PollEntry } from '../ffi/libc-calls';
import type { SocketKind } from '../platform/platform';
import { Addresses, type SocketName } from './addresses';
import { checkFd, checkInt, checkInteger, checkObject, checkView, INT_MAX } from './check';
import { block } from './message';
import { isStruct } from './struct';
import { SLICE, somebodyListens } from './wait';

/** More than any socket option has. Bytes */
const LARGEST_OPTION = 2 ** 20;
/** More than any process may have open. */
const MOST_FDS = 2 ** 20;

interface Own {
  readonly family: 4 | 6;
  readonly blocks: boolean;
  readonly identity: string | undefined;
}

export class Descriptors {
  readonly addresses: Addresses;
  readonly #host: Host;
  readonly #calls: LibcCalls;
  readonly #own = new Map<number, Own>();

  constructor(host: Host, calls: LibcCalls) {
    this.#host = host;
    this.#calls = calls;
    this.addresses = new Addresses(host);
  }

  socket(domain: number, type: number, protocol: number): number {
    const { platform, syscalls } = this.#host;
    const { AF_INET, AF_INET6, SOCK_DGRAM, SOCK_NONBLOCK = 0, SOCK_CLOEXEC = 0, IPPROTO_UDP } = platform.constants;
    const af = checkInt('domain', domain);
    if (af !== AF_INET && af !== AF_INET6) throw invalidArgValue('domain', domain, 'must be AF_INET or AF_INET6');
    const wanted = checkInt('type', type);
    if ((wanted & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) !== SOCK_DGRAM) {
      throw invalidArgValue('type', type, 'must be SOCK_DGRAM');
    }
    const proto = checkInt('protocol', protocol);
    if (proto !== 0 && proto !== IPPROTO_UDP) throw invalidArgValue('protocol', protocol, 'must be 0 or IPPROTO_UDP');
    const fd = this.#check(syscalls.socket(af), 'socket');
    try {
      const blocks = (wanted & SOCK_NONBLOCK) === 0;
      const family = af === AF_INET ? 4 : 6;
      this.#ask(fd, family);
      if (blocks) this.#check(this.#calls.block(fd), 'fcntl');
      this.#own.set(fd, { family, blocks, identity: this.#calls.identity(fd) });
    } catch (error) {
      syscalls.close(fd);
      throw error;
    }
    return fd;
  }

  /** To be told destinations, of both families where one socket can have both. */
  #ask(fd: number, family: 4 | 6): void {
    const { constants, quirks, requests } = this.#host.platform;
    const kind: SocketKind = family === 4 ? 'udp4' : quirks.dualStack ? 'dual' : 'udp6';
    if (kind === 'dual') this.#setInt(fd, constants.IPPROTO_IPV6, constants.IPV6_V6ONLY, 0);
    for (const { level, name, optional } of requests[kind]) this.#setInt(fd, level, name, 1, optional);
    // The default of some systems takes no large datagram, or never becomes writable for one (P34, P37).
    const { SOL_SOCKET, SO_SNDBUF } = constants;
    if (quirks.minSendBuffer === 0 || Number(this.getsockopt(fd, SOL_SOCKET, SO_SNDBUF)) >= quirks.minSendBuffer)
      return;
    this.#setInt(fd, SOL_SOCKET, SO_SNDBUF, quirks.minSendBuffer, true);
  }

  #setInt(fd: number, level: number, name: number, value: number, optional?: true): void {
    const result = this.#host.syscalls.setsockopt(fd, level, name, intBytes(value));
    if (optional !== true) this.#check(result, 'setsockopt');
  }

  bind(fd: number, name: unknown): void {
    const { bytes, place } = this.addresses.encode('name', name, this.familyOf(checkFd(fd), 'bind'));
    this.#check(this.#host.syscalls.bind(fd, bytes), 'bind', place);
  }

  /** @param name null: connected to nobody again */
  connect(fd: number, name: unknown): void {
    const { syscalls, platform } = this.#host;
    const { EAFNOSUPPORT, EINVAL } = platform.errno;
    checkFd(fd);
    if (name === null) {
      const result = syscalls.connect(fd, this.addresses.unspecified(this.familyOf(fd, 'connect')));
      // BSD and macOS do it, and then complain of the address
      if (result !== -EAFNOSUPPORT && result !== -EINVAL) this.#check(result, 'connect');
      return;
    }
    const { bytes, place } = this.addresses.encode('name', name);
    this.#check(syscalls.connect(fd, bytes), 'connect', place);
  }

  getsockname(fd: number): SocketName {
    const name = this.addresses.local(checkFd(fd));
    if (typeof name === 'number') throw failure(this.#host.platform, name, 'getsockname');
    return name;
  }

  getpeername(fd: number): SocketName {
    const name = this.addresses.peer(checkFd(fd));
    if (typeof name === 'number') throw failure(this.#host.platform, name, 'getpeername');
    return name;
  }

  setsockopt(fd: number, level: number, name: number, value: unknown): void {
    checkFd(fd);
    const number = checkInt('name', name);
    const bytes = optionBytes(value);
    this.#check(this.#host.syscalls.setsockopt(fd, checkInt('level', level), number, bytes), 'setsockopt');
  }

  /** → the bytes of the value where a length is given, else the int that it is */
  getsockopt(fd: number, level: number, name: number, length?: number): number | Buffer {
    const size = length === undefined ? 4 : checkInteger('length', length, 1, LARGEST_OPTION);
    // SO_GET_FILTER counts in instructions of 8 bytes, and Linux believes us: room for as many as it may write.
    const value = block(size * 8).subarray(0, size);
    checkFd(fd);
    const { syscalls, platform } = this.#host;
    const result = syscalls.getsockopt(fd, checkInt('level', level), checkInt('name', name), value);
    const got = Math.min(size, this.#check(result, 'getsockopt'));
    if (length !== undefined) return Buffer.from(value.subarray(0, got));
    if (got === 1) return value[0]; // a u_char, as BSD's IP_MULTICAST_TTL
    return platform.message.littleEndian ? value.readInt32LE() : value.readInt32BE();
  }

  /** @param fds objects with `fd` and `events`, whose `revents` are set. → how many are not 0 */
  poll(fds: unknown, timeout: number): number {
    if (!Array.isArray(fds)) throw invalidArgValue('fds', fds, 'must be an array');
    checkInteger('fds.length', fds.length, 0, MOST_FDS);
    const given: unknown[] = Array.from(fds);
    const entries = given.map((each, i): PollEntry => {
      const { fd, events } = checkObject(`fds[${i}]`, each);
      const bits = checkInteger(`fds[${i}].events`, events, -32768, 65535);
      // A negative descriptor is left out, poll(2).
      return { fd: checkInteger(`fds[${i}].fd`, fd, -1, INT_MAX), events: (bits << 16) >> 16, revents: 0 };
    });
    const ready = this.#poll(entries, timeout === undefined ? -1 : checkInteger('timeout', timeout, -1, INT_MAX));
    given.forEach((each, i) => {
      (each as { revents: number }).revents = entries[i].revents;
    });
    return ready;
  }

  #poll(entries: readonly PollEntry[], timeout: number): number {
    const { EINTR } = this.#host.platform.errno;
    const now = steadyClock();
    const end = timeout < 0 ? Number.POSITIVE_INFINITY : now() + timeout;
    for (;;) {
      const left = Math.max(0, Math.ceil(end - now()));
      const ready = this.#calls.poll(entries, Math.min(left, SLICE));
      if (ready > 0) return ready;
      if (ready < 0 && (ready !== -EINTR || somebodyListens())) this.#check(ready, 'poll');
      if (left <= SLICE && ready === 0 && now() >= end) return 0;
    }
  }

  /** Only what socket() has returned, and what still is that. */
  close(fd: number): void {
    const { platform, syscalls } = this.#host;
    const own = this.#own.get(checkFd(fd));
    const { SOL_SOCKET, SO_TYPE } = platform.constants;
    if (own === undefined && syscalls.getsockopt(fd, SOL_SOCKET, SO_TYPE, block(4)) === -platform.errno.EBADF) {
      throw failure(platform, -platform.errno.EBADF, 'close');
    }
    if (own === undefined) {
      throw invalidArgValue('fd', fd, 'is no descriptor that socket() returned; whoever opened it closes it');
    }
    if (own.identity !== this.#calls.identity(fd)) {
      this.#own.delete(fd); // somebody else has closed it, and the number may be another's by now
      throw failure(platform, -platform.errno.EBADF, 'close');
    }
    if (own.blocks && this.#calls.blocks(fd) === 0) {
      throw invalidArgValue('fd', fd, 'belongs to the Socket that was bound to it; its close() closes it');
    }
    this.#own.delete(fd);
    this.#check(syscalls.close(fd), 'close');
  }

  /** @throws the kernel's error where it is no socket; Windows' too where somebody else's is not bound yet */
  familyOf(fd: number, syscall: string): 4 | 6 {
    const own = this.#own.get(fd);
    if (own !== undefined && own.identity === this.#calls.identity(fd)) return own.family;
    const local = this.addresses.local(fd);
    if (typeof local === 'number') throw failure(this.#host.platform, local, syscall);
    return local.family === 'IPv4' ? 4 : 6;
  }

  /** ms that a blocking call on this descriptor waits (SO_RCVTIMEO, SO_SNDTIMEO of socket(7)); undefined: for ever */
  timeout(fd: number, name: 'SO_RCVTIMEO' | 'SO_SNDTIMEO'): number | undefined {
    const { platform, syscalls } = this.#host;
    const option = platform.constants[name];
    if (option === undefined) return undefined;
    const { timeval } = platform.structs;
    const value = block(timeval?.size ?? 4); // Windows: a DWORD of ms
    if (syscalls.getsockopt(fd, platform.constants.SOL_SOCKET, option, value) < 0) return undefined;
    const time = timeval && (new timeval(value) as unknown as { tv_sec: bigint; tv_usec: bigint | number });
    const ms = time ? Number(time.tv_sec) * 1000 + Math.ceil(Number(time.tv_usec) / 1000) : value.readUInt32LE();
    return ms === 0 ? undefined : ms;
  }

  blocks(fd: number): boolean {
    return this.#check(this.#calls.blocks(fd), 'fcntl') === 1;
  }

  /** @throws the kernel's error */
  #check(result: number, syscall: string, place?: { address: string; port: number }): number {
    if (result >= 0) return result;
    throw failure(this.#host.platform, result, syscall, place);
  }
}

function intBytes(value: number): Buffer {
  const bytes = block(4);
  new Int32Array(bytes.buffer)[0] = value;
  return bytes;
}

/** A copy. A string ends with a NUL, as C's do. */
function optionBytes(value: unknown): Buffer {
  if (typeof value === 'number' || typeof value === 'boolean') return intBytes(checkInt('value', Number(value)));
  const bytes =
    typeof value === 'string' ? Buffer.from(`${value}\0`) : isStruct(value) ? value.buffer : checkView('value', value);
  if (bytes.length === 0) throw outOfRange('value.length', '>= 1', 0);
  checkInteger('value.length', bytes.length, 1, LARGEST_OPTION);
  const copy = block(bytes.length);
  copy.set(bytes);
  return copy;
}
