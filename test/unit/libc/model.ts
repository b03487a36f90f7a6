/** recvfromto/libc on a kernel model: what its calls are beyond those that the model answers anyway. */
import { ERROR, READABLE, WRITABLE } from '../../../src/ffi';
import type { LibcCalls, PollEntry } from '../../../src/ffi/libc-calls';
import { createLibc, type Libc } from '../../../src/libc/libc';
import type { Kernel } from '../../models/kernel';
import type { World } from '../../models/world';

export class ModelCalls implements LibcCalls {
  readonly #kernel: Kernel;
  readonly #numbers = new WeakMap<object, number>();
  /** Descriptors that somebody has made non-blocking. */
  readonly nonBlocking = new Set<number>();
  #next = 1;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  block(fd: number): number {
    this.nonBlocking.delete(fd);
    return this.#kernel.adopt(fd);
  }

  blocks(fd: number): number {
    const failed = this.#kernel.adopt(fd);
    return failed < 0 ? failed : Number(!this.nonBlocking.has(fd));
  }

  identity(fd: number): string | undefined {
    const sock = this.#kernel.sockets.get(fd);
    if (sock === undefined) return undefined;
    if (!this.#numbers.has(sock)) this.#numbers.set(sock, this.#next++);
    return String(this.#numbers.get(sock));
  }

  poll(entries: readonly PollEntry[]): number {
    const { facts } = this.#kernel;
    for (const entry of entries) {
      const bits = [
        [READABLE, facts.number('POLLIN')],
        [WRITABLE, facts.number('POLLOUT')],
        [ERROR, facts.number('POLLERR')],
      ];
      const ready = entry.fd < 0 ? 0 : this.#kernel.poll(entry.fd, READABLE | WRITABLE);
      entry.revents = bits.reduce((all, [ours, theirs]) => all | ((ready & ours) === 0 ? 0 : theirs & entry.events), 0);
    }
    return entries.filter(({ revents }) => revents !== 0).length;
  }
}

export function libcOn(world: World): Libc & { readonly calls: ModelCalls } {
  const calls = new ModelCalls(world.kernel);
  const host = {
    platform: world.platform,
    syscalls: world.kernel,
    readiness: world.kernel.readiness,
    networkInterfaces: () => world.machine.networkInterfaces(),
  };
  return { ...createLibc(host, calls), calls };
}
