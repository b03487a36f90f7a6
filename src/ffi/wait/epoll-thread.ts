/**
 * The thread behind epoll.ts: blocked in epoll_wait(2), it tells its parent which descriptors are ready. It never comes
 * back to its event loop, so all it hears from its parent is a pipe that hangs up (token 0), and then it ends.
 * It is handed to a Worker as text, and not as a file that a bundler would leave behind: it may use nothing from outside
 * of itself, and has no function of its own, which a bundler might wrap in a helper.
 */
import type { Koffi, NativeFunction } from '../koffi';
import type { Machine, NodeFfi } from '../node-ffi';

/** What the parent hands over: plain numbers, since all layouts are its business. */
export interface Orders {
  readonly epfd: number;
  readonly eventSize: number;
  readonly dataOffset: number;
  readonly pipe: number;
  readonly EINTR: number;
  /** How C is called: the path of koffi's addon, which a bundle has in a place of its own, or what node:ffi has to be told. */
  readonly by: { readonly addon: string } | { readonly machine: Machine };
}

function wait(load: NodeJS.Require): void {
  const { parentPort, workerData } = load('node:worker_threads') as typeof import('node:worker_threads');
  const { epfd, eventSize, dataOffset, pipe, EINTR, by } = workerData as Orders;
  const most = 64; // events per call
  // With koffi a hook hangs up when the parent is terminated. With node:ffi nobody does: this thread has to come back to
  // JavaScript now and then (ms) to be ended.
  let patience = -1;
  let epoll_wait: NativeFunction; // int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout);
  let close: NativeFunction; // int close(int fd);
  let koffi: Koffi | undefined;
  let ffi: NodeFfi | undefined;
  let errnoAt = 0n;
  if ('addon' in by) {
    const addon = { exports: {} as Koffi };
    process.dlopen(addon, by.addon);
    koffi = addon.exports;
    const libc = koffi.load(null);
    epoll_wait = libc.func('int epoll_wait(int, void *, int, int)');
    close = libc.func('int close(int)');
  } else {
    ffi = load('node:ffi') as NodeFfi;
    const libc = new ffi.DynamicLibrary(null);
    const call = { return: 'int32', arguments: ['int32', 'pointer', 'int32', 'int32'] };
    epoll_wait = libc.getFunction('epoll_wait', call) as NativeFunction;
    close = libc.getFunction('close', { return: 'int32', arguments: ['int32'] }) as NativeFunction;
    errnoAt = libc.getFunction(by.machine.errnoLocation, { return: 'pointer', arguments: [] })() as bigint;
    patience = 100;
  }
  const events = Buffer.alloc(eventSize * most);
  const view = new DataView(events.buffer, events.byteOffset, events.length);
  const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
  for (let last = false; !last; ) {
    const count = epoll_wait(epfd, events, most, patience);
    const errno = count >= 0 ? EINTR : koffi === undefined ? ffi!.getInt32(errnoAt, 0) : koffi.errno();
    if (errno !== EINTR) throw new Error(`epoll_wait failed with errno ${errno}`);
    const ready: number[] = [];
    for (let at = 0; at < count * eventSize; at += eventSize) {
      const token = view.getUint32(at + dataOffset, littleEndian);
      if (token === 0) last = true;
      else ready.push(token, view.getUint32(at, littleEndian));
    }
    if (ready.length > 0 && !last) parentPort?.postMessage(ready);
  }
  close(pipe);
  close(epfd);
}

/** For `new Worker(…, { eval: true })`. */
export const program = `(${wait})(require);`;
