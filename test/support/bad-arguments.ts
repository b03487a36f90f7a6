/** Every system call with one argument that C must not see. What TypeScript would refuse is the subject. */
import type { Syscalls } from '../../src/ffi/syscalls';

// biome-ignore lint/suspicious/noExplicitAny: see above
const any = (value: unknown) => value as any;

export function callsWithDescriptor(
  syscalls: Syscalls,
  fd: unknown,
  bytes: Buffer,
  messages: Buffer,
): (() => unknown)[] {
  return [
    () => syscalls.adopt(any(fd)),
    () => syscalls.close(any(fd)),
    () => syscalls.bind(any(fd), bytes),
    () => syscalls.connect(any(fd), bytes),
    () => syscalls.getsockname(any(fd), bytes),
    () => syscalls.getpeername(any(fd), bytes),
    () => syscalls.setsockopt(any(fd), 0, 0, bytes),
    () => syscalls.getsockopt(any(fd), 0, 0, bytes),
    () => syscalls.ioctlInt(any(fd), 0),
    () => syscalls.poll(any(fd), 1, 0),
    () => syscalls.recvmmsg(any(fd), messages, 1, 0),
    () => syscalls.sendmmsg(any(fd), messages, 0, 1, 0),
  ];
}

export function callsWithBytes(syscalls: Syscalls, value: unknown): (() => unknown)[] {
  return [
    () => syscalls.bind(3, any(value)),
    () => syscalls.connect(3, any(value)),
    () => syscalls.getsockname(3, any(value)),
    () => syscalls.getpeername(3, any(value)),
    () => syscalls.setsockopt(3, 0, 0, any(value)),
    () => syscalls.getsockopt(3, 0, 0, any(value)),
    () => syscalls.recvmmsg(3, any(value), 1, 0),
    () => syscalls.sendmmsg(3, any(value), 0, 1, 0),
    () => syscalls.if_indextoname(1, any(value)),
    // Any bytes have an address.
    ...(value instanceof Uint8Array && value.length > 0 ? [] : [() => syscalls.addressOf(any(value))]),
  ];
}
