/** epoll(7) and its pipe through koffi, with the events laid out for this CPU. Knows descriptors, not watchers. */
import { getSystemErrorName } from 'node:util';
import { systemError } from '../../errors';
import type { Platform } from '../../platform/platform';
import { epoll_event, epoll_eventPacked } from '../../structs/epoll';
import { abiOf } from '../abi';
import { type Koffi, type Library, once } from '../koffi';
import { ERROR, READABLE, WRITABLE } from '../readiness';

/** <sys/epoll.h> */
const EPOLLIN = 0x001;
const EPOLLOUT = 0x004;
const EPOLLERR = 0x008;
const EPOLLHUP = 0x010;
const EPOLLONESHOT = 0x4000_0000;
const EPOLL_CLOEXEC = 0x80000;
export const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
/** <fcntl.h> */
const O_CLOEXEC = 0x80000;

/** A mask of READABLE and WRITABLE, as epoll(7) has it. */
export function interest(events: number): number {
  return ((events & READABLE) !== 0 ? EPOLLIN : 0) | ((events & WRITABLE) !== 0 ? EPOLLOUT : 0);
}

/** What epoll(7) reports, as {@link interest} has it; an error is for the receive to tell. */
export function reported(events: number): number {
  if ((events & (EPOLLERR | EPOLLHUP)) !== 0) return ERROR | READABLE;
  return ((events & EPOLLIN) !== 0 ? READABLE : 0) | ((events & EPOLLOUT) !== 0 ? WRITABLE : 0);
}

function declare(libc: Library) {
  return {
    // int epoll_create1(int flags);
    epoll_create1: libc.func('int epoll_create1(int)'),
    // int epoll_ctl(int epfd, int op, int fd, struct epoll_event *_Nullable event);
    epoll_ctl: libc.func('int epoll_ctl(int, int, int, void *)'),
    // int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);
    epoll_wait: libc.func('int epoll_wait(int, void *, int, int)'),
    // int pipe2(int pipefd[2], int flags);
    pipe2: once(() => libc.func('int pipe2(void *, int)')),
    // int close(int fd);
    close: libc.func('int close(int)'),
  };
}

/** Events that one {@link EpollSet.take} takes at most. */
const MANY = 64;

/** A set of descriptors to wait for. */
export class EpollSet {
  readonly epfd: number;
  readonly eventSize: number;
  readonly dataOffset: number;
  protected readonly libc: ReturnType<typeof declare>;
  readonly #koffi: Koffi;
  readonly #eventsOffset: number;
  readonly #event: Buffer;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  #taken: DataView | undefined;

  /** @throws the kernel's errors */
  constructor(koffi: Koffi, platform: Platform) {
    const { littleEndian } = platform.message;
    const struct = (platform.epoll?.packed === true ? epoll_eventPacked : epoll_event)(abiOf(platform));
    this.eventSize = struct.size;
    this.dataOffset = struct.fields.data.offset;
    this.#eventsOffset = struct.fields.events.offset;
    this.#event = Buffer.alloc(struct.size);
    this.#view = new DataView(this.#event.buffer, this.#event.byteOffset, this.#event.length);
    this.#littleEndian = littleEndian;
    this.#koffi = koffi;
    this.libc = declare(koffi.load(null));
    this.epfd = this.checked(this.libc.epoll_create1(EPOLL_CLOEXEC), 'epoll_create1');
  }

  /** @param token, generation what comes back with an event: the two words of epoll_data @throws the kernel's errors */
  control(op: number, fd: number, events: number, token: number, generation = 0): void {
    this.#view.setUint32(this.#eventsOffset, events, this.#littleEndian);
    this.#view.setUint32(this.dataOffset, token, this.#littleEndian);
    this.#view.setUint32(this.dataOffset + 4, generation, this.#littleEndian);
    this.checked(this.libc.epoll_ctl(this.epfd, op, fd, this.#event), 'epoll_ctl');
  }

  /** Never fails: a descriptor that was closed behind our back has left the set by itself. */
  remove(fd: number): void {
    this.libc.epoll_ctl(this.epfd, EPOLL_CTL_DEL, fd, null);
  }

  /** Looks what is ready now, and does not wait. → how many; the three methods below tell of each until the next take() */
  take(): number {
    this.#taken ??= new DataView(new ArrayBuffer(this.eventSize * MANY));
    // -1 is EINTR, and nothing yet
    return Math.max(0, this.libc.epoll_wait(this.epfd, this.#taken as unknown as Buffer, MANY, 0));
  }

  eventsAt(index: number): number {
    return this.#taken!.getUint32(index * this.eventSize + this.#eventsOffset, this.#littleEndian);
  }

  tokenAt(index: number): number {
    return this.#taken!.getUint32(index * this.eventSize + this.dataOffset, this.#littleEndian);
  }

  generationAt(index: number): number {
    return this.#taken!.getUint32(index * this.eventSize + this.dataOffset + 4, this.#littleEndian);
  }

  close(): void {
    this.libc.close(this.epfd);
  }

  protected checked(result: number, syscall: string): number {
    if (result >= 0) return result;
    const errno = -this.#koffi.errno();
    throw systemError(getSystemErrorName(errno), errno, syscall);
  }
}

/** The set that a thread waits for: it hears from us by a pipe. */
export class Epoll extends EpollSet {
  /** Hangs up, as token 0, when the other end is closed. */
  readonly pipe: number;
  /** The other end. Closing it needs no JavaScript. */
  readonly hangUp: number;

  /** @throws the kernel's errors */
  constructor(koffi: Koffi, platform: Platform) {
    super(koffi, platform);
    const pipe = new Int32Array(2);
    this.checked(this.libc.pipe2(Buffer.from(pipe.buffer), O_CLOEXEC), 'pipe2');
    [this.pipe, this.hangUp] = pipe;
    this.control(EPOLL_CTL_ADD, this.pipe, 0, 0);
  }

  /** `events` once: after they have been reported, nothing is until the next EPOLL_CTL_MOD. @throws the kernel's errors */
  arm(op: number, fd: number, token: number, events: number): void {
    this.control(op, fd, events | EPOLLONESHOT, token);
  }

  end(): void {
    this.libc.close(this.hangUp);
  }
}
