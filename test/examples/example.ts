/** Runs the examples as a reader would: from the checkout, by their file names. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT = join(__dirname, '../..');
const running: ChildProcessWithoutNullStreams[] = [];

/** Starts it and waits for its first line, which says that it listens. @throws when it ends before */
export async function start(argv: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, argv, { cwd: ROOT });
  running.push(child);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaints += text;
  });
  const line = once(createInterface(child.stdout), 'line').then(([text]) => String(text));
  const end = once(child, 'close').then(([code]) => {
    throw new Error(`${argv.join(' ')} ended with ${code}\n${complaints}`);
  });
  return Promise.race([line, end]);
}

export async function stopAll(): Promise<void> {
  const ended = running.map((child) => (child.exitCode === null ? once(child, 'close') : undefined));
  for (const child of running.splice(0)) child.kill('SIGTERM');
  await Promise.all(ended);
}
