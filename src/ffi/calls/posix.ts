/**
 * The system calls of libc, through koffi: the POSIX half of `Syscalls`. Beside every declaration stands the prototype
 * from the headers; koffi is told plain C types, because structs are bytes that the layers above have laid out.
 *
 * errno is read on the line after each call: anything between (a failed require, a spawn) may change it.
 * Only the calls that move datagrams (batch.ts) can be interrupted by a signal (signal(7)), so only they retry on EINTR.
 */
import type { Platform } from '../../platform/platform';
import { checkAddressable, checkBytes, checkDescriptor, checkEvents, checkInt, checkUnsigned } from '../check';
import { type AtOnce, envCleanup } from '../env-cleanup';
import { type Koffi, type Library, type NativeFunction, once } from '../koffi';
import { own } from '../own';
import type { Syscalls, Watched } from '../syscalls';
import { isMainThread } from '../thread';
import { type Batch, type BatchCall, openBatch } from './batch';
import { Poller } from './poll';

/** Numbers that every POSIX platform has, and Windows has not. */
type FileNumbers = Readonly<Record<'F_SETFD' | 'F_GETFL' | 'F_SETFL' | 'FD_CLOEXEC' | 'O_NONBLOCK', number>>;

/** @param watched does something in this environment wait for a descriptor? adopt() refuses it then */
export function posix(koffi: Koffi, platform: Platform, watched: Watched = () => false): Syscalls {
  return new Posix(koffi, platform, watched);
}

function declare(libc: Library) {
  return {
    // int socket(int domain, int type, int protocol);
    socket: libc.func('int socket(int, int, int)'),
    // int fcntl(int fd, int cmd, ...); variadic arguments go on the stack on arm64 macOS, so it must be declared so
    fcntl: once(() => libc.func('int fcntl(int, int, ...)')),
    // int close(int fd);
    close: libc.func('int close(int)'),
    // int bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
    bind: libc.func('int bind(int, const void *, uint32_t)'),
    // int connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
    connect: libc.func('int connect(int, const void *, uint32_t)'),
    // int getsockname(int sockfd, struct sockaddr *restrict addr, socklen_t *restrict addrlen);
    getsockname: libc.func('int getsockname(int, void *, void *)'),
    // int getpeername(int sockfd, struct sockaddr *restrict addr, socklen_t *restrict addrlen);
    getpeername: once(() => libc.func('int getpeername(int, void *, void *)')),
    // int setsockopt(int sockfd, int level, int optname, const void optval[.optlen], socklen_t optlen);
    setsockopt: libc.func('int setsockopt(int, int, int, const void *, uint32_t)'),
    // int getsockopt(int sockfd, int level, int optname, void optval[*optlen], socklen_t *optlen);
    getsockopt: libc.func('int getsockopt(int, int, int, void *, void *)'),
    // int ioctl(int fd, unsigned long op, ...); variadic as fcntl. musl: int op, of which the lower half counts
    ioctl: once(() => libc.func('int ioctl(int, unsigned long, ...)')),
    // int poll(struct pollfd *fds, nfds_t nfds, int timeout); unsigned int or long, and always 1 here
    poll: once(() => libc.func('int poll(void *, unsigned long, int)')),
    // char *if_indextoname(unsigned int ifindex, char ifname[IF_NAMESIZE]);
    if_indextoname: libc.func('uintptr_t if_indextoname(unsigned int, void *)'),
    // unsigned int if_nametoindex(const char *ifname);
    if_nametoindex: libc.func('unsigned int if_nametoindex(const char *)'),
  };
}

function atOnce(koffi: Koffi, libc: Library): AtOnce | undefined {
  try {
    return envCleanup(koffi, libc).atOnce;
  } catch {
    return undefined; // an executable that hides Node-API
  }
}

class Posix implements Syscalls {
  readonly #koffi: Koffi;
  readonly #platform: Platform;
  readonly #watched: Watched;
  readonly #libc: ReturnType<typeof declare>;
  readonly #batch: Batch;
  readonly recvmmsg: Syscalls['recvmmsg'];
  readonly sendmmsg: Syscalls['sendmmsg'];
  #probed = false;
  readonly #EINTR: number;
  /** In a worker thread, which may be terminated. */
  readonly #atOnce: AtOnce | undefined;
  /** socklen_t that getsockname and its kin read and write. */
  readonly #socklen = Buffer.alloc(4);
  readonly #socklenWord = new Uint32Array(this.#socklen.buffer, this.#socklen.byteOffset, 1);
  /** An int that a call writes. */
  readonly #int = Buffer.alloc(4);
  readonly #intWord = new Int32Array(this.#int.buffer, this.#int.byteOffset, 1);
  readonly #poller: Poller;

  constructor(koffi: Koffi, platform: Platform, watched: Watched) {
    this.#koffi = koffi;
    this.#platform = platform;
    this.#watched = watched;
    const libc = koffi.load(null);
    this.#libc = declare(libc);
    this.#batch = openBatch(koffi, libc, platform, this);
    ({ recvmmsg: this.recvmmsg, sendmmsg: this.sendmmsg } = this.#batch);
    const { poll } = this.#libc;
    this.#poller = new Poller(platform, (fds, timeout) => {
      const count = poll(fds, 1, timeout);
      return count < 0 ? -koffi.errno() : count;
    });
    this.#EINTR = platform.errno.EINTR ?? 4;
    if (isMainThread()) return;
    this.#atOnce = atOnce(koffi, libc);
    if (this.#atOnce === undefined) process.on('exit', () => this.#closeAll());
  }

