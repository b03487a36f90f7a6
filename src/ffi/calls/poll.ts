/** poll(2) and WSAPoll for one descriptor: their masks are the platform's, ours are of readiness.ts. */
import type { Platform } from '../../platform/platform';
import { pollfd, wsapollfd } from '../../structs/pollfd';
import { abiOf } from '../abi';
import { ERROR, READABLE, WRITABLE } from '../readiness';

/** `fds` is one struct. → descriptors that are ready, or -errno */
type Poll = (fds: Buffer, timeout: number) => number;

/** The arguments have been checked. */
export class Poller {
  readonly #poll: Poll;
  readonly #platform: Platform;
  readonly #fds: Buffer;
  readonly #events: number;
  readonly #revents: number;
  readonly #view: DataView;

  constructor(platform: Platform, poll: Poll) {
    this.#poll = poll;
    this.#platform = platform;
    const struct = (platform.calls === 'winsock' ? wsapollfd : pollfd)(abiOf(platform));
    this.#fds = Buffer.alloc(struct.size);
    this.#view = new DataView(this.#fds.buffer, this.#fds.byteOffset, struct.size);
    this.#events = struct.fields.events.offset;
    this.#revents = struct.fields.revents.offset;
  }

  poll(fd: number, events: number, timeout: number): number {
    const { constants, errno, message } = this.#platform;
    const { POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL } = constants;
    const wanted = ((events & READABLE) !== 0 ? POLLIN : 0) | ((events & WRITABLE) !== 0 ? POLLOUT : 0);
    this.#fds.fill(0); // the upper half of a SOCKET
    this.#view.setInt32(0, fd, message.littleEndian); // the first member; 64-bit CPUs here are little-endian
    this.#view.setInt16(this.#events, wanted, message.littleEndian);
    const count = this.#poll(this.#fds, timeout);
    if (count <= 0) return count;
    const ready = this.#view.getInt16(this.#revents, message.littleEndian);
    if ((ready & POLLNVAL) !== 0) return -errno.EBADF;
    return (
      ((ready & POLLIN) !== 0 ? READABLE : 0) |
      ((ready & POLLOUT) !== 0 ? WRITABLE : 0) |
      ((ready & (POLLERR | POLLHUP)) !== 0 ? ERROR | READABLE : 0)
    );
  }
}
