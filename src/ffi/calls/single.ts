/** The calls for one message: what batches are made of where the OS, or a sandbox, has none for many. */
import type { Platform } from '../../platform/platform';
import type { Koffi, Library, NativeFunction } from '../koffi';

/** The arguments have been checked. Both return bytes, or -errno. */
export interface Single {
  /** `message` alone, as laid out by Platform.message. */
  receive(fd: number, message: Buffer, flags: number): number;
  send(fd: number, message: Buffer, flags: number): number;
}

// ssize_t is told as intptr_t: koffi would make a bigint of a size_t -1
/** ssize_t recvmsg(int sockfd, struct msghdr *msg, int flags); */
export const RECVMSG = 'intptr_t recvmsg(int, void *, int)';
/** ssize_t sendmsg(int sockfd, const struct msghdr *msg, int flags); */
export const SENDMSG = 'intptr_t sendmsg(int, const void *, int)';

/** recvmsg and sendmsg, repeated when interrupted. */
export function openSingle(koffi: Koffi, libc: Library, { errno }: Platform): Single {
  const repeated =
    (call: NativeFunction): Single['receive'] =>
    (fd, message, flags) => {
      for (;;) {
        const length = call(fd, message, flags);
        if (length >= 0) return length;
        const error = koffi.errno();
        if (error !== errno.EINTR) return -error;
      }
    };
  return { receive: repeated(libc.func(RECVMSG)), send: repeated(libc.func(SENDMSG)) };
}
