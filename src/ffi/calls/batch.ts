/**
 * The calls that move datagrams, many at once: recvmmsg and sendmmsg where libc has them, else loops over calls for one
 * message (recvmsg and sendmsg; Winsock's in winsock.ts) that behave as Linux does. The same loops stand in, for good,
 * where a sandbox refuses the calls for many.
 * Each datagram comes by here, so nothing stands between who calls and these: they are the host's `Syscalls.recvmmsg` and
 * `sendmmsg`, and check their arguments themselves. EINTR is retried here; errno is read on the line after the call.
 */
import { Buffer } from 'node:buffer'; // the global is a getter
import type { MessageLayout, Platform, PrivateBatch } from '../../platform/platform';
import { checkBytes, checkDescriptor, checkInt, checkUnsigned } from '../check';
import type { Koffi, Library, NativeFunction } from '../koffi';
import type { Syscalls } from '../syscalls';
import { LateErrors } from './late-errors';
import { type PrivateCall, PrivateReceive, type ProofCalls } from './private-receive';
import { openSingle, RECVMSG, SENDMSG, type Single } from './single';

export type BatchCall = 'recvmmsg' | 'sendmmsg';

/** The two calls need no `this`: whoever has a Batch makes them his own. */
export interface Batch extends Pick<Syscalls, 'recvmmsg' | 'sendmmsg' | 'late' | 'unproved'> {
  /** The descriptor is about to be closed. */
  forget(fd: number): void;
  /** Finds out by a descriptor what {@link refused} has. */
  probe(fd: number): void;
  /** Calls that the process is not allowed, and that loops stand in for. */
  readonly refused: ReadonlySet<BatchCall>;
}

/** The whole call: messages `first` … `first + count - 1`, of `size` bytes each. */
function checkMessages(fd: number, messages: Buffer, first: number, count: number, flags: number, size: number): void {
  // One condition where all is well. What the last part lets through is a uint32.
  const end = Number(first) + Number(count);
  const areIntegers = Number.isInteger(fd) && Number.isInteger(first) && Number.isInteger(count);
  if (areIntegers && Number.isInteger(flags) && fd >= 0 && (fd | 0) === fd && (flags | 0) === flags) {
    if (first >= 0 && count >= 0 && Buffer.isBuffer(messages) && messages.length >= Math.max(1, end * size)) return;
  }
  checkDescriptor(fd);
  checkUnsigned('first', first);
  checkUnsigned('count', count);
  checkInt('flags', flags);
  checkBytes('messages', messages, Math.max(1, end * size));
}

/** @param calls are used to compare a private call with recvmsg, before it is relied on */
export function openBatch(koffi: Koffi, libc: Library, platform: Platform, calls: ProofCalls): Batch {
  if (platform.mmsg !== undefined) return new Mmsg(koffi, libc, platform);
  const one = loop(openSingle(koffi, libc, platform), platform);
  const { privateBatch } = platform;
  if (privateBatch === undefined) return one;
  return new PrivateReceive(one, platform, privateBatch, privateCall(koffi, libc, platform, privateBatch), calls);
}

/** undefined where this libc has no such symbol. */
function privateCall(
  koffi: Koffi,
  libc: Library,
  { message: { size } }: Platform,
  { symbol }: PrivateBatch,
): PrivateCall | undefined {
  let call: NativeFunction;
  try {
    // ssize_t recvmsg_x(int s, const struct msghdr_x *msgp, u_int cnt, int flags);
    call = libc.func(`intptr_t ${symbol}(int, void *, unsigned int, int)`);
  } catch {
    return undefined;
  }
  return (fd, messages, count, flags) => {
    checkMessages(fd, messages, 0, count, flags, size);
    const filled = call(fd, messages, count, flags);
    return filled < 0 ? -koffi.errno() : filled;
  };
}

/** A batch where the OS has only calls for one message. */
export function loop(single: Single, platform: Platform): Batch {
  return new Loop(single, platform);
}