  socket(family: number): number {
    checkInt('family', family);
    const { SOCK_DGRAM, SOCK_NONBLOCK, SOCK_CLOEXEC } = this.#platform.constants;
    const atomic = SOCK_NONBLOCK !== undefined && SOCK_CLOEXEC !== undefined;
    const type = atomic ? SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC : SOCK_DGRAM;
    const { socket } = this.#libc;
    const ending = this.#atOnce;
    const fd = socket(family, type, 0);
    if (fd < 0) return -this.#koffi.errno();
    if (ending !== undefined) ending.add(ending.env, ending.close, fd);
    own.add(fd);
    if (atomic) return fd;
    const failed = this.#prepare(fd);
    if (failed < 0) this.close(fd);
    return failed < 0 ? failed : fd;
  }

  /** What a worker has left open when it ends by itself; nobody else closes it where there are no hooks. */
  #closeAll(): void {
    for (const fd of own.clear()) this.#libc.close(fd);
  }

  adopt(fd: number): number {
    checkDescriptor(fd);
    if (this.#watched(fd)) return -this.#platform.errno.EEXIST;
    return this.#prepare(fd);
  }

  #prepare(fd: number): number {
    const { F_SETFD, F_GETFL, F_SETFL, FD_CLOEXEC, O_NONBLOCK } = this.#platform.constants as unknown as FileNumbers;
    this.#batch.forget(fd); // somebody else has closed what had this number before
    const { fcntl } = this.#libc;
    if (fcntl(fd, F_SETFD, 'int', FD_CLOEXEC) < 0) return -this.#koffi.errno();
    const flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -this.#koffi.errno();
    if (fcntl(fd, F_SETFL, 'int', flags | O_NONBLOCK) < 0) return -this.#koffi.errno();
    return 0;
  }

  close(fd: number): number {
    checkDescriptor(fd);
    this.#batch.forget(fd);
    const { close } = this.#libc;
    const ending = this.#atOnce;
    if (own.delete(fd) && ending !== undefined) ending.remove(ending.env, ending.close, fd);
    if (close(fd) === 0) return 0;
    const errno = this.#koffi.errno();
    // The descriptor is gone (close(2), NOTES), and another thread may have been given its number by now.
    return errno === this.#EINTR ? 0 : -errno;
  }

  bind(fd: number, name: Buffer): number {
    checkDescriptor(fd);
    checkBytes('name', name);
    return this.#libc.bind(fd, name, name.length) === 0 ? 0 : -this.#koffi.errno();
  }

  connect(fd: number, name: Buffer): number {
    checkDescriptor(fd);
    checkBytes('name', name);
    return this.#libc.connect(fd, name, name.length) === 0 ? 0 : -this.#koffi.errno();
  }

  getsockname(fd: number, name: Buffer): number {
    return this.#nameBy(this.#libc.getsockname, fd, name);
  }

  getpeername(fd: number, name: Buffer): number {
    return this.#nameBy(this.#libc.getpeername, fd, name);
  }

  #nameBy(call: NativeFunction, fd: number, name: Buffer): number {
    checkDescriptor(fd);
    checkBytes('name', name);
    this.#socklenWord[0] = name.length;
    if (call(fd, name, this.#socklen) !== 0) return -this.#koffi.errno();
    return this.#socklenWord[0];
  }

  setsockopt(fd: number, level: number, name: number, value: Buffer): number {
    checkDescriptor(fd);
    checkInt('level', level);
    checkInt('name', name);
    checkBytes('value', value);
    return this.#libc.setsockopt(fd, level, name, value, value.length) === 0 ? 0 : -this.#koffi.errno();
  }

  getsockopt(fd: number, level: number, name: number, value: Buffer): number {
    checkDescriptor(fd);
    checkInt('level', level);
    checkInt('name', name);
    checkBytes('value', value);
    this.#socklenWord[0] = value.length;
    if (this.#libc.getsockopt(fd, level, name, value, this.#socklen) !== 0) return -this.#koffi.errno();
    return this.#socklenWord[0];
  }

  ioctlInt(fd: number, request: number): number {
    checkDescriptor(fd);
    checkUnsigned('request', request);
    return this.#libc.ioctl(fd, request, 'void *', this.#int) === 0 ? this.#intWord[0] : -this.#koffi.errno();
  }

  poll(fd: number, events: number, timeout: number): number {
    checkDescriptor(fd);
    checkEvents(events);
    checkInt('timeout', timeout);
    return this.#poller.poll(fd, events, timeout);
  }

  get refused(): ReadonlySet<BatchCall> {
    if (!this.#probed) {
      this.#probed = true;
      const fd = this.socket(this.#platform.constants.AF_INET);
      if (fd >= 0) {
        this.#batch.probe(fd);
        this.close(fd);
      }
    }
    return this.#batch.refused;
  }

  get late(): Syscalls['late'] {
    return this.#batch.late;
  }

  get unproved(): string | undefined {
    return this.#batch.unproved;
  }

  if_indextoname(ifindex: number, name: Buffer): number {
    checkUnsigned('ifindex', ifindex);
    checkBytes('name', name, this.#platform.constants.IF_NAMESIZE);
    // NULL comes back as 0; anything else is the address of `name`
    return Number(this.#libc.if_indextoname(ifindex, name)) !== 0 ? 0 : -this.#koffi.errno();
  }

  if_nametoindex(name: string): number {
    if (typeof name !== 'string') throw new TypeError(`name must be a string, is ${typeof name}`);
    // C would stop at the NUL, and musl and the BSDs cut what is too long: both find another interface
    if (name.includes('\0') || Buffer.byteLength(name) >= this.#platform.constants.IF_NAMESIZE) return 0;
    return this.#libc.if_nametoindex(name);
  }

  addressOf(bytes: Uint8Array): bigint {
    checkAddressable(bytes);
    return this.#koffi.address(bytes);
  }
}
