/** `recvfromto/promises`: the same sockets, awaited. Public names, nothing else. */
import { Socket } from './socket/promises';
import type { SocketOptions, SocketType } from './types';

export { type MessagesOptions, type PromisesOptions, type PromisesStats, Socket } from './socket/promises';
export type * from './types';

/** A UDP socket whose methods return promises. @throws as the constructor of {@link Socket} */
export function createSocket(type: SocketType | (SocketOptions & { highWaterMark?: number | undefined })): Socket {
  return new Socket(type);
}