class Mmsg implements Batch {
  readonly refused = new Set<BatchCall>();
  readonly #koffi: Koffi;
  readonly #libc: Library;
  readonly #platform: Platform;
  readonly #recvmmsg: NativeFunction;
  readonly #sendmmsg: NativeFunction;
  /** One message costs the kernel less by itself: a receive 0.1 µs, a send half of that. */
  readonly #recvmsg: NativeFunction;
  readonly #sendmsg: NativeFunction;
  readonly #errno: Readonly<Record<string, number>>;
  readonly #layout: MessageLayout;
  /** What stands in for calls that are refused. */
  #loop: Batch | undefined;
  /** Where recvmmsg is a loop in libc, which forgets an error behind what it has received (FreeBSD, P24). */
  readonly #lost: LateErrors | undefined;

  constructor(koffi: Koffi, libc: Library, platform: Platform) {
    this.#koffi = koffi;
    this.#libc = libc;
    this.#platform = platform;
    this.#errno = platform.errno;
    this.#layout = platform.message;
    this.#lost = platform.mmsg?.lateError === 'lost' ? new LateErrors() : undefined;
    const freebsd = platform.mmsg?.count === 'size_t';
    // Linux: int recvmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags, struct timespec *timeout);
    // FreeBSD: ssize_t recvmmsg(int s, struct mmsghdr *msgvec, size_t vlen, int flags, const struct timespec *timeout);
    this.#recvmmsg = libc.func(
      freebsd
        ? 'intptr_t recvmmsg(int, void *, size_t, int, void *)'
        : 'int recvmmsg(int, void *, unsigned int, int, void *)',
    );
    // Linux: int sendmmsg(int sockfd, struct mmsghdr *msgvec, unsigned int vlen, int flags);
    // FreeBSD: ssize_t sendmmsg(int s, struct mmsghdr *msgvec, size_t vlen, int flags);
    this.#sendmmsg = libc.func(
      freebsd ? 'intptr_t sendmmsg(int, void *, size_t, int)' : 'int sendmmsg(int, void *, unsigned int, int)',
    );
    this.#recvmsg = libc.func(RECVMSG);
    this.#sendmsg = libc.func(SENDMSG);
  }

  get late(): LateErrors | Batch['late'] {
    return this.#lost ?? this.#loop?.late;
  }

  readonly recvmmsg = (fd: number, messages: Buffer, count: number, flags: number): number => {
    checkMessages(fd, messages, 0, count, flags, this.#layout.size);
    if (this.#loop !== undefined && this.refused.has('recvmmsg'))
      return this.#loop.recvmmsg(fd, messages, count, flags);
    const late = this.#lost?.take(fd);
    if (late !== undefined) return late;
    for (;;) {
      const filled =
        count === 1 ? this.#recvmsg(fd, messages, flags) : this.#recvmmsg(fd, messages, count, flags, null);
      if (filled >= 0 && count === 1) {
        setLength(this.#layout, messages, filled); // it returns bytes
        return 1;
      }
      if (filled > 0) {
        if (this.#lost !== undefined && filled < count) this.#keepLate(this.#lost, fd, this.#koffi.errno());
        return filled;
      }
      const errno = filled === 0 ? this.#errno.EAGAIN : this.#koffi.errno();
      if (errno === this.#errno.EINTR) continue;
      if (!this.#isRefusal('recvmmsg', fd, errno)) return -errno;
      return this.#standIn('recvmmsg').recvmmsg(fd, messages, count, flags);
    }
  };

  /** What ended libc's loop is still in errno: fewer than asked for came because a recvmsg failed, and nothing was called since. */
  #keepLate(late: LateErrors, fd: number, errno: number): void {
    if (errno !== this.#errno.EAGAIN && errno !== this.#errno.EINTR) late.keep(fd, -errno);
  }

  readonly sendmmsg = (fd: number, messages: Buffer, first: number, count: number, flags: number): number => {
    checkMessages(fd, messages, first, count, flags, this.#layout.size);
    if (this.#loop !== undefined && this.refused.has('sendmmsg'))
      return this.#loop.sendmmsg(fd, messages, first, count, flags);
    const from = first === 0 ? messages : messages.subarray(first * this.#layout.size);
    for (;;) {
      const sent = count === 1 ? this.#sendmsg(fd, from, flags) : this.#sendmmsg(fd, from, count, flags);
      if (sent >= 0 && count === 1) {
        setLength(this.#layout, from, sent);
        return 1;
      }
      if (sent > 0) return sent;
      // 0 is nothing that a kernel says, and whoever stands in for one has not sent them
      const errno = sent === 0 ? this.#errno.EIO : this.#koffi.errno();
      if (errno === this.#errno.EINTR) continue;
      if (!this.#isRefusal('sendmmsg', fd, errno)) return -errno;
      return this.#standIn('sendmmsg').sendmmsg(fd, messages, first, count, flags);
    }
  };

  forget(fd: number): void {
    this.#loop?.forget(fd);
    this.#lost?.forget(fd);
  }

  probe(fd: number): void {
    for (const call of ['recvmmsg', 'sendmmsg'] as const) {
      if (this.refused.has(call) || this.#tryNone(call, fd) >= 0) continue;
      if (this.#isRefusal(call, fd, this.#koffi.errno())) this.#standIn(call);
    }
  }

  /**
   * Is it the call itself that is not allowed? ENOSYS says so (gVisor, old seccomp profiles). EPERM is said by seccomp
   * filters, and by a firewall that drops what is sent (iptables' OUTPUT chain): a filter refuses no messages at all, too.
   */
  #isRefusal(call: BatchCall, fd: number, errno: number): boolean {
    if (errno === this.#errno.ENOSYS) return true;
    if (errno !== this.#errno.EPERM) return false;
    return this.#tryNone(call, fd) < 0 && this.#koffi.errno() === this.#errno.EPERM;
  }

  /** The call, without messages. */
  #tryNone(call: BatchCall, fd: number): number {
    const { MSG_DONTWAIT } = this.#platform.constants;
    if (call === 'recvmmsg') return this.#recvmmsg(fd, null, 0, MSG_DONTWAIT, null);
    return this.#sendmmsg(fd, null, 0, MSG_DONTWAIT);
  }

  #standIn(call: BatchCall): Batch {
    this.refused.add(call);
    this.#loop ??= loop(openSingle(this.#koffi, this.#libc, this.#platform), this.#platform);
    return this.#loop;
  }
}

class Loop implements Batch {
  readonly refused: ReadonlySet<BatchCall> = new Set();
  readonly #single: Single;
  readonly #layout: MessageLayout;
  readonly #EAGAIN: number;
  /** Each message of an array as a Buffer of its own, made once per array. */
  readonly #views = new WeakMap<Buffer, Buffer[]>();
  readonly late = new LateErrors();

  constructor(single: Single, platform: Platform) {
    this.#single = single;
    this.#layout = platform.message;
    this.#EAGAIN = platform.errno.EAGAIN!;
  }

  readonly recvmmsg = (fd: number, messages: Buffer, count: number, flags: number): number => {
    checkMessages(fd, messages, 0, count, flags, this.#layout.size);
    const late = this.late.take(fd);
    if (late !== undefined) return late;
    const views = this.#viewsOf(messages);
    for (let filled = 0; filled < count; filled++) {
      const message = views[filled]!;
      const length = this.#single.receive(fd, message, flags);
      if (length < 0) {
        if (filled === 0) return length;
        if (length !== -this.#EAGAIN) this.late.keep(fd, length);
        return filled;
      }
      setLength(this.#layout, message, length);
    }
    return count;
  };

  readonly sendmmsg = (fd: number, messages: Buffer, first: number, count: number, flags: number): number => {
    checkMessages(fd, messages, first, count, flags, this.#layout.size);
    const views = this.#viewsOf(messages);
    for (let sent = 0; sent < count; sent++) {
      const message = views[first + sent]!;
      const length = this.#single.send(fd, message, flags);
      if (length < 0) return sent === 0 ? length : sent;
      setLength(this.#layout, message, length);
    }
    return count;
  };

  forget(fd: number): void {
    this.late.forget(fd);
  }

  probe(): void {}

  #viewsOf(messages: Buffer): Buffer[] {
    let views = this.#views.get(messages);
    if (views === undefined) {
      const { size } = this.#layout;
      views = [];
      for (let at = 0; at + size <= messages.length; at += size) views.push(messages.subarray(at, at + size));
      this.#views.set(messages, views);
    }
    return views;
  }
}

/** Of what a message has received or sent, which the calls for one return instead. A store keeps eight bits of what it is given. */
function setLength({ littleEndian, len }: MessageLayout, message: Buffer, length: number): void {
  message[littleEndian ? len : len + 3] = length;
  message[littleEndian ? len + 1 : len + 2] = length >>> 8;
  message[littleEndian ? len + 2 : len + 1] = length >>> 16;
  message[littleEndian ? len + 3 : len] = length >>> 24;
}
