/**
 * errno values, by libuv's names, in which <asm-generic/errno-base.h> and 4.4BSD's <sys/errno.h> agree: all up to 32, EAGAIN and
 * EDEADLK aside.
 */
export const errnoBase = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOSPC: 28,
  EPIPE: 32,
} as const;
