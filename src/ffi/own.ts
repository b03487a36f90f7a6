/**
 * Descriptors that `Syscalls.socket` has made in this environment, and `Syscalls.close` has not closed: they are open UDP
 * sockets, so whoever waits for them need not ask, and a worker's end closes them (env-cleanup.ts).
 */
export const own = new Set<number>();
