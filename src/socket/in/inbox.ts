/**
 * What has been received and not delivered yet, of all sockets of a host, oldest first: a ring of places that are used
 * again, so that keeping a datagram allocates nothing. None of them holds on to what has been delivered.
 */
import type { RemoteInfo } from '../../types';
import type { Core } from '../core';

const SMALLEST = 64;

export class Inbox {
  /** Three arrays in step. An error instead of a rinfo has no message. */
  #cores: (Core | undefined)[] = new Array(SMALLEST).fill(undefined);
  #messages: (Buffer | undefined)[] = new Array(SMALLEST).fill(undefined);
  #about: (RemoteInfo | Error | undefined)[] = new Array(SMALLEST).fill(undefined);
  #first = 0;
  size = 0;
  /** Of all messages. */
  bytes = 0;

  /** The socket of the oldest entry. */
  get core(): Core | undefined {
    return this.#cores[this.#first];
  }

  /** The message of the oldest entry; undefined where it is an error. */
  get msg(): Buffer | undefined {
    return this.#messages[this.#first];
  }

  get about(): RemoteInfo | Error {
    return this.#about[this.#first] as RemoteInfo | Error;
  }

  push(core: Core, msg: Buffer, rinfo: RemoteInfo): void {
    this.#add(core, msg, rinfo);
    this.bytes += msg.length;
  }

  /** An error of the socket's receives, which is reported behind what came before it. */
  fail(core: Core, error: Error): void {
    this.#add(core, undefined, error);
  }

  /** Takes the oldest entry out. There must be one. */
  drop(): void {
    const first = this.#first;
    this.bytes -= this.#messages[first]?.length ?? 0;
    this.#cores[first] = undefined;
    this.#messages[first] = undefined;
    this.#about[first] = undefined;
    this.#first = (first + 1) & (this.#cores.length - 1);
    this.size--;
  }

  /** Takes out all entries of one socket; the others stay as they are. */
  take(core: Core): { readonly msg: Buffer | undefined; readonly about: RemoteInfo | Error }[] {
    const taken = [];
    for (let left = this.size; left > 0; left--) {
      const { core: owner, msg, about } = this;
      this.drop();
      if (owner === core) taken.push({ msg, about });
      else if (msg === undefined) this.fail(owner as Core, about as Error);
      else this.push(owner as Core, msg, about as RemoteInfo);
    }
    return taken;
  }

  #add(core: Core, msg: Buffer | undefined, about: RemoteInfo | Error): void {
    if (this.size === this.#cores.length) this.#grow();
    const place = (this.#first + this.size++) & (this.#cores.length - 1);
    this.#cores[place] = core;
    this.#messages[place] = msg;
    this.#about[place] = about;
  }

  #grow(): void {
    const { length } = this.#cores;
    const unrolled = <Entry>(ring: (Entry | undefined)[]) => [
      ...ring.slice(this.#first),
      ...ring.slice(0, this.#first),
      ...new Array<Entry | undefined>(length).fill(undefined),
    ];
    this.#cores = unrolled(this.#cores);
    this.#messages = unrolled(this.#messages);
    this.#about = unrolled(this.#about);
    this.#first = 0;
  }
}
