/**
 * libuv's handles that wait for nothing, by the number of the descriptor they are for: what waited for one socket waits
 * for the next that gets its number. libuv opens a handle with two epoll_ctl(2) and an ioctl(2) of its own, to see whether
 * the descriptor can be waited for; a socket per query would pay for that each time.
 *
 * They are never closed: uv_close() takes whatever has that number by then out of the loop's set (a file watcher, a TCP
 * connection), which would go deaf. So they are few, and all copies of this package in the process share them.
 */
import type { Pointer } from '../koffi';

const SPARE = Symbol.for('recvfromto.handles');
/** Each is some 160 bytes. */
const MANY = 256;

export class SpareHandles {
  readonly #handles: Map<number, Pointer>;

  constructor() {
    const holder = process as unknown as Record<symbol, Map<number, Pointer> | undefined>;
    let handles = holder[SPARE];
    if (handles === undefined) {
      handles = new Map();
      Object.defineProperty(process, SPARE, { value: handles });
    }
    this.#handles = handles;
  }

  /** @returns false: there are enough */
  put(fd: number, handle: Pointer): boolean {
    if (this.#handles.size >= MANY || this.#handles.has(fd)) return false;
    this.#handles.set(fd, handle);
    return true;
  }

  take(fd: number): Pointer | undefined {
    const handle = this.#handles.get(fd);
    if (handle !== undefined) this.#handles.delete(fd);
    return handle;
  }
}
