/** The groups that one socket has joined, where the OS delivers those of other sockets as well: `multicastAll: false`. */
import type { Names } from '../../datagram/names';
import type { RemoteInfo } from '../../types';

export class Groups {
  readonly #names: Names;
  /** By text, how often each has been joined: on several interfaces, for several sources. */
  readonly #joined = new Map<string, number>();

  constructor(names: Names) {
    this.#names = names;
  }

  change(change: 'add' | 'drop', group: string): void {
    const text = this.#plain(group);
    const times = (this.#joined.get(text) ?? 0) + (change === 'add' ? 1 : -1);
    if (times > 0) this.#joined.set(text, times);
    else this.#joined.delete(text);
  }

  /** Is it no group, or one of ours? */
  hears({ destination }: RemoteInfo): boolean {
    if (destination === undefined) return true;
    const end = this.#names.endpoint(destination.address);
    return end === undefined || !end.multicast || this.#joined.has(this.#plain(destination.address));
  }

  /** As the system spells it, without a zone and not mapped. */
  #plain(address: string): string {
    const text = this.#names.endpoint(address.split('%', 1)[0])?.text ?? address;
    return text.startsWith('::ffff:') ? text.slice('::ffff:'.length) : text;
  }
}
