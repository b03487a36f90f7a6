import type { SocketStats } from '../types';

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
    destinationUnknown: 0,
  };
}
