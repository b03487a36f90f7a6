/** Child processes of this run: started, talked to in JSON lines, and ended. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Node's arguments that run one of our TypeScript files. */
export const script = (name: string, argument: object): string[] => [
  '-r',
  join(__dirname, 'typescript.cjs'),
  join(__dirname, name),
  JSON.stringify(argument),
];

/** A program that writes JSON lines, and says "listening" when it is ready. */
export class Program<Line> {
  readonly lines: Line[] = [];
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<unknown>;
  #complaints = '';
  #wake = () => {};

  constructor(command: string, argv: readonly string[]) {
    this.#process = spawn(command, argv);
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      this.#complaints += text;
    });
    this.#exit = once(this.#process, 'close').then(() => this.#wake());
    createInterface(this.#process.stdout).on('line', (line) => {
      this.lines.push(JSON.parse(line));
      this.#wake();
    });
  }

  /** Resolves with the first line that fits. @throws when the program ends, or after `seconds`, without one */
  async line(fits: (line: Line) => boolean, seconds = 10): Promise<Line> {
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const found = this.lines.find(fits);
      if (found !== undefined) return found;
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw this.#failure('it ended');
      if (Date.now() > deadline) throw this.#failure(`it did not say so within ${seconds} s`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  listening(): Promise<unknown> {
    return this.line((line) => (line as unknown) === 'listening');
  }

  /**
   * Ends its input and waits for it to go by itself; a program that stays is killed, and that is an error.
   * → what it wrote to standard error
   */
  async end(): Promise<string> {
    this.#process.stdin.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    await this.#exit;
    clearTimeout(timer);
    if (this.#process.exitCode !== 0) {
      throw this.#failure(`it ended with ${this.#process.signalCode ?? this.#process.exitCode}`);
    }
    return this.#complaints;
  }

  #failure(what: string): Error {
    return new Error(`${this.#process.spawnargs.join(' ')}: ${what}\n${this.#complaints}`);
  }
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code; null when a signal ended it. */
  readonly status: number | null;
}

/** Runs to the end. Nothing is thrown for a failing program: how it ended is an answer too. */
export async function run([command, ...argv]: readonly [string, ...string[]], input = ''): Promise<Ran> {
  const child = spawn(command, argv);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  // EPIPE where the program ended without reading: its status says so.
  child.stdin.on('error', () => {}).end(input);
  const [status] = await once(child, 'close');
  return { stdout, stderr, status };
}

/** Maps with at most `limit` at once. */
export async function mapLimited<In, Out>(limit: number, all: readonly In[], one: (item: In) => Promise<Out>) {
  const results: Out[] = [];
  let next = 0;
  const work = async () => {
    for (let index = next++; index < all.length; index = next++) results[index] = await one(all[index] as In);
  };
  await Promise.all(Array.from({ length: Math.min(limit, all.length) }, work));
  return results;
}
