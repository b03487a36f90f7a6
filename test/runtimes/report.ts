/**
 * What the runtimes, qemu and wine suites say: a line per check on the terminal, the closing count, and, where
 * MATRIX_OUT names a file, a line of JSON per cell of docs/matrix.md (scripts/matrix.ts reads them).
 */
import { appendFileSync } from 'node:fs';

/** One line of MATRIX_OUT. */
export interface Cell {
  readonly os: string;
  readonly arch: string;
  readonly libc: string;
  /** 'Node', 'Bun', 'Deno'. */
  readonly runtime: string;
  readonly version: string;
  /** Where it ran: 'native', 'qemu-user', 'wine'. */
  readonly on: string;
  readonly feature: string;
  readonly result: 'run' | 'modelled' | 'unsupported';
  readonly detail: string;
}

export type Outcome = 'passed' | 'failed' | 'skipped';

export class Report {
  readonly #counts: Record<Outcome, number> = { passed: 0, failed: 0, skipped: 0 };
  readonly #failures: string[] = [];

  heading(text: string): void {
    console.log(`\n${text}`);
  }

  check(where: string, what: string, outcome: Outcome, detail = ''): void {
    this.#counts[outcome]++;
    const mark = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip' }[outcome];
    const said = detail.trim().replaceAll('\n', '\n         ');
    const line = `  ${mark} ${where}: ${what}${said ? ` (${said})` : ''}`;
    console.log(line);
    if (outcome === 'failed') this.#failures.push(line);
  }

  cells(cells: readonly Cell[]): void {
    const file = process.env.MATRIX_OUT;
    if (file) appendFileSync(file, cells.map((cell) => `${JSON.stringify(cell)}\n`).join(''));
  }

  /** The closing line, and the process's exit code. A suite in which nothing ran has failed. */
  close(): void {
    const { passed, failed, skipped } = this.#counts;
    if (this.#failures.length > 0) console.log(`\nfailed:\n${this.#failures.join('\n')}`);
    console.log(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
    process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
  }
}
