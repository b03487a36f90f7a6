/** poll(2) and WSAPoll for one descriptor: their masks are the platform's, ours are of readiness.ts. */
import type { Platform } from '../../platform/platform';
import { pollfd, wsapollfd } from '../../structs/pollfd';
import { abiOf } from '../abi';
import { ERROR, READABLE, WRITABLE } from '../readiness';

/** `fds` is one struct. → descriptors that are ready, or -errno */
type Poll = (fds: Buffer, timeout: number) => number;

/** One struct, and where its members are. Hardly any program polls, so it is laid out when the first does. */
interface Asked {
  readonly fds: Buffer;
  readonly view: DataView;
  readonly events: number;
  readonly revents: number;
}

function newAsked(platform: Platform): Asked {
  const { size, fields } = (platform.calls === 'winsock' ? wsapollfd : pollfd)(abiOf(platform));
  const fds = Buffer.alloc(size);
  const view = new DataView(fds.buffer, fds.byteOffset, size);
  return { fds, view, events: fields.events.offset, revents: fields.revents.offset };
}

/** The arguments have been checked. */
export class Poller {
  readonly #poll: Poll;
  readonly #platform: Platform;
  #asked: Asked | undefined;

  constructor(platform: Platform, poll: Poll) {
    this.#poll = poll;
    this.#platform = platform;
  }

  poll(fd: number, events: number, timeout: number): number {
    this.#asked ??= newAsked(this.#platform);
    const { fds, view } = this.#asked;
    const { constants, errno, message } = this.#platform;
    const { POLLIN, POLLOUT, POLLERR, POLLHUP, POLLNVAL } = constants;
    const wanted = ((events & READABLE) !== 0 ? POLLIN : 0) | ((events & WRITABLE) !== 0 ? POLLOUT : 0);
    fds.fill(0); // the upper half of a SOCKET
    view.setInt32(0, fd, message.littleEndian); // the first member; 64-bit CPUs here are little-endian
    view.setInt16(this.#asked.events, wanted, message.littleEndian);
    const count = this.#poll(fds, timeout);
    if (count <= 0) return count;
    const ready = view.getInt16(this.#asked.revents, message.littleEndian);
    if ((ready & POLLNVAL) !== 0) return -errno.EBADF;
    return (
      ((ready & POLLIN) !== 0 ? READABLE : 0) |
      ((ready & POLLOUT) !== 0 ? WRITABLE : 0) |
      ((ready & (POLLERR | POLLHUP)) !== 0 ? ERROR | READABLE : 0)
    );
  }
}
