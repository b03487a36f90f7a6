/**
 * What has been received and not handed over yet. Its places are used again, so that keeping a datagram allocates
 * nothing; none of them holds on to what has been handed over.
 */
import type { ReceivedMessage, RemoteInfo } from '../types';

/** Places that are kept. More were needed only while pause() took what a flood had left behind. */
const ROOM = 1024;

export class Backlog {
  /** Two arrays in step: filled up to #end, handed over up to #start. */
  readonly #messages: (Buffer | undefined)[] = [];
  readonly #rinfos: (RemoteInfo | undefined)[] = [];
  #start = 0;
  #end = 0;

  get size(): number {
    return this.#end - this.#start;
  }

  push(msg: Buffer, rinfo: RemoteInfo): void {
    this.#messages[this.#end] = msg;
    this.#rinfos[this.#end++] = rinfo;
  }

  /** Takes the oldest out. There must be one. */
  shift(deliver: (msg: Buffer, rinfo: RemoteInfo) => void): void {
    const index = this.#start++;
    const msg = this.#messages[index] as Buffer;
    const rinfo = this.#rinfos[index] as RemoteInfo;
    this.#messages[index] = undefined;
    this.#rinfos[index] = undefined;
    if (this.#start === this.#end) this.#restart();
    deliver(msg, rinfo);
  }

  /** Takes all of them out. */
  drain(): ReceivedMessage[] {
    const batch = new Array<ReceivedMessage>(this.size);
    for (let i = 0; i < batch.length; i++) {
      const index = this.#start + i;
      batch[i] = { msg: this.#messages[index] as Buffer, rinfo: this.#rinfos[index] as RemoteInfo };
      this.#messages[index] = undefined;
      this.#rinfos[index] = undefined;
    }
    this.#restart();
    return batch;
  }

  #restart(): void {
    this.#start = 0;
    this.#end = 0;
    if (this.#messages.length <= ROOM) return;
    this.#messages.length = 0;
    this.#rinfos.length = 0;
  }
}
