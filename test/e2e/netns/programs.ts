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
  #wake = () => {};

  constructor(command: string, argv: readonly string[]) {
    this.#process = spawn(command, argv);
    this.#process.stderr.pipe(process.stderr);
    this.#exit = once(this.#process, 'exit').then(() => this.#wake());
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
      if (this.#process.exitCode !== null || this.#process.signalCode !== null) throw new Error('the program ended');
      if (Date.now() > deadline) throw new Error(`the program did not say so within ${seconds} s`);
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

  /** Ends its input and waits for it to go by itself; a program that stays is killed, and that is an error. */
  async end(): Promise<void> {
    this.#process.stdin.end();
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000);
    await this.#exit;
    clearTimeout(timer);
    if (this.#process.exitCode !== 0) {
      throw new Error(`the program ended with ${this.#process.signalCode ?? this.#process.exitCode}`);
    }
  }
}

/** Runs to the end. Nothing is thrown for a failing program: what it wrote is the answer. */
export async function run(argv: readonly string[], input = ''): Promise<{ stdout: string; status: number | null }> {
  const [command = '', ...rest] = argv;
  const child = spawn(command, rest);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.pipe(process.stderr);
  child.stdin.end(input);
  const [status] = await once(child, 'close');
  return { stdout, status };
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
