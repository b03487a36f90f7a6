/** Counts by name, of the most a process should remember: who sends to a million addresses gets no million entries. */

export class Tally {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();
  /** Of names that came when there was no room left. */
  #others = 0;
  #total = 0;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  get total(): number {
    return this.#total;
  }

  add(name: string): void {
    this.#total++;
    const known = this.#counts.get(name);
    if (known !== undefined || this.#counts.size < this.#limit) this.#counts.set(name, (known ?? 0) + 1);
    else this.#others++;
  }

  /** The most frequent names, and how often anything else was counted. */
  top(most: number): { entries: [name: string, count: number][]; others: number } {
    const all = [...this.#counts].sort(([, a], [, b]) => b - a);
    const rest = all.slice(most).reduce((sum, [, one]) => sum + one, this.#others);
    return { entries: all.slice(0, most), others: rest };
  }
}
