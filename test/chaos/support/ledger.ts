/** Who was promised an answer, and how often he got one. */
export class Ledger {
  readonly #entries = new Map<string, { calls: number; readonly results: unknown[]; forgiven: boolean }>();
  /** Datagrams handed over by calls that have not thrown. */
  handed = 0;

  /** A callback that must be called once. @param forgetful dgram forgets it when the bind behind it fails */
  callback(name: string, forgetful = false): (...results: unknown[]) => void {
    const entry = { calls: 0, results: [] as unknown[], forgiven: forgetful };
    let unique = name;
    for (let i = 2; this.#entries.has(unique); i++) unique = `${name} #${i}`;
    this.#entries.set(unique, entry);
    return (...results) => {
      entry.calls++;
      entry.results.push(results[0]);
    };
  }

  /** The call threw: whoever throws calls nobody back. */
  threw(name: string): void {
    for (const key of [...this.#entries.keys()].reverse()) {
      if (key !== name && !key.startsWith(`${name} #`)) continue;
      const entry = this.#entries.get(key)!;
      if (entry.calls > 0) throw new Error(`${name} threw and called back`);
      this.#entries.delete(key);
      return;
    }
  }

  /** Callbacks that were not called once, in words. @param failedBind dgram's send() forgets those that waited for it */
  wrong(failedBind = false): string[] {
    return [...this.#entries]
      .filter(([, { calls, forgiven }]) => calls !== 1 && !(calls === 0 && forgiven && failedBind))
      .map(([name, { calls }]) => `${name}: ${calls} calls`);
  }

  /** Callbacks that got an error. */
  get failed(): number {
    return [...this.#entries.values()].filter(({ results }) => results[0] instanceof Error).length;
  }

  get size(): number {
    return this.#entries.size;
  }
}
