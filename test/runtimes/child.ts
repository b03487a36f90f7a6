/** Runs a program for a bounded time and keeps what it said. */
import { spawn } from 'node:child_process';

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly late: boolean;
}

export function run(command: readonly string[], seconds: number, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const [program, ...args] = command;
  // A group of its own: an emulator's or a namespace's children must end with it.
  const child = spawn(program!, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1', ...env },
  });
  let stdout = '';
  let stderr = '';
  let late = false;
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const timer = setTimeout(() => {
    late = true;
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  }, seconds * 1000);
  return new Promise((done) => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      done({ code, signal, stdout, stderr, late });
    };
    child.on('error', (error) => {
      stderr += error.message;
      end(null, null);
    });
    child.on('close', end);
  });
}

/** How it ended, for a person. */
export function epitaph({ code, signal, late, stderr }: Ended): string {
  const how = late ? 'killed: took too long' : signal === null ? `exit code ${code}` : signal;
  return `${how}; ${stderr.slice(0, 600)}`;
}

/** Runs tasks, `width` at a time, in order. */
export async function pool<T>(tasks: readonly (() => Promise<T>)[], width: number): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async () => {
    while (next < tasks.length) {
      const index = next++;
      results[index] = await tasks[index]!();
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return results;
}
