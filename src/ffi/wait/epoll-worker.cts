/**
 * The thread behind epoll.ts: blocked in epoll_wait(2), it tells its parent which descriptors are ready. It never comes
 * back to its event loop, so all it hears from its parent is a pipe that hangs up (token 0), and then it ends.
 * Loaded by file name, and kept apart from everything else so that a thread costs koffi and no more.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Koffi } from '../koffi.js';

/** What the parent hands over: plain numbers, since all layouts are its business. */
export interface Orders {
  readonly epfd: number;
  readonly eventSize: number;
  readonly dataOffset: number;
  readonly pipe: number;
  readonly EINTR: number;
}

/** Events per call. */
const MANY = 64;

function wait({ epfd, eventSize, dataOffset, pipe, EINTR }: Orders): void {
  const koffi = require('koffi') as Koffi;
  const libc = koffi.load(null);
  // int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);
  const epoll_wait = libc.func('int epoll_wait(int, void *, int, int)');
  // int close(int fd);
  const close = libc.func('int close(int)');
  const events = Buffer.alloc(eventSize * MANY);
  const view = new DataView(events.buffer, events.byteOffset, events.length);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  for (;;) {
    const count = epoll_wait(epfd, events, MANY, -1);
    if (count < 0) {
      const errno = koffi.errno();
      if (errno === EINTR) continue;
      throw new Error(`epoll_wait failed with errno ${errno}`);
    }
    const ready: number[] = [];
    let last = false;
    for (let at = 0; at < count * eventSize; at += eventSize) {
      const token = view.getUint32(at + dataOffset, littleEndian);
      if (token === 0) last = true;
      else ready.push(token, view.getUint32(at, littleEndian));
    }
    if (last) break;
    parentPort?.postMessage(ready);
  }
  close(pipe);
  close(epfd);
}

if (parentPort !== null && (workerData as Orders | null)?.epfd !== undefined) wait(workerData as Orders);
