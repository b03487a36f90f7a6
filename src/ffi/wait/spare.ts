/**
 * libuv's handles that wait for nothing, by the number of the descriptor they are for: what waited for one socket waits
 * for the next that gets its number. libuv opens a handle with two epoll_ctl(2) and an ioctl(2) of its own, to see whether
 * the descriptor can be waited for; a socket per query would pay for that each time.
 *
 * They are never closed: uv_close() takes whatever has that number by then out of the loop's set (a file watcher, a TCP
 * connection), which would go deaf. So they are few, and all copies of this package in the process share them.
 */
import type { Pointer } from '../koffi';

const SPARE = Symbol.for('recvfromto.handles.1');
/** Each is some 160 bytes. */
const MANY = 256;

interface Shared {
  /** By descriptor: see Descriptors in own.ts. */
  readonly handles: (Pointer | undefined)[];
  count: number;
}

export class SpareHandles {
  readonly #shared: Shared;

  constructor() {
    const holder = process as unknown as Record<symbol, Shared | undefined>;
    const shared = holder[SPARE] ?? { handles: [], count: 0 };
    if (holder[SPARE] === undefined) Object.defineProperty(process, SPARE, { value: shared });
    this.#shared = shared;
  }

  /** @returns false: there are enough */
  put(fd: number, handle: Pointer): boolean {
    const { handles, count } = this.#shared;
    if (count >= MANY || handles[fd] !== undefined) return false;
    handles[fd] = handle;
    this.#shared.count++;
    return true;
  }

  take(fd: number): Pointer | undefined {
    const { handles } = this.#shared;
    const handle = handles[fd];
    if (handle === undefined) return undefined;
    handles[fd] = undefined;
    this.#shared.count--;
    return handle;
  }
}
