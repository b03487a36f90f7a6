/**
 * Which local address each remote was heard on last: an LRU by remote, bounded however many remotes a spoofed flood
 * invents. What is too old is forgotten when it is asked for or pushed out, so that no timer keeps a process alive.
 * Knows text only, no sockets.
 */

interface Entry {
  remote: string;
  local: string;
  /** When it was heard, on the clock of performance.now(). */
  at: number;
  /** Neighbours in order of hearing; the ring closes at the head. */
  older: Entry;
  newer: Entry;
}

export class StickyMemory {
  /**
   * Entries are linked rather than taken out of the Map and put back: V8 keeps a tombstone in the bucket for each
   * deletion until the table is rehashed, and one remote that is heard again and again would walk thousands of them.
   */
  readonly #entries = new Map<string, Entry>();
  readonly #head = newHead();
  #max: number;

  /** @param max entries, at least 1 */
  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Never shrinks: the memory that sockets share is as large as the largest of them asks for. */
  growTo(max: number): void {
    this.#max = Math.max(this.#max, max);
  }

  remember(remote: string, local: string, now: number): void {
    let entry = this.#entries.get(remote);
    if (entry === undefined) {
      if (this.#entries.size >= this.#max) this.#drop(this.#head.newer);
      entry = { remote, local, at: now, older: this.#head, newer: this.#head };
      this.#entries.set(remote, entry);
    } else {
      unlink(entry);
    }
    entry.local = local;
    entry.at = now;
    entry.newer = this.#head;
    entry.older = this.#head.older;
    entry.older.newer = entry;
    this.#head.older = entry;
  }

  /** → the local address that `remote` was heard on in the last `ttl` ms */
  find(remote: string, now: number, ttl: number): string | undefined {
    const entry = this.#entries.get(remote);
    return entry !== undefined && now - entry.at <= ttl ? entry.local : undefined;
  }

  /** Forgets that `remote` was heard on `local`; if it has been heard elsewhere since, that stays. */
  forget(remote: string, local: string): void {
    const entry = this.#entries.get(remote);
    if (entry !== undefined && entry.local === local) this.#drop(entry);
  }

  #drop(entry: Entry): void {
    unlink(entry);
    this.#entries.delete(entry.remote);
  }
}

/** `newer` of the head is the oldest entry, `older` of it the newest. */
function newHead(): Entry {
  const head = { remote: '', local: '', at: 0 } as Entry;
  head.older = head;
  head.newer = head;
  return head;
}

function unlink(entry: Entry): void {
  entry.older.newer = entry.newer;
  entry.newer.older = entry.older;
}
