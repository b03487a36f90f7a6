/**
 * Starts the programs of the benchmark, talks to them, and sees to it that none outlives it: every child is known here,
 * has a time limit, and is ended when the benchmark ends, however that happens.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';

const LIMIT_MS = 30_000;

const alive = new Set<ChildProcess>();

function track(child: ChildProcess): void {
  alive.add(child);
  child.once('exit', () => alive.delete(child));
}

/** Ends what still runs. Called when the benchmark ends or is interrupted. */
export function endAll(): void {
  for (const child of alive) child.kill('SIGKILL');
}

/** A command kept to one core, where the machine has several and taskset is there. */
export type Pinned = (core: 'server' | 'load', command: readonly string[]) => string[];

/** One line of JSON at a time from a program's standard output. */
class Lines {
  readonly #waiting: ((line: string | undefined) => void)[] = [];
  readonly #unread: string[] = [];
  #ended = false;

  constructor(lines: Interface) {
    lines.on('line', (line) => {
      const wanted = this.#waiting.shift();
      if (wanted === undefined) this.#unread.push(line);
      else wanted(line);
    });
    lines.on('close', () => {
      this.#ended = true;
      for (const wanted of this.#waiting.splice(0)) wanted(undefined);
    });
  }

  next(): Promise<string | undefined> {
    const line = this.#unread.shift();
    if (line !== undefined || this.#ended) return Promise.resolve(line);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** A program that answers in lines of JSON. */
export class Program {
  readonly #child: ChildProcess;
  readonly #lines: Lines;
  readonly #name: string;
  #errors = '';

  constructor(command: readonly string[], env: NodeJS.ProcessEnv = process.env) {
    const [file, ...args] = command;
    this.#name = command.filter((word) => !word.startsWith('ports=')).join(' ');
    this.#child = spawn(file!, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    track(this.#child);
    // A program that could not be started, or has ended, is noticed by the answer that does not come.
    this.#child.on('error', (error) => {
      this.#errors += error.message;
    });
    this.#child.stdin!.on('error', () => {});
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4000);
    });
    this.#lines = new Lines(createInterface({ input: this.#child.stdout! }));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** The next line it says. @throws Error with what it complained of, when it ends or takes too long */
  async hear<T>(): Promise<T> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), LIMIT_MS);
    const line = await this.#lines.next();
    clearTimeout(timer);
    if (line === undefined) throw new Error(`${this.#name}: no answer. ${this.#errors.trim()}`);
    return JSON.parse(line) as T;
  }

  ask<T>(command: string): Promise<T> {
    this.#child.stdin!.write(`${command}\n`);
    return this.hear<T>();
  }

  /** @throws Error with what it complained of, when it has ended */
  check(): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) return;
    throw new Error(`${this.#name}: has ended. ${this.#errors.trim()}`);
  }

  /** Asks it to end, and waits until it has. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 2000);
    this.#child.stdin!.end('quit\n');
    await gone;
    clearTimeout(timer);
  }
}

/** Runs a program that says one thing and ends. */
export async function answerOf<T>(command: readonly string[], env?: NodeJS.ProcessEnv): Promise<T> {
  const program = new Program(command, env);
  try {
    return await program.hear<T>();
  } finally {
    await program.stop();
  }
}

/** How long a command takes from start to end, in ms. @throws Error when it fails */
export function timeOf(command: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const [file, ...args] = command;
    const start = performance.now();
    const child = spawn(file!, args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: LIMIT_MS });
    track(child);
    child.once('error', reject);
    child.once('exit', (code) => {
      if (code === 0) resolve(performance.now() - start);
      else reject(new Error(`${command.join(' ')}: exit ${code}`));
    });
  });
}

/** A line of /proc/PID/status in kB (VmRSS, VmHWM); undefined where there is no /proc. */
export function memoryOf(pid: number, line: 'VmRSS' | 'VmHWM'): number | undefined {
  try {
    return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}
