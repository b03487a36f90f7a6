/**
 * Times as the kernel writes them into control messages. `time_t` is four bytes on some 32-bit systems and eight on
 * others, independently of `long`.
 */
import { declare } from './struct';

/** 64-bit systems, and 32-bit ones whose time_t is a long: glibc's time32 symbols, FreeBSD i386. <time.h> */
export const timespec = declare(({ long }) => ({ tv_sec: long, tv_nsec: long }));

/** 64-bit time_t and a long: OpenBSD. <sys/_time.h> */
export const timespec64 = declare(({ int64, long }) => ({ tv_sec: int64, tv_nsec: long }));

/**
 * musl on 32-bit CPUs <bits/alltypes.h>, little-endian: a four-byte tv_nsec and four bytes of padding, which makes it
 * the kernel's __kernel_timespec.
 */
export const timespecPadded = declare(({ int64, long, int32 }) => ({ tv_sec: int64, tv_nsec: long, __pad: int32 }));

/** Both fields as wide as time_t and long. <sys/time.h> */
export const timeval = declare(({ long }) => ({ tv_sec: long, tv_usec: long }));

/** 64-bit time_t and a long: OpenBSD. */
export const timeval64Long = declare(({ int64, long }) => ({ tv_sec: int64, tv_usec: long }));

/** A four-byte suseconds_t beside a 64-bit time_t: macOS. */
export const timevalInt = declare(({ int64, int32 }) => ({ tv_sec: int64, tv_usec: int32 }));

/** Both fields 64 bits on a 32-bit CPU: musl. */
export const timeval64 = declare(({ int64 }) => ({ tv_sec: int64, tv_usec: int64 }));

/** What SO_TXTIME takes: the clock that SCM_TXTIME counts by, and SOF_TXTIME_* flags. Linux <linux/net_tstamp.h> */
export const sock_txtime = declare(({ int32, uint32 }) => ({ clockid: int32, flags: uint32 }));
