/**
 * The thread behind epoll.ts: blocked in epoll_wait(2), it tells its parent which descriptors are ready. It never comes
 * back to its event loop, so all it hears from its parent is a pipe that hangs up (token 0), and then it ends.
 * Loaded by file name, and kept apart from everything else so that a thread costs koffi and no more.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Koffi } from '../koffi.js';
import type { Machine } from '../node-ffi.js';

/** What the parent hands over: plain numbers, since all layouts are its business. */
export interface Orders {
  readonly epfd: number;
  readonly eventSize: number;
  readonly dataOffset: number;
  readonly pipe: number;
  readonly EINTR: number;
  /** For node:ffi; undefined: koffi. */
  readonly machine: Machine | undefined;
}

/** Events per call. */
const MANY = 64;

/**
 * ms. With koffi a hook hangs up when the parent is terminated. With node:ffi nobody does: this thread has to come back to
 * JavaScript now and then to be ended.
 */
const BOUND = 100;

function wait({ epfd, eventSize, dataOffset, pipe, EINTR, machine }: Orders): void {
  const koffi = machine === undefined ? (require('koffi') as Koffi) : nodeFfi().openNodeFfi(machine);
  const libc = koffi.load(null);
  // int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);
  const epoll_wait = libc.func('int epoll_wait(int, void *, int, int)');
  // int close(int fd);
  const close = libc.func('int close(int)');
  const events = Buffer.alloc(eventSize * MANY);
  const view = new DataView(events.buffer, events.byteOffset, events.length);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  for (;;) {
    const count = epoll_wait(epfd, events, MANY, machine === undefined ? -1 : BOUND);
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
    if (ready.length > 0) parentPort?.postMessage(ready);
  }
  close(pipe);
  close(epfd);
}

const nodeFfi = () => require('../node-ffi.js') as typeof import('../node-ffi.js');

if (parentPort !== null && (workerData as Orders | null)?.epfd !== undefined) wait(workerData as Orders);
