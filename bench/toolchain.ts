/**
 * What the benchmark needs beside Node: the C programs, compiled on the spot, and Bun and Deno, installed by npm into
 * bench/.cache (which git ignores). What cannot be had is reported and done without.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Pinned } from './children';

const CACHE = join(__dirname, '.cache');
const RUNTIMES = join(CACHE, 'runtimes');

/** Names and versions as the results were made with; npm is asked for these alone. */
const PACKAGES = {
  bun: { name: '@oven/bun-linux-x64', version: '1.4.5', file: '@oven/bun-linux-x64/bin/bun' },
  deno: { name: 'deno', version: '2.9.6', file: '@deno/linux-x64-glibc/deno' },
};

export interface Toolchain {
  readonly load: string;
  readonly flood: string;
  readonly server: string;
  readonly bun: string | undefined;
  readonly deno: string | undefined;
  readonly versions: Readonly<Record<string, string>>;
  /** What is done without, and why. */
  readonly skipped: readonly string[];
  readonly pinned: Pinned;
}

/** What it says of itself; undefined for what cannot be run. */
function versionOf(command: string): string | undefined {
  const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? '?') : undefined;
}

/** @throws Error where there is no C compiler: nothing else has room where a server has none */
function compile(): { programs: Record<'load' | 'flood' | 'server', string>; compiler: string } {
  const cc = process.env.CC ?? 'cc';
  const compiler = versionOf(cc);
  if (compiler === undefined) throw new Error(`The load generator is in C, and there is no ${cc} (CC names another).`);
  const folder = join(CACHE, 'native');
  mkdirSync(folder, { recursive: true });
  const built = (name: string) => {
    const program = join(folder, name);
    execFileSync(cc, ['-O2', '-Wall', '-o', program, join(__dirname, 'native', `${name}.c`)], { stdio: 'inherit' });
    return program;
  };
  return { programs: { load: built('load'), flood: built('flood'), server: built('server') }, compiler };
}

function install(kind: keyof typeof PACKAGES, mayInstall: boolean, skipped: string[]): string | undefined {
  const { name, version, file } = PACKAGES[kind];
  const program = join(RUNTIMES, 'node_modules', file);
  if (!existsSync(program) && mayInstall) {
    mkdirSync(RUNTIMES, { recursive: true });
    if (!existsSync(join(RUNTIMES, 'package.json')))
      writeFileSync(join(RUNTIMES, 'package.json'), '{"private":true}\n');
    const args = ['install', '--prefix', RUNTIMES, '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`];
    spawnSync('npm', args, { cwd: RUNTIMES, stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 });
  }
  if (existsSync(program) && versionOf(program) !== undefined) return program;
  skipped.push(
    `${kind}: ${mayInstall ? `npm could not install ${name} for this machine` : 'not installed, and --quick installs nothing'}`,
  );
  return undefined;
}

/** The server has the last core to itself, the load the first. */
function pinning(skipped: string[]): Pinned {
  const last = availableParallelism() - 1;
  if (last === 0) skipped.push('own cores: this machine has only one; server and load take turns on it');
  else if (versionOf('taskset') === undefined) skipped.push('own cores: there is no taskset');
  else return (core, command) => ['taskset', '-c', core === 'server' ? String(last) : '0', ...command];
  return (_core, command) => [...command];
}

/**
 * @param mayInstall whether Bun and Deno are fetched when they are not there
 * @throws Error where the benchmark cannot run at all
 */
export function prepare(mayInstall: boolean): Toolchain {
  if (process.platform !== 'linux')
    throw new Error('The benchmark needs Linux: recvmmsg, UDP_SEGMENT, perf_event_open.');
  const skipped: string[] = [];
  const { programs, compiler } = compile();
  const bun = install('bun', mayInstall, skipped);
  const deno = install('deno', mayInstall, skipped);
  const versions: Record<string, string> = { node: process.versions.node, [process.env.CC ?? 'cc']: compiler };
  if (bun !== undefined) versions.bun = versionOf(bun)!;
  if (deno !== undefined) versions.deno = versionOf(deno)!;
  return { ...programs, bun, deno, versions, skipped, pinned: pinning(skipped) };
}
