/**
 * What the packaging check needs from elsewhere, installed below .packaging/ (git-ignored, kept between runs), and the
 * package as npm packs it. Nothing here knows what is checked.
 */
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

export const root = resolve(__dirname, '../..');
export const cache = join(root, '.packaging');
export const programs = join(__dirname, 'programs');
const tools = join(cache, 'tools');

/** By name: packages whose version matters carry it in an alias. */
const TOOLS = [
  'typescript-5.0@npm:typescript@~5.0',
  'typescript-5.6@npm:typescript@~5.6',
  'typescript-7@npm:typescript@^7',
  'types-node-20@npm:@types/node@^20',
  'types-node-26@npm:@types/node@^26',
  'publint@^0.3',
  '@arethetypeswrong/cli@*',
  'pnpm@^10',
  'yarn@^1',
  '@yarnpkg/cli-dist@*',
  'bun@^1',
  'deno@^2',
  'esbuild@*',
  'rollup@^4',
  '@rollup/plugin-commonjs@*',
  '@rollup/plugin-node-resolve@*',
  'webpack@^5',
  'webpack-cli@*',
  '@vercel/ncc@*',
  'postject@*',
  'vitest@*',
  'tsx@*',
];

const run = promisify(execFile);

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end. → its exit status, and what it printed to both streams */
export async function ran(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ran> {
  try {
    const { stdout, stderr } = await run(command, [...args], { timeout: 240_000, maxBuffer: 1 << 26, ...options });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '', message } = error as Error & Ran & { stdout?: string; stderr?: string };
    return { code: typeof code === 'number' ? code : 1, output: stdout + stderr || message };
  }
}

/** As ran(). @throws with what was printed, unless it ends with 0 and its output contains `expected` */
export async function must(
  expected: string,
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const { code, output } = await ran(command, args, options);
  if (code === 0 && output.includes(expected)) return output;
  const tail = output.trim().split('\n').slice(-25).join('\n');
  throw new Error(`${command} ${args.join(' ')}\nended with ${code}, and without "${expected}":\n${tail}`);
}

/** Where consumers live: above them is no node_modules that would lend them what they lack. */
const work = mkdtempSync(join(tmpdir(), 'recvfromto-packaging-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));

/** A new folder with a package.json and copies of programs/. */
export function folder(name: string, manifest: object = {}): string {
  const path = join(work, name);
  mkdirSync(path, { recursive: true });
  cpSync(programs, path, { recursive: true });
  writeFileSync(join(path, 'package.json'), JSON.stringify({ name: 'consumer', private: true, ...manifest }));
  return path;
}

const QUIET = ['--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'];

export const npm = (cwd: string, args: readonly string[]): Promise<string> =>
  must('', 'npm', [...args, ...QUIET], { cwd });

/** Installs the tools, once. */
export async function installTools(): Promise<void> {
  const stamp = join(tools, 'installed');
  const wanted = TOOLS.join(' ');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  rmSync(tools, { recursive: true, force: true });
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), '{"private":true}');
  await npm(tools, ['install', '--no-package-lock', ...TOOLS]);
  writeFileSync(stamp, wanted);
}

/** A file of a tool: its package, and the path in it. */
export const tool = (name: string, path: string): string => join(tools, 'node_modules', name, path);

/** A tool that is a script of Node's, by its name in node_modules/.bin. */
export const bin = (name: string): string => join(tools, 'node_modules/.bin', name);

/** Tools whose install script would fetch their executable, which npm has brought already in a package of its own. */
export const bun = (): string => {
  const { platform, arch } = process;
  return tool(`@oven/bun-${platform}-${arch === 'arm64' ? 'aarch64' : arch}`, 'bin/bun');
};

/** The package as npm packs it. → the path of the tarball */
export async function pack(): Promise<string> {
  const target = join(cache, 'packed');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const output = await must('.tgz', 'npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', target], {
    cwd: root,
  });
  return join(target, output.trim().split('\n').at(-1)!);
}

/** Runs all of them, as many at a time as there are processors. → those that failed */
export async function all(checks: readonly [name: string, check: () => Promise<string>][]): Promise<string[]> {
  const failed: string[] = [];
  const waiting = [...checks];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [name, check] = next;
      const start = performance.now();
      try {
        const said = await check();
        console.log(`ok      ${name}: ${said} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
      } catch (error) {
        failed.push(name);
        console.log(`FAILED  ${name}: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(2, cpus().length) }, work));
  return failed;
}
