/**
 * Runs scripts/*.cjs in processes of their own, for what may crash a process. They load src/ compiled by swc into
 * node_modules/.cache (koffi has to be found from there), so that no stale dist/ is tested and nothing has to be built.
 * RECVFROMTO_TEST_NODE: another Node executable to run them with. RECVFROMTO_FFI goes on to them.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { transformSync } from '@swc/core';

const root = resolve(__dirname, '../..');

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @returns the folder with the compiled sources, and what removes it */
export function compile(): { folder: string; remove(): void } {
  const cache = join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'recvfromto-runtime-'));
  const source = join(root, 'src');
  for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
    if (!/\.c?ts$/.test(name)) continue;
    const { code } = transformSync(readFileSync(join(source, name), 'utf8'), {
      filename: name,
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    const target = join(folder, name.replace(/ts$/, 'js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, code);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"commonjs"}');
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs `<under> node <flags> scripts/<script> <args>`. One that hangs is killed after 20 s, and has signal SIGKILL. */
export function run(
  folder: string,
  script: string,
  args: readonly string[] = [],
  flags: readonly string[] = [],
  env = {},
  under: readonly string[] = [],
) {
  const { PATH, RECVFROMTO_FFI } = process.env;
  const node = process.env.RECVFROMTO_TEST_NODE ?? process.execPath;
  const quiet = RECVFROMTO_FFI === 'node' ? ['--disable-warning=ExperimentalWarning'] : [];
  const [command, ...rest] = [...under, node, ...quiet, ...flags, join(__dirname, 'scripts', script), ...args];
  const child = spawn(command, rest, {
    cwd: root,
    env: { PATH, ...(RECVFROMTO_FFI && { RECVFROMTO_FFI }), RECVFROMTO_COMPILED: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  return new Promise<Outcome>((done, failed) => {
    child.on('error', failed);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      done({ code, signal, stdout, stderr });
    });
  });
}

/** It ended by itself, without a crash, and said this. */
export function expectResult(outcome: Outcome, result: unknown): void {
  expect({ ...outcome, stdout: '' }).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
  expect(JSON.parse(outcome.stdout)).toEqual(result);
}
