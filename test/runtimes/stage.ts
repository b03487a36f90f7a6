/**
 * Lays out what the suites run, below .runtimes/ (git-ignored, kept between runs): the package as npm packs it, installed
 * beside its dependencies with koffi's binaries for every CPU; and the runtimes, from npm.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const root = resolve(__dirname, '../..');
export const cache = join(root, '.runtimes');

/** Every CPU that koffi has a Linux binary for: process.arch's words. */
const CPUS = ['arm', 'arm64', 'ia32', 'loong64', 'ppc64', 'riscv64', 'x64'];

function npm(folder: string, args: readonly string[]): void {
  const quiet = ['--silent', '--ignore-scripts', '--no-fund', '--no-audit', '--no-package-lock'];
  execFileSync('npm', [...args, ...quiet], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Installs packages into .runtimes/<name>, once. @throws npm's error */
function install(name: string, packages: readonly string[]): string {
  const folder = join(cache, name);
  const stamp = join(folder, 'installed');
  const wanted = packages.join(' ');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  // --force: a package for another CPU is what we want
  npm(folder, ['install', '--force', ...packages]);
  writeFileSync(stamp, wanted);
  return folder;
}

/** One npm package, installed. → its folder */
export function fetched(name: string, wanted: string): string {
  const at = wanted.lastIndexOf('@');
  return join(install(name, [wanted]), 'node_modules', at > 0 ? wanted.slice(0, at) : wanted);
}

/** The built package, installed as users have it. → its folder */
export function stagePackage(): string {
  if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/index.js is missing; npm run build makes it');
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules/koffi/package.json'), 'utf8'));
  const pinned = { ...dependencies, koffi: version };
  const packages = Object.entries(pinned).map(([name, range]) => `${name}@${range}`);
  const folder = install('stage', [...packages, ...CPUS.map((cpu) => `@koromix/koffi-linux-${cpu}@${version}`)]);
  for (const old of readdirSync(folder)) if (old.endsWith('.tgz')) rmSync(join(folder, old));
  npm(root, ['pack', '--pack-destination', folder]);
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  const target = join(folder, 'node_modules/recvfromto');
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, tarball!), '-C', target, '--strip-components=1']);
  return target;
}
