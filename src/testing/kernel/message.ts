/** One element of the array that recvmmsg and sendmmsg take, as a kernel reads and writes it. */
import { wordsOf } from '../../datagram/ring';
import type { MessageLayout } from '../../platform/platform';
import type { Memory } from './memory';

type Pointer = 'name' | 'iov' | 'control';

export class Message {
  readonly #layout: MessageLayout;
  readonly #words: Int32Array;
  readonly #memory: Memory;
  readonly #start: number;

  constructor(layout: MessageLayout, memory: Memory, messages: Buffer, index: number) {
    this.#layout = layout;
    this.#memory = memory;
    this.#words = wordsOf(messages);
    this.#start = index * layout.size;
  }

  get(field: keyof MessageLayout & ('namelen' | 'iovlen' | 'controllen' | 'flags' | 'len')): number {
    return this.#words[(this.#start + this.#layout[field]) >>> 2];
  }

  set(field: 'namelen' | 'controllen' | 'flags' | 'len', value: number): void {
    this.#words[(this.#start + this.#layout[field]) >>> 2] = value;
  }

  /** What is behind a pointer; no bytes where there are none, undefined where it leads nowhere. */
  block(pointer: Pointer, length: number): Buffer | undefined {
    if (length === 0) return Buffer.alloc(0);
    const at = (this.#start + this.#layout[pointer]) >>> 2;
    return this.#memory.at(this.#words[at + 1], this.#words[at] >>> 0, length);
  }

  get named(): boolean {
    const at = (this.#start + this.#layout.name) >>> 2;
    return (this.#words[at] !== 0 || this.#words[at + 1] !== 0) && this.get('namelen') > 0;
  }

  /** The bytes of its iovecs; undefined where one leads nowhere. */
  iovecs(): Buffer[] | undefined {
    const { size, base, len } = this.#layout.iovec;
    const count = this.get('iovlen');
    const array = this.block('iov', count * size);
    if (array === undefined) return undefined;
    const words = wordsOf(array);
    const parts: Buffer[] = [];
    for (let index = 0; index < count; index++) {
      const at = (index * size + base) >>> 2;
      const length = words[(index * size + len) >>> 2] >>> 0;
      const part = length === 0 ? Buffer.alloc(0) : this.#memory.at(words[at + 1], words[at] >>> 0, length);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return parts;
  }
}
