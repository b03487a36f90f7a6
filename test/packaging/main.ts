/**
 * The package as people get it: packed, then checked in every way in which it is installed, typed, imported, tested with
 * and bundled. `bash scripts/check-package.sh [part…]` builds it and runs this; parts are manifest, types, installs,
 * runners and bundlers.
 */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundlers } from './bundlers';
import { installs } from './installs';
import { runners } from './runners';
import { all, cache, installTools, must, pack } from './tools';
import { manifestChecks, typeChecks } from './types';

type Check = [name: string, check: () => Promise<string>];

/** → the folder of what the tarball holds */
async function unpack(tarball: string): Promise<string> {
  const path = join(cache, 'package');
  rmSync(path, { recursive: true, force: true });
  await must('', 'tar', ['-xzf', tarball, '-C', cache]);
  return path;
}

/** Everything that package.json names is in the tarball, and what documents link to as well. */
function complete(path: string): string {
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const named = [manifest.main, manifest.types, manifest.bin, manifest.exports, manifest.typesVersions];
  const files = [...JSON.stringify(named).matchAll(/"(\.\/[^"]+)"/g)]
    .map(([, file]) => file!)
    .filter((file) => /\.(c?js|d\.ts|json)$/.test(file));
  const missing = [...new Set(files)].filter((file) => !existsSync(join(path, file)));
  if (missing.length > 0) throw new Error(`package.json names ${missing.join(', ')}, which the tarball has not`);
  for (const folder of ['docs', 'examples', 'LICENSE', 'README.md', 'CHANGELOG.md', 'dist/LICENSES.txt']) {
    if (!existsSync(join(path, folder))) throw new Error(`the tarball has no ${folder}`);
  }
  return `${new Set(files).size} files`;
}

async function main(wanted: readonly string[]): Promise<void> {
  await installTools();
  const tarball = await pack();
  const installed = await unpack(tarball);
  const parts: Record<string, () => Check[] | Promise<Check[]>> = {
    manifest: () => [['what package.json names', async () => complete(installed)], ...manifestChecks(tarball)],
    installs: () => installs(tarball),
    types: () => typeChecks(installed),
    runners: () => runners(tarball),
    bundlers: () => bundlers(tarball),
  };
  const unknown = wanted.filter((name) => !(name in parts));
  if (unknown.length > 0) throw new Error(`no such part: ${unknown.join(', ')}`);
  const chosen = Object.entries(parts).filter(([name]) => wanted.length === 0 || wanted.includes(name));
  const checks: Check[] = [];
  for (const [, make] of chosen) checks.push(...(await make()));
  const failed = await all(checks);
  console.log(`size: ${statSync(tarball).size} bytes packed`);
  if (failed.length === 0) return;
  console.log(`${failed.length} of ${checks.length} failed: ${failed.join('; ')}`);
  process.exitCode = 1;
}

void main(process.argv.slice(2));
