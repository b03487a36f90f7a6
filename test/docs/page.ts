/**
 * Runs the fences of one page, from top to bottom, in a folder and a network namespace of its own. Started by main.ts;
 * prints a line of JSON for each fence. How a fence is run stands behind its language, where readers do not see it:
 *
 *     ```js                a program: runs, and ends with 0
 *     ```js file=a.js      is written to that file, for the commands further down
 *     ```js serve          runs in the background; goes on when it has bound a port, until the next such server takes it
 *     ```sh                commands: end with 0, or with exit=2
 *     ```sh serve          a command that goes on running, as above
 *     ```sh cwd=checkout   in the root of the repository
 *     ```sh scripts        a list of scripts of package.json, as is one of `npm run` alone: each is there
 *     ```text output       what the command above prints; … stands for anything, figures with a unit for any figure
 *     ``` … in=FILE        stands word by word in that file, which another test runs
 *     ``` … never=REASON   cannot be run by a test
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformSync } from '@swc/core';
import { type Fence, fences, ROOT } from './markdown';

const [page = '', folder = ''] = process.argv.slice(2);
const CONFIGURATION = /^(ini|conf|json|yaml|text|lua|nft|dockerfile|python|c|toml)$/;
/** Nothing but scripts of package.json. */
const SCRIPTS = /^(npm run .*\n)+$/;
const PATIENCE = 30_000;

let server: ChildProcess | undefined;
let output = '';
let count = 0;

/** Local UDP ports in use in this namespace. */
function bound(): Set<string> {
  const lines = ['udp', 'udp6'].flatMap((name) =>
    readFileSync(`/proc/net/${name}`, 'utf8').trim().split('\n').slice(1),
  );
  return new Set(lines.map((line) => line.trim().split(/\s+/)[1] as string));
}

function stopServer(): void {
  if (server?.pid === undefined || server.exitCode !== null || server.signalCode !== null) return;
  process.kill(-server.pid, 'SIGKILL');
}

/** Starts it in the background and waits until it has a port that was free before. */
async function serve(command: string, args: readonly string[], cwd: string): Promise<void> {
  stopServer();
  const free = async (wanted: boolean, before: Set<string>) => {
    const end = Date.now() + 10_000;
    while ([...bound()].some((port) => !before.has(port)) !== wanted) {
      if (wanted && server?.exitCode != null) throw new Error(`ended with ${server.exitCode}\n${said}`);
      if (Date.now() > end) throw new Error(`no port was bound\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  let said = '';
  await free(false, new Set()); // the one before is gone
  server = spawn(command, args, { cwd, detached: true });
  for (const stream of [server.stdout, server.stderr]) {
    stream?.on('data', (chunk) => {
      said += chunk;
    });
  }
  await free(true, new Set());
}

function run(command: string, args: readonly string[], cwd: string, exit: number): void {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: PATIENCE, killSignal: 'SIGKILL' });
  output = `${result.stdout}${result.stderr}`;
  if (result.status !== exit) {
    throw new Error(`ended with ${result.status ?? result.signal}, not ${exit}\n${output}`);
  }
}

function areScripts(code: string): void {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  for (const [line] of code.matchAll(/^npm .*/gm)) {
    const [, name] = /^npm (?:run )?([\w:-]+)/.exec(line) ?? [];
    if (name !== 'ci' && !((name as string) in scripts)) throw new Error(`package.json has no script for ${line}`);
  }
}

/** Figures that differ from run to run, so that only the words are compared. */
const plain = (line: string) =>
  line
    .replace(/[\d.]+ ?(ns|µs|ms|s|bytes)\b/g, 'N $1')
    .replace(/\s+/g, ' ')
    .trim();

function compare(expected: string): void {
  const got = output.split('\n').map(plain);
  for (const line of expected.split('\n').map(plain)) {
    const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    const pattern = new RegExp(`^${parts.join('.*')}$`);
    if (line !== '' && !got.some((each) => pattern.test(each))) throw new Error(`no line is "${line}" in\n${output}`);
  }
}

function programFile({ language, code, words }: Fence): string {
  if (words.file !== undefined) return words.file;
  const isModule = /^\s*(import|export) /m.test(code) || /^(const .* = )?await /m.test(code);
  return `snippet${++count}.${language === 'ts' ? 'ts' : isModule ? 'mjs' : 'cjs'}`;
}

/** Writes it; TypeScript is checked by main.ts, and stripped here: Node 20 cannot. → what to run */
function write(fence: Fence): string {
  const file = programFile(fence);
  writeFileSync(join(folder, file), fence.code);
  if (!file.endsWith('.ts')) return file;
  const { code } = transformSync(fence.code, {
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  });
  const runnable = file.replace(/\.ts$/, '.mjs');
  writeFileSync(join(folder, runnable), code);
  return runnable;
}

async function program(fence: Fence): Promise<void> {
  const file = write(fence);
  if ('serve' in fence.words) await serve(process.execPath, [file], folder);
  else if (!('file' in fence.words)) run(process.execPath, [file], folder, Number(fence.words.exit ?? 0));
}

async function shell({ words, code }: Fence): Promise<void> {
  const cwd = words.cwd === 'checkout' ? ROOT : folder;
  // exec: the server is to be killed, not a shell around it
  if ('serve' in words) await serve('bash', ['-ec', `exec ${code.trim()}`], cwd);
  else run('bash', ['-ec', code], cwd, Number(words.exit ?? 0));
}

async function perform(fence: Fence): Promise<string> {
  const { language, words, code, generated } = fence;
  if (generated && !('in' in words)) return 'written by a script';
  if (language === 'c' && code.includes('…')) return 'never: a sketch';
  if ('never' in words) return `never: ${words.never}`;
  if ('in' in words) {
    if (!readFileSync(join(ROOT, words.in as string), 'utf8').includes(code.trim()))
      throw new Error(`is not in ${words.in}`);
    return `in ${words.in}`;
  }
  if ('output' in words) compare(code);
  else if ('scripts' in words || SCRIPTS.test(code)) areScripts(code);
  else if (/^(js|mjs|ts)$/.test(language)) await program(fence);
  else if (language === 'sh') await shell(fence);
  else if (CONFIGURATION.test(language) && 'file' in words) writeFileSync(join(folder, words.file as string), code);
  else throw new Error(`nothing says how "${language}" is run`);
  return 'ran';
}

async function main(): Promise<void> {
  for (const fence of fences(page)) {
    const name = `${page}:${fence.line} ${fence.code.split('\n')[0]}`;
    try {
      console.log(JSON.stringify({ name, how: await perform(fence) }));
    } catch (error) {
      console.log(JSON.stringify({ name, failed: (error as Error).message }));
    }
  }
  stopServer();
  process.exit();
}

main();
