/** Counts what passed and failed, and remembers why, for the end of the run. */
export class Report {
  #passed = 0;
  #skipped: string[] = [];
  #failed: string[] = [];
  #notes: string[] = [];

  /** `detail` says what was seen instead. */
  check(name: string, ok: boolean, detail = ''): void {
    if (ok) this.#passed++;
    else this.#failed.push(detail === '' ? name : `${name}: ${detail}`);
  }

  /** A figure worth reading, whatever it is. */
  note(text: string): void {
    this.#notes.push(text);
  }

  /** Something that this machine does not allow. With CI=true that is a failure. */
  skip(name: string, reason: string): void {
    if (process.env.CI === 'true') this.#failed.push(`${name}: skipped in CI (${reason})`);
    else this.#skipped.push(`${name}: ${reason}`);
  }

  /** Runs one part; a part that throws is one failure and the others go on. */
  async part(name: string, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#failed.push(`${name}: ${error instanceof Error ? error.stack : error}`);
    }
  }

  /** Prints the end of the run. → exit code */
  close(): number {
    for (const line of this.#notes) console.log(line);
    for (const line of this.#skipped) console.log(`skipped  ${line}`);
    for (const line of this.#failed) console.log(`FAILED   ${line}`);
    console.log(`${this.#passed} passed, ${this.#failed.length} failed, ${this.#skipped.length} skipped`);
    return this.#failed.length === 0 ? 0 : 1;
  }
}
