/**
 * The system calls that sockets are made of, as the layers above see them. Two families stand behind it: libc
 * (posix.ts) and, on Windows, ws2_32. Tests hand the layers above their own implementations.
 *
 * Every call returns what the kernel's own ABI returns: a count or 0 on success, **-errno** on failure. Nothing throws
 * for a kernel error and nothing allocates, so one failing datagram among thousands costs no exception. EINTR is
 * retried inside, poll() aside. Arguments are checked inside (types, lengths, bounds) before a pointer is formed; a violation is a bug
 * of ours and throws.
 */
/** `Readiness.isWatched`, which is opened after the calls. */
export type Watched = (fd: number) => boolean;

export interface Syscalls {
  /** socket(2) with SOCK_DGRAM: non-blocking and close-on-exec from birth. → descriptor */
  socket(family: number): number;
  /**
   * Makes a descriptor that came from elsewhere non-blocking and close-on-exec. → 0; **-EEXIST**, before anything of it is
   * touched, where a socket of this environment waits for it already (`Readiness.isWatched`): it is that one's, and has
   * to be left as it is
   */
  adopt(fd: number): number;
  /** Closes exactly once; EINTR counts as closed. */
  close(fd: number): number;
  /** `name`: a whole sockaddr, its length is passed on as namelen. */
  bind(fd: number, name: Buffer): number;
  connect(fd: number, name: Buffer): number;
  /** Fills `name`. → bytes of the sockaddr */
  getsockname(fd: number, name: Buffer): number;
  getpeername(fd: number, name: Buffer): number;
  setsockopt(fd: number, level: number, name: number, value: Buffer): number;
  /** Fills `value`. → bytes of the value */
  getsockopt(fd: number, level: number, name: number, value: Buffer): number;
  /**
   * Receives up to `count` datagrams into the first `count` messages of `messages`, an array laid out by
   * Platform.message, without blocking. Where the OS has no recvmmsg this loops over recvmsg and fills in the lengths.
   * → messages filled, never 0; -EAGAIN when none waits
   */
  recvmmsg(fd: number, messages: Buffer, count: number, flags: number): number;
  /** Sends messages `first` … `first + count - 1`. → messages sent, never 0; an error only if the first one failed */
  sendmmsg(fd: number, messages: Buffer, first: number, count: number, flags: number): number;
  /**
   * ioctl(2) for a request that writes one int which is never negative: FIONREAD (Linux: bytes of the datagram that is
   * next, udp(7); BSD, macOS and Windows: bytes that wait). → that int
   */
  ioctlInt(fd: number, request: number): number;
  /**
   * poll(2): blocks the thread until `fd` is ready for one of `events` (of READABLE, WRITABLE), or an error waits, or
   * `timeout` ms have passed (-1: for ever; 0: does not wait). → a mask as readiness tells it, 0 after the timeout;
   * -EBADF; **-EINTR** after a signal, as its listeners are JavaScript and only run when this has returned
   */
  poll(fd: number, events: number, timeout: number): number;
  /** Fills `name` (IF_NAMESIZE bytes) with a NUL-terminated name. */
  if_indextoname(ifindex: number, name: Buffer): number;
  /**
   * Calls that this process is refused (ENOSYS or EPERM by a seccomp filter, a sandbox without them) and that loops over
   * recvmsg and sendmsg stand in for. Asks the kernel when it is read for the first time, without a datagram; undefined
   * where the calls are loops anyway (`Platform.mmsg`).
   */
  readonly refused?: ReadonlySet<'recvmmsg' | 'sendmmsg'>;
  /**
   * Descriptors with an error that ended a batch and that the kernel has forgotten: the next recvmmsg returns it, and nobody says
   * that there is something to be received. undefined where the kernel keeps such errors.
   */
  readonly late?: { has(fd: number): boolean } | undefined;
  /**
   * Where a private call can receive many datagrams (`Platform.privateBatch`): why it does not here; undefined where it does.
   * Compares it with recvmsg when it is read for the first time.
   */
  readonly unproved?: string | undefined;
  /** → index, or 0 when there is no such interface */
  if_nametoindex(name: string): number;
  /** Address of the first byte. Whoever stores it holds the buffer as long as the address may be used. */
  addressOf(bytes: Uint8Array): bigint;
}
