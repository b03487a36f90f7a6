import type { SocketStats } from '../types';

/** Of sockets without one: most. */
export const NO_ERRORS: Record<string, number> = Object.freeze({}) as Record<string, number>;

/** Counters at the start. */
export function newStats(): SocketStats {
  return {
    datagramsIn: 0,
    bytesIn: 0,
    datagramsOut: 0,
    bytesOut: 0,
    systemCallsIn: 0,
    systemCallsOut: 0,
    truncated: 0,
    filtered: 0,
    discarded: 0,
    droppedByKernel: 0,
    sendErrors: 0,
    wouldBlock: 0,
    stale: 0,
    unread: 0,
    destinationUnknown: 0,
    errors: NO_ERRORS,
  };
}

/** Both together. */
export function sumOf(a: SocketStats, b: SocketStats): SocketStats {
  const errors = { ...a.errors };
  for (const [name, count] of Object.entries(b.errors)) errors[name] = (errors[name] ?? 0) + count;
  const sum = { ...a, errors };
  for (const name of Object.keys(a) as (keyof SocketStats)[]) {
    if (name !== 'errors') sum[name] = a[name] + b[name];
  }
  return sum;
}
