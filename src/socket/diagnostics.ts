/**
 * What becomes of datagrams that nobody hears of otherwise, for those who watch from outside: node:diagnostics_channel. It
 * costs nothing while nobody subscribes. docs/observe.md has the messages.
 */
import { channel } from 'node:diagnostics_channel';
import type { EventEmitter } from 'node:events';
import { nextTick } from '../captured';

/** Received, and not delivered: `reason` 'filtered', 'stale', 'unread' (by a loop) or 'discarded' (the socket was closed first). */
const dropped = channel('recvfromto:dropped');
/** Not sent because we would not: `error` says why. */
const refused = channel('recvfromto:refused');
/** Not sent because the kernel would not. */
const failed = channel('recvfromto:failed');

export function publishDropped(socket: EventEmitter, reason: string, rinfo: unknown): void {
  if (dropped.hasSubscribers) dropped.publish({ socket, reason, rinfo });
}

export function publishRefused(socket: EventEmitter, error: Error): void {
  if (refused.hasSubscribers) refused.publish({ socket, error });
}

/** On a tick of its own: it is called from inside a receive, whose memory a subscriber might have used again. */
export function publishStale(socket: EventEmitter, rinfo: unknown): void {
  if (dropped.hasSubscribers) nextTick(() => dropped.publish({ socket, reason: 'stale', rinfo }));
}

/** On a tick of its own: it is called from inside a flush, and a subscriber may send, or close the socket. */
export function publishFailed(socket: EventEmitter, code: string, address: string | undefined, port: number): void {
  if (failed.hasSubscribers) nextTick(() => failed.publish({ socket, code, address, port }));
}
